/** The simulated disk: what is there after whatever happened to it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type Disk, StorageFailure } from '../../src/ports/disk.js';
import { ByteMap } from '../simulation/byte-map.js';
import { Prng } from '../simulation/prng.js';
import { diskHostOf, SimDisk } from '../simulation/sim-disk.js';
import { SimProcess } from '../simulation/sim-process.js';
import { Simulation } from '../simulation/simulation.js';

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed);
const FOREVER = { untilMs: Infinity, eventsMax: 10_000 };

let simulation: Simulation;
let node: SimProcess;
let disk: SimDisk;
let opened: Disk;
let resolved: number[];
let failures: unknown[];

function setUp(seed: number): void {
  simulation = new Simulation(seed);
  node = new SimProcess(simulation, { name: 'n1' });
  disk = new SimDisk(simulation.prng.fork('disk'));
  opened = disk.open(diskHostOf(simulation, node));
  resolved = [];
  failures = [];
}

beforeEach(() => setUp(1));

/** Writes batch number `n`: two records, so that a half of it would show. */
function write(n: number): void {
  const batch = opened.batch();
  batch.put(Buffer.from(`a${n}`), Buffer.from('1'));
  batch.put(Buffer.from(`b${n}`), Buffer.from('1'));
  batch.writeDurably().then(
    () => void resolved.push(n),
    (error: unknown) => void failures.push(error),
  );
}

/** Numbers of the batches that are there; each is there whole. */
function found(): number[] {
  const keys = Array.from(disk.contents(), ([key]) => key);
  const halves = (half: string) => keys.filter((key) => key.startsWith(half));
  expect(halves('a').map((key) => key.slice(1))).toEqual(halves('b').map((key) => key.slice(1)));
  return halves('a').map((key) => Number(key.slice(1)));
}

const isPrefix = (numbers: readonly number[]) => numbers.every((n, index) => n === index);

async function writeAndCrash(seed: number, crash: () => void): Promise<void> {
  setUp(seed);
  node.soon(() => {
    for (let n = 0; n < 6; n++) write(n);
  });
  simulation.at(simulation.prng.range(0, 6), () => {
    node.kill();
    crash();
  });
  await simulation.run(FOREVER);
}

describe('a crash of the process', () => {
  it('leaves all that resolved, and a prefix of the batches under way, each whole', async () => {
    const beyond: number[] = [];
    for (const seed of SEEDS) {
      await writeAndCrash(seed, () => disk.crash());
      expect(isPrefix(found())).toBe(true);
      expect(found()).toEqual(expect.arrayContaining(resolved));
      beyond.push(found().length - resolved.length);
    }
    expect(Math.max(...beyond), 'some that nobody heard of are there').toBeGreaterThan(0);
    expect(Math.min(...beyond), 'some are not').toBe(0);
  });

  it('nothing that was under way settles any more, not even in another process', async () => {
    node.soon(() => write(0));
    simulation.after(0, () => {
      disk.crash();
      opened = disk.open(diskHostOf(simulation, node));
    });
    await simulation.run(FOREVER);
    expect([resolved, failures]).toEqual([[], []]);
  });
});

describe('a power cut', () => {
  it('leaves all that resolved, as every batch is synced', async () => {
    for (const seed of SEEDS) {
      await writeAndCrash(seed, () => disk.crash({ isPowerCut: true }));
      expect(found()).toEqual(expect.arrayContaining(resolved));
    }
  });

  it('of a drive that lies leaves a prefix that may lack what resolved', async () => {
    let losses = 0;
    for (const seed of SEEDS) {
      setUp(seed);
      disk.lies = true;
      node.soon(() => Array.from({ length: 6 }, (_, n) => write(n)));
      await simulation.run(FOREVER);
      disk.crash({ isPowerCut: true });
      expect(isPrefix(found())).toBe(true);
      losses += resolved.length - found().length;
    }
    expect(losses).toBeGreaterThan(SEEDS.length);
  });

  it('of a drive that lies brings back the values that were there before', async () => {
    const left = new Set<string>();
    for (const seed of SEEDS) {
      setUp(seed);
      disk.plant('a0', Buffer.from('old'));
      disk.lies = true;
      node.soon(() => write(0));
      await simulation.run(FOREVER);
      disk.crash({ isPowerCut: true });
      const values = ['a0', 'b0'].map((key) => disk.image().get(key)?.toString() ?? 'none');
      left.add(values.join(' '));
    }
    expect([...left].sort()).toEqual(['1 1', 'old none']);
  });
});

