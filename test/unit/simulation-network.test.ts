/** The simulated network: what arrives, in which order, and who hears of what. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Outgoing, StreamEvents } from '../../src/ports/network.js';
import { SimNetwork } from '../simulation/sim-network.js';
import { SimProcess } from '../simulation/sim-process.js';
import { Simulation } from '../simulation/simulation.js';

const SEEDS = Array.from({ length: 30 }, (_, seed) => seed);
const FOREVER = { untilMs: Infinity, eventsMax: 10_000 };
const THERE = { from: 'a', to: 'b' };
const BACK = { from: 'b', to: 'a' };
const LATENCY = { leastMs: 1, queueMeanMs: 0 };
const TARGET = { address: 'b:1', service: 'echo' };
const isPrefix = (got: readonly number[]) => got.every((number, index) => number === index);

let simulation: Simulation;
let network: SimNetwork;
let a: SimProcess;
let b: SimProcess;
let dialed: Recorder;
let served: Recorder | undefined;

/** What came on one end, and when. */
class Recorder implements StreamEvents<Buffer> {
  readonly numbers: number[] = [];
  readonly log: string[] = [];
  outgoing!: Outgoing<unknown>;

  get times(): number[] {
    return this.log.map((line) => Number(line.split('@')[1]));
  }

  message(message: Buffer): void {
    this.numbers.push(message.readInt32BE());
    this.#note('message');
  }

  drain(): void {
    this.#note('drain');
  }

  closed(reason: string): void {
    this.#note(`closed: ${reason}`);
  }

  /** Writes numbers from 0. */
  write(count: number, from = 0): boolean {
    let more = true;
    for (let number = from; number < from + count; number++) {
      const message = Buffer.alloc(100);
      message.writeInt32BE(number);
      more = this.outgoing.write(message);
    }
    return more;
  }

  #note(what: string): void {
    this.log.push(`${what} @${String(+simulation.nowMs.toFixed(3))}`);
  }
}

function listen(process: SimProcess): void {
  network.listen(process, 'b:1', {
    echo: (outgoing) => {
      served = new Recorder();
      served.outgoing = outgoing;
      return served;
    },
  });
}

function setUp(seed: number): void {
  simulation = new Simulation(seed);
  network = new SimNetwork(simulation, { latency: LATENCY });
  a = new SimProcess(simulation, { name: 'a' });
  b = new SimProcess(simulation, { name: 'b' });
  dialed = new Recorder();
  served = undefined;
  listen(b);
}

function dial(target = TARGET): void {
  dialed.outgoing = network.dial(a, target, dialed);
}

/** A stream that stands, at 10 ms. */
async function connect(seed = 1): Promise<void> {
  setUp(seed);
  dial();
  await simulation.run({ untilMs: 10, eventsMax: 1_000 });
  dialed.log.length = 0;
}

const at = (ms: number, task: () => void, process?: SimProcess) => simulation.at(ms, task, process);
const finish = () => simulation.run(FOREVER);

beforeEach(() => setUp(1));

describe('dialing', () => {
  it('says so when the connection stands, then what was written arrives, also what was before', async () => {
    dial();
    expect(dialed.write(2)).toBe(false);
    await finish();
    expect(dialed.log).toEqual(['drain @2']);
    expect(served!.numbers).toEqual([0, 1]);
    expect(served!.times).toEqual([3, 3]);
  });

  it('nobody who listens refuses; a service that is not there ends the stream', async () => {
    dial({ ...TARGET, address: 'b:2' });
    await finish();
    expect(dialed.log).toEqual(['closed: connection refused @2']);
    dialed = new Recorder();
    dial({ ...TARGET, service: 'other' });
    await finish();
    expect(dialed.log.map((line) => line.split(' @')[0])).toEqual([
      'drain',
      'closed: connection lost',
    ]);
  });

  it('a dead process is refused, a dead machine is silent, as is one that cannot be reached', async () => {
    const silence = ['closed: no connection within 2000 ms @2000'];
    b.kill();
    dial();
    await finish();
    expect(dialed.log).toEqual(['closed: connection refused @2']);
    for (const fault of [
      () => b.kill({ isSilent: true }),
      () => network.cut(THERE),
      () => network.cut(BACK),
    ]) {
      setUp(1);
      fault();
      dial();
      expect(dialed.write(1)).toBe(false);
      await finish();
      expect([dialed.log, served]).toEqual([silence, undefined]);
    }
  });

  it('a paused process is not connected to before it goes on', async () => {
    b.pause();
    dial();
    at(500, () => b.resume());
    await finish();
    expect(dialed.log).toEqual(['drain @501']);
  });

  it('a stream that is ended before it stands never reaches the peer', async () => {
    dial();
    dialed.write(3);
    dialed.outgoing.end();
    await finish();
    expect([dialed.log, served]).toEqual([['closed: ended @2'], undefined]);
  });

  it('a probe asks the kernel: it answers for a paused process, and not for a dead machine', async () => {
    const ask = async () => {
      const results: string[] = [];
      network.probe(a, { address: 'b:1', timeoutMs: 100 }, (result) => results.push(result));
      await finish();
      return results;
    };
    b.pause();
    expect(await ask()).toEqual(['accepted']);
    b.kill();
    expect(await ask()).toEqual(['refused']);
    setUp(1);
    b.kill({ isSilent: true });
    expect(await ask()).toEqual(['silent']);
    setUp(1);
    network.cut(BACK);
    expect(await ask()).toEqual(['silent']);
  });
});

