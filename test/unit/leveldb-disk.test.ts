/** The disk over a LevelDB that does what the test says: how it is written to, and that fails. */
import { mkdtemp, rm } from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LevelDisk } from '../../src/leveldb/level-disk.js';
import { StorageFailure } from '../../src/ports/disk.js';

/** What was done to the database, and what becomes of the next write. */
const database = vi.hoisted(() => ({
  writes: [] as { readonly changes: string[]; readonly options: unknown }[],
  closes: 0,
  write: (): Promise<void> => Promise.resolve(),
  getSync: (): Buffer | undefined => undefined,
  iterator: (): AsyncIterable<[Buffer, Buffer]> => {
    throw new Error('no scan in this test');
  },
}));

vi.mock('level', () => ({
  Level: class {
    readonly #directory: string;

    constructor(directory: string) {
      this.#directory = directory;
    }

    open(): Promise<void> {
      writeFileSync(join(this.#directory, 'LOG'), '');
      return Promise.resolve();
    }

    batch() {
      const changes: string[] = [];
      return {
        put: (key: Buffer, value: Buffer) => changes.push(`${key.toString()}=${value.toString()}`),
        del: (key: Buffer) => changes.push(`-${key.toString()}`),
        write: (options: unknown) => {
          database.writes.push({ changes, options });
          return database.write();
        },
      };
    }

    getSync = () => database.getSync();
    iterator = () => database.iterator();

    close(): Promise<void> {
      database.closes++;
      return Promise.resolve();
    }
  },
}));

let folder: string;
let disk: LevelDisk;

beforeEach(async () => {
  database.writes.length = 0;
  database.closes = 0;
  database.write = () => Promise.resolve();
  folder = await mkdtemp(join(tmpdir(), 'portolan-level-'));
  disk = await LevelDisk.open(folder);
});
afterEach(() => rm(folder, { recursive: true }));

function batchOf(key: string, value = '1') {
  const batch = disk.batch();
  batch.put(Buffer.from(key), Buffer.from(value));
  return batch;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const fail = (message: string) => () => Promise.reject(new Error(message));

it('S5 every batch is written with sync, whole and in its order', async () => {
  const batch = batchOf('a');
  batch.remove(Buffer.from('b'));
  batch.put(Buffer.from('c'), Buffer.from('3'));
  expect(database.writes, 'nothing before it is asked for').toEqual([]);
  await batch.writeDurably();
  await batchOf('d', '4').writeDurably();
  expect(database.writes).toEqual([
    { changes: ['a=1', '-b', 'c=3'], options: { sync: true } },
    { changes: ['d=4'], options: { sync: true } },
  ]);
});

it('a write resolves when LevelDB says so, and not before', async () => {
  let end: () => void = () => undefined;
  database.write = () => new Promise((resolve) => (end = resolve));
  let isDurable = false;
  const written = batchOf('a').writeDurably();
  void written.then(() => (isDurable = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isDurable).toBe(false);
  end();
  await written;
});

it('L5 a batch that is written leaves nothing behind in memory', async () => {
  const batches = 20_000;
  const writeAll = async () => {
    for (let n = 0; n < batches; n++) await batchOf('a').writeDurably();
    database.writes.length = 0;
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = await writeAll();
  const bytesPerBatch = ((await writeAll()) - before) / batches;
  expect(bytesPerBatch).toBeLessThan(20);
});

it('S20 after a write that failed every other one fails with its reason, untried', async () => {
  database.write = fail('no space left on device');
  const failed = batchOf('a').writeDurably();
  await expect(failed).rejects.toBeInstanceOf(StorageFailure);
  await expect(failed).rejects.toThrow(`writing ${folder}: no space left on device`);
  database.write = () => Promise.resolve();
  for (const key of ['b', 'c']) {
    await expect(batchOf(key).writeDurably()).rejects.toThrow('no space left on device');
  }
  expect(database.writes.map(({ changes }) => changes)).toEqual([['a=1']]);
});

it('S20 also a batch that was begun before the failure fails after it', async () => {
  const begun = batchOf('b');
  database.write = fail('input/output error');
  await expect(batchOf('a').writeDurably()).rejects.toThrow('input/output error');
  database.write = () => Promise.resolve();
  await expect(begun.writeDurably()).rejects.toThrow('input/output error');
  expect(database.writes).toHaveLength(1);
});

it('the reason of the first failure stays, also if a write beside it failed after', async () => {
  const ends: ((error: Error) => void)[] = [];
  database.write = () => new Promise((_, reject) => ends.push(reject));
  const both = [batchOf('a').writeDurably(), batchOf('b').writeDurably()];
  const settled = Promise.allSettled(both);
  ends[0]!(new Error('the first'));
  ends[1]!(new Error('the second'));
  const reasons = (await settled).map((end) => String(end.status === 'rejected' && end.reason));
  for (const reason of reasons) expect(reason).toContain('the first');
  await expect(batchOf('c').writeDurably()).rejects.toThrow('the first');
});

it('a read or a scan that LevelDB refuses is a failure of the storage, and names the place', async () => {
  database.getSync = () => {
    throw new Error('corrupted block');
  };
  database.iterator = database.getSync as never;
  const reading = () => disk.get(Buffer.from('a'));
  expect(reading).toThrow(StorageFailure);
  expect(reading).toThrow(`reading ${folder}: corrupted block`);
  const scanning = disk.scan(Buffer.from('a'), Buffer.from('b'))[Symbol.asyncIterator]().next();
  await expect(scanning).rejects.toThrow(`reading ${folder}: corrupted block`);
  await expect(scanning).rejects.toBeInstanceOf(StorageFailure);
});

it('closing waits for the batch under way, even if that fails', async () => {
  let end: (error: Error) => void = () => undefined;
  database.write = () => new Promise((_, reject) => (end = reject));
  const written = expect(batchOf('a').writeDurably()).rejects.toThrow('late');
  const closed = disk.close();
  await new Promise((resolve) => setImmediate(resolve));
  expect(database.closes).toBe(0);
  end(new Error('late'));
  await Promise.all([written, closed]);
  expect(database.closes).toBe(1);
});