describe('a write that fails', () => {
  it('S20 fails every other until the disk is opened again, and may be there then or not', async () => {
    const outcomes = new Set<number>();
    for (const seed of SEEDS) {
      setUp(seed);
      disk.writeFault = 'once';
      node.soon(() => [0, 1].map(write));
      simulation.at(100, () => write(2), node);
      await simulation.run(FOREVER);
      expect(resolved).toEqual([]);
      expect(failures).toHaveLength(3);
      expect(failures.every((failure) => failure instanceof StorageFailure)).toBe(true);
      expect(found(), 'not before it is opened again').toEqual([]);
      opened = disk.open(diskHostOf(simulation, node));
      expect(isPrefix(found())).toBe(true);
      outcomes.add(found().length);
      failures = [];
      node.soon(() => write(9));
      await simulation.run(FOREVER);
      expect([resolved, failures]).toEqual([[9], []]);
    }
    expect([...outcomes].sort()).toEqual([0, 1, 2]);
  });

  it('for lack of space fails until there is some, and says how much there is', async () => {
    const free: number[] = [];
    const ask = () => void opened.freeBytes().then((bytes) => free.push(bytes));
    disk.writeFault = 'full';
    node.soon(() => (write(0), ask()));
    await simulation.run(FOREVER);
    opened = disk.open(diskHostOf(simulation, node));
    node.soon(() => write(1));
    await simulation.run(FOREVER);
    expect(failures.map(String)).toEqual([
      'StorageFailure: no space left on device',
      'StorageFailure: no space left on device',
    ]);
    disk.writeFault = undefined;
    node.soon(ask);
    await simulation.run(FOREVER);
    expect(free).toEqual([0, disk.freeBytes]);
  });

  it('closing waits for it too', async () => {
    disk.writeFault = 'broken';
    const order: string[] = [];
    node.soon(() => {
      write(0);
      void opened.close().then(() => order.push(`closed after ${failures.length}`));
    });
    await simulation.run(FOREVER);
    expect(order).toEqual(['closed after 1']);
  });
});

describe('reads', () => {
  it('S20 fail as long as the disk does, or once; a scan when it comes to the disk', async () => {
    const get = () => opened.get(Buffer.from('a'));
    const failures: unknown[] = [];
    const scan = (source: Pick<Disk, 'scan'>) => async () => {
      const rows = source.scan(Buffer.of(0), Buffer.of(255))[Symbol.asyncIterator]();
      await rows.next().catch((error: unknown) => failures.push(error));
    };
    expect(get()).toBeUndefined();
    expect(disk.refused).toBeUndefined();
    disk.readFault = 'broken';
    for (const source of [opened, opened.snapshot()]) node.soon(() => void scan(source)());
    await simulation.run(FOREVER);
    expect(get).toThrow(StorageFailure);
    expect(failures).toEqual([expect.any(StorageFailure), expect.any(StorageFailure)]);
    expect(disk.refused).toBe('read');
    disk.readFault = 'once';
    expect(get).toThrow(StorageFailure);
    expect(get()).toBeUndefined();
    disk.crash();
    opened = disk.open(diskHostOf(simulation, node));
    expect(disk.refused).toBeUndefined();
  });

  it('a scan sees the moment of its begin, and takes time', async () => {
    for (const key of ['b', 'a', 'c']) disk.plant(key, Buffer.from('old'));
    const seen: string[] = [];
    const scan = async () => {
      for await (const [key, value] of opened.scan(Buffer.from('a'), Buffer.from('c'))) {
        seen.push(`${key.toString()} ${value.toString()}`);
      }
    };
    node.soon(() => void scan());
    simulation.after(0, () => {
      disk.plant('aa', Buffer.from('new'));
      disk.plant('b', Buffer.from('new'));
    });
    await simulation.run(FOREVER);
    expect(seen).toEqual(['a old', 'b old']);
    expect(simulation.nowMs).toBeGreaterThan(0);
  });

  it('a slow disk takes longer for everything', async () => {
    const timeOf = async (slowness: number) => {
      setUp(1);
      disk.slowness = slowness;
      node.soon(() => write(0));
      await simulation.run(FOREVER);
      return simulation.nowMs;
    };
    expect(await timeOf(100)).toBeCloseTo(100 * (await timeOf(1)), 6);
  });
});