describe('a stream', () => {
  it('delivers in order, once, in both directions, however long each message takes', async () => {
    for (const seed of SEEDS) {
      await connect(seed);
      for (const way of [THERE, BACK]) network.setLatency(way, { leastMs: 0.1, queueMeanMs: 5 });
      a.soon(() => dialed.write(50));
      b.soon(() => served!.write(50));
      await finish();
      for (const { numbers } of [served!, dialed]) {
        expect(numbers).toHaveLength(50);
        expect(isPrefix(numbers)).toBe(true);
      }
    }
  });

  it('ends in both directions behind what was written, whoever ends it', async () => {
    for (const isDialer of [true, false]) {
      await connect();
      const [one, other] = isDialer ? [dialed, served!] : [served!, dialed];
      at(20, () => (one.write(2), one.outgoing.end(), one.write(1)));
      at(20, () => other.write(3));
      await finish();
      expect(other.numbers).toEqual([0, 1]);
      expect(other.log.at(-1)).toBe('closed: ended by the peer @21');
      expect(one.numbers).toEqual([0, 1, 2]);
      expect(one.log.at(-1)).toBe('closed: ended @22');
      expect(other.outgoing.write(Buffer.alloc(4)), 'writing after is nothing').toBe(true);
    }
  });

  it('that was ended waits a second for its peer, and is cut then', async () => {
    await connect();
    at(20, () => (b.pause(), dialed.write(1), dialed.outgoing.end()));
    at(3_000, () => b.resume());
    await finish();
    expect(dialed.log).toEqual(['closed: cut @1020']);
    expect(served!.numbers).toEqual([0]);
    expect(served!.log.at(-1)).toBe('closed: ended by the peer @3000');
  });

  it('to a peer that does not read says stop, and when it goes on', async () => {
    await connect();
    b.pause();
    expect(dialed.write(600)).toBe(true);
    expect(dialed.write(100, 600)).toBe(false);
    at(500, () => b.resume());
    await finish();
    expect(served!.numbers).toHaveLength(700);
    expect(isPrefix(served!.numbers)).toBe(true);
    expect(dialed.log).toEqual(['drain @501']);
  });

  it('shares its messages, or copies them if it is told to', async () => {
    for (const copiesMessages of [false, true]) {
      simulation = new Simulation(1);
      network = new SimNetwork(simulation, { copiesMessages });
      const [from, to] = ['a', 'b'].map((name) => new SimProcess(simulation, { name }));
      const got: unknown[] = [];
      const ignore = { drain: () => undefined, closed: () => undefined };
      const message = (each: unknown) => void got.push(each);
      network.listen(to!, 'b:1', { echo: () => ({ message, ...ignore }) });
      const sent = [Buffer.from('bytes'), { type: 'hello' }];
      const stream = network.dial(from!, TARGET, { message, ...ignore });
      for (const each of sent) stream.write(each);
      await finish();
      expect(got).toEqual(sent);
      expect(got.map((each, index) => each === sent[index])).toEqual(
        sent.map(() => !copiesMessages),
      );
    }
  });
});