describe('damage', () => {
  it('rot flips one bit of one value, and of no other copy', () => {
    for (const key of ['a', 'b', 'empty']) disk.plant(key, Buffer.from(key === 'empty' ? '' : key));
    const image = disk.image();
    const { key } = disk.rot()!;
    const before = image.get(key)![0]!;
    const flipped = before ^ disk.image().get(key)![0]!;
    expect(Math.log2(flipped) % 1).toBe(0);
    expect(key).not.toBe('empty');
  });

  it('rot befalls what may rot, and can be undone while its record is there', () => {
    for (const key of ['a', 'b']) disk.plant(key, Buffer.from(key));
    const rot = disk.rot((key) => key === 'b')!;
    expect([rot.key, rot.isThere()]).toEqual(['b', true]);
    rot.undo();
    expect([rot.isThere(), disk.stored(Buffer.from('b'))?.toString()]).toEqual([false, 'b']);
    const other = disk.rot((key) => key === 'b')!;
    disk.plant('b', Buffer.from('new'));
    other.undo();
    expect([other.isThere(), disk.stored(Buffer.from('b'))?.toString()]).toEqual([false, 'new']);
    expect(disk.rot(() => false)).toBeUndefined();
  });

  it('an image that is restored is what the disk was, and without one it is empty', () => {
    disk.crash();
    disk.plant('a', Buffer.from('1'));
    const image = disk.image();
    disk.plant('b', Buffer.from('2'));
    disk.restore(image);
    expect(Array.from(disk.contents(), ([key]) => key)).toEqual(['a']);
    disk.plant('c', Buffer.from('3'));
    disk.restore(image);
    expect(Array.from(disk.contents(), ([key]) => key)).toEqual(['a']);
    disk.restore();
    expect([...disk.contents()]).toEqual([]);
    expect(disk.rot()).toBeUndefined();
  });

  it('nobody takes a disk away under a process that has it open', () => {
    expect(() => disk.restore()).toThrow('in use');
  });
});

describe('bytes in order', () => {
  it('are found as in a sorted list, whatever came and went in between', () => {
    const prng = Prng.of(5);
    const map = new ByteMap();
    const model = new Map<string, Buffer>();
    for (let step = 0; step < 500; step++) {
      const key = String.fromCharCode(prng.int(256), prng.int(4));
      const value = Buffer.of(step & 255);
      if (prng.chance(0.3)) {
        map.delete(key);
        model.delete(key);
      } else {
        map.set(key, value);
        model.set(key, value);
      }
      if (step % 10 > 0) continue;
      const [from, to] = [prng.int(256), prng.int(256)].map((code) => String.fromCharCode(code));
      const expected = [...model].filter(([each]) => each >= from! && each < to!).sort();
      expect(map.range(from!, to!)).toEqual(expected.sort(([a], [b]) => (a < b ? -1 : 1)));
      expect(map.get(key)).toBe(model.get(key));
    }
  });
});