describe('what breaks', () => {
  it('of a stream that is reset a prefix arrives on both sides, then its end, and nothing after', async () => {
    const counts = new Set<number>();
    for (const seed of SEEDS) {
      await connect(seed);
      at(20, () => (dialed.write(5), served!.write(5)));
      at(20.5, () => network.reset(BACK));
      at(20.6, () => (dialed.write(5, 5), served!.write(5, 5)));
      await finish();
      for (const { numbers, log } of [served!, dialed]) {
        expect(isPrefix(numbers)).toBe(true);
        expect(log.filter((line) => line.startsWith('closed'))).toHaveLength(1);
        expect(log.at(-1)).toContain('closed: connection reset');
        counts.add(numbers.length);
      }
    }
    expect([...counts].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('of a killed process the peer gets a prefix of its words and hears the end after the latency', async () => {
    for (const seed of SEEDS) {
      await connect(seed);
      at(20, () => (served!.write(5), dialed.write(5), b.kill()));
      await finish();
      expect(isPrefix(dialed.numbers)).toBe(true);
      expect(dialed.log.at(-1)).toBe('closed: connection lost @21');
      expect([served!.log, served!.numbers]).toEqual([[], []]);
    }
  });

  it('of a killed process a peer that cannot be reached hears when it can', async () => {
    await connect();
    at(20, () => (network.cut(BACK), b.kill()));
    at(500, () => network.heal(BACK));
    await finish();
    expect(dialed.log).toEqual(['closed: connection lost @501']);
  });

  it('of a machine that is gone nobody hears, until patience ends or it is back', async () => {
    await connect();
    at(20, () => b.kill({ isSilent: true }));
    await finish();
    expect(dialed.log).toEqual(['closed: keepalive timed out @7020']);

    await connect();
    at(20, () => b.kill({ isSilent: true }));
    at(100, () => listen(new SimProcess(simulation, { name: 'b' })));
    await finish();
    expect(dialed.log).toEqual(['closed: connection lost @101']);
  });

  it('of a process that is paused too long the peer gives up; it hears so when it goes on', async () => {
    await connect();
    at(20, () => b.pause());
    at(30, () => dialed.write(2));
    at(8_000, () => b.resume());
    await finish();
    expect(dialed.log).toEqual(['closed: keepalive timed out @7020']);
    expect([[], [0], [0, 1]]).toContainEqual(served!.numbers);
    expect(served!.log.at(-1)).toBe('closed: connection lost @8000');
  });

  it('to a dead or paused process nothing is delivered', async () => {
    await connect();
    at(20, () => (b.pause(), dialed.write(1)));
    at(500, () => expect(served!.log).toEqual([]));
    at(600, () => b.kill());
    await finish();
    expect(served!.log).toEqual([]);
  });
});

describe('a link', () => {
  it('that is cut holds what is under way, in one direction, and delivers it in order once it heals', async () => {
    await connect();
    at(20, () => (dialed.write(2), network.cut(THERE), dialed.write(2, 2), served!.write(1)));
    at(500, () => network.heal(THERE));
    await finish();
    expect(dialed.log).toEqual(['message @21']);
    expect(served!.numbers).toEqual([0, 1, 2, 3]);
    expect(served!.times).toEqual([501, 501, 501, 501]);
  });

  it('what reached the kernel of a paused process before the cut is delivered in spite of it', async () => {
    await connect();
    at(20, () => (b.pause(), dialed.write(1)));
    at(30, () => (network.cut(THERE), dialed.write(1, 1)));
    at(500, () => b.resume());
    at(600, () => network.heal(THERE));
    await finish();
    expect(served!.log).toEqual(['message @500', 'message @601']);
  });

  it('that is cut for long breaks its streams on both ends, each at the end of its own patience', async () => {
    for (const direction of [THERE, BACK]) {
      await connect();
      at(20, () => network.cut(direction));
      at(20_000, () => network.heal(direction));
      await finish();
      expect(dialed.log).toEqual(['closed: keepalive timed out @7020']);
      // The other direction tells the one who serves; if it is cut, its patience does.
      expect(served!.log).toEqual([
        direction === THERE
          ? 'closed: keepalive timed out @15020'
          : 'closed: connection lost @7021',
      ]);
    }
  });

  it('may break its streams at once; who cannot hear of it does when it heals', async () => {
    await connect();
    at(20, () => network.cut(THERE, { breaks: true }));
    at(500, () => network.heal(THERE));
    await finish();
    expect(dialed.log).toEqual(['closed: connection reset @21']);
    expect(served!.log).toEqual(['closed: connection reset @501']);
  });

  it('that is clogged holds for a while, and a cut of it goes on when the clog ends', async () => {
    await connect();
    at(20, () => (network.clog(THERE, 100), dialed.write(1)));
    at(200, () => (network.clog(THERE, 100), network.cut(THERE), dialed.write(1, 1)));
    at(400, () => network.heal(THERE));
    at(500, () => (network.clog(THERE, 100), dialed.write(1, 2)));
    at(520, () => network.unclog(THERE));
    at(600, () => (network.cut(THERE), network.clog(THERE, 100), dialed.write(1, 3)));
    at(620, () => network.healAll());
    await finish();
    expect(served!.times).toEqual([121, 401, 521, 621]);
  });

  it('that is slow delays its own direction only', async () => {
    await connect();
    network.setLatency(THERE, { leastMs: 50, queueMeanMs: 0 });
    expect([network.latencyOf(THERE).leastMs, network.latencyOf()]).toEqual([50, LATENCY]);
    at(20, () => (dialed.write(1), served!.write(1)));
    await finish();
    expect([served!.times, dialed.times]).toEqual([[70], [21]]);
  });
});
