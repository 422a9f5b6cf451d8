/** The simulator's own rules: chance, order, time, life and death of a process. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isUuid } from '../../src/model/ids.js';
import { EventQueue } from '../simulation/event-queue.js';
import { Prng } from '../simulation/prng.js';
import { SeededRandom } from '../simulation/seeded-random.js';
import { SimProcess } from '../simulation/sim-process.js';
import { Simulation } from '../simulation/simulation.js';
import { Trace } from '../simulation/trace.js';

const FOREVER = { untilMs: Infinity, eventsMax: 10_000 };
const draws = (prng: Prng, count = 8) => Array.from({ length: count }, () => prng.bits());

describe('chance', () => {
  it('one seed gives one stream, and neighbouring seeds give others', () => {
    expect(draws(Prng.of(7))).toEqual(draws(Prng.of(7)));
    const firsts = Array.from({ length: 1_000 }, (_, seed) => Prng.of(seed).bits());
    expect(new Set(firsts).size).toBeGreaterThan(990);
    expect(Prng.of(2 ** 40).bits()).not.toBe(Prng.of(0).bits());
  });

  it('a fork depends on its name and not on what was drawn before', () => {
    const root = Prng.of(7);
    const before = draws(root.fork('disk'));
    draws(root, 100);
    expect(draws(root.fork('disk'))).toEqual(before);
    expect(draws(root.fork('dism'))).not.toEqual(before);
    expect(draws(root.fork('a').fork('b'))).not.toEqual(draws(root.fork('b').fork('a')));
    const forks = Array.from({ length: 1_000 }, (_, index) => root.fork(`n${index}`).bits());
    expect(new Set(forks).size).toBeGreaterThan(990);
  });

  it('draws are spread evenly, and stay in their bounds', () => {
    const prng = Prng.of(1);
    const counts = Array.from({ length: 10 }, () => 0);
    for (let draw = 0; draw < 10_000; draw++) counts[prng.int(10)]!++;
    expect(Math.min(...counts)).toBeGreaterThan(880);
    expect(Math.max(...counts)).toBeLessThan(1_120);
    const gaps = Array.from({ length: 10_000 }, () => prng.exponential(5));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    expect(mean).toBeGreaterThan(4.8);
    expect(mean).toBeLessThan(5.2);
    expect(Array.from({ length: 100 }, () => prng.range(3, 4)).every((x) => x >= 3 && x < 4)).toBe(
      true,
    );
    expect(prng.chance(0)).toBe(false);
    expect(prng.chance(1)).toBe(true);
    expect(prng.shuffled([1, 2, 3, 4]).sort()).toEqual([1, 2, 3, 4]);
    expect(() => prng.pick([])).toThrow('nothing to pick from');
  });

  it('the port for the roles gives identities of the right form', () => {
    const random = new SeededRandom(Prng.of(1));
    const [one, other] = [random.uuid(), random.uuid()];
    expect(isUuid(one) && isUuid(other) && one !== other).toBe(true);
    expect(random.nonce()).toMatch(/^[0-9a-f]{16}$/);
    expect(random.fraction()).toBeLessThan(1);
    expect(new SeededRandom(Prng.of(1)).uuid()).toBe(one);
  });
});

describe('the event queue', () => {
  it('gives events in the order of time, those of one moment as they were added', () => {
    const prng = Prng.of(3);
    const queue = new EventQueue();
    const taken: number[] = [];
    const expected = Array.from({ length: 2_000 }, (_, order) => ({ at: prng.int(50), order }));
    for (const { at, order } of expected) queue.add(at, () => taken.push(order));
    for (let event = queue.take(Infinity); event !== undefined; event = queue.take(Infinity)) {
      event.task();
    }
    expected.sort((left, right) => left.at - right.at || left.order - right.order);
    expect(taken).toEqual(expected.map(({ order }) => order));
  });

  it('cancelled events do not happen, however many there are and whenever they are cancelled', () => {
    const prng = Prng.of(4);
    const queue = new EventQueue();
    const events = Array.from({ length: 3_000 }, () => queue.add(prng.int(100), () => undefined));
    const cancelled = new Set(events.filter(() => prng.chance(0.8)));
    for (const event of cancelled) queue.cancel(event);
    for (const event of cancelled) queue.cancel(event);
    expect(queue.size).toBe(events.length - cancelled.size);
    let last = 0;
    let count = 0;
    for (let event = queue.take(Infinity); event !== undefined; event = queue.take(Infinity)) {
      expect(cancelled.has(event)).toBe(false);
      expect(event.atMs).toBeGreaterThanOrEqual(last);
      last = event.atMs;
      queue.cancel(event); // Too late: nothing happens.
      count++;
    }
    expect([count, queue.size]).toEqual([events.length - cancelled.size, 0]);
  });

  it('refuses a time that is none', () => {
    expect(() => new EventQueue().add(NaN, () => undefined)).toThrow('not a time');
  });
});

describe('a trace', () => {
  it('tells two runs apart by any difference, and does not depend on whether lines are kept', () => {
    const hashOf = (change: (trace: Trace) => void, linesMax = 0) => {
      const trace = new Trace(linesMax);
      for (let word = 0; word < 100; word++) trace.mix(word);
      change(trace);
      for (let word = 0; word < 100; word++) trace.mix(word);
      return trace.hash;
    };
    const changes: ((trace: Trace) => void)[] = [
      () => undefined,
      (trace) => trace.mix(0),
      (trace) => trace.mix(1),
      (trace) => trace.mixTime(1),
      (trace) => trace.mixTime(1 + Number.EPSILON),
      (trace) => trace.mixText('a'),
      (trace) => trace.mixText('b'),
    ];
    const hashes = changes.map((change) => hashOf(change));
    expect(new Set(hashes).size).toBe(changes.length);
    expect(hashes.every((hash) => Number.isSafeInteger(hash) && hash >= 0)).toBe(true);
    expect(hashOf((trace) => trace.line('more'), 5)).toBe(hashes[0]);
  });

  it('keeps the last lines, oldest first', () => {
    const trace = new Trace(3);
    for (const line of ['a', 'b']) trace.line(line);
    expect(trace.lines).toEqual(['a', 'b']);
    for (const line of ['c', 'd', 'e']) trace.line(line);
    expect(trace.lines).toEqual(['c', 'd', 'e']);
    const silent = new Trace();
    silent.line('a');
    expect([silent.keepsLines, silent.lines]).toEqual([false, []]);
  });
});

let simulation: Simulation;
let happened: string[];
const note = (what: string) => () =>
  void happened.push(`${what} ${String(+simulation.nowMs.toFixed(3))}`);

beforeEach(() => {
  simulation = new Simulation(1);
  happened = [];
});

describe('a run', () => {
  const realImmediate = globalThis.setImmediate;
  afterEach(() => expect(globalThis.setImmediate).toBe(realImmediate));

  it('follows every promise that an event settles before the next event', async () => {
    const follow = async () => {
      for (let depth = 0; depth < 50; depth++) await Promise.resolve();
      await new Promise<void>((resolve) => process.nextTick(resolve));
      note('followed')();
    };
    simulation.at(5, () => void follow());
    simulation.at(5, note('next'));
    expect(await simulation.run(FOREVER)).toEqual({ reason: 'idle', events: 2 });
    expect(happened).toEqual(['followed 5', 'next 5']);
  });

  it('ends at its time, and goes on from there', async () => {
    simulation.at(10, note('a'));
    simulation.at(20, note('b'));
    expect((await simulation.run({ untilMs: 15, eventsMax: 9 })).reason).toBe('time');
    expect([happened, simulation.nowMs]).toEqual([['a 10'], 15]);
    expect((await simulation.run(FOREVER)).reason).toBe('idle');
    expect(happened).toEqual(['a 10', 'b 20']);
  });

  it('ends when it goes in circles, and when it is stopped', async () => {
    const circle = () => void simulation.after(0, circle);
    circle();
    expect(await simulation.run({ untilMs: 1, eventsMax: 500 })).toEqual({
      reason: 'events',
      events: 500,
    });
    simulation.after(0, () => simulation.stop());
    expect((await simulation.run(FOREVER)).reason).toBe('stopped');
  });

  it('only one simulation runs at a time', async () => {
    const running = simulation.run(FOREVER);
    expect(() => new Simulation(2).run(FOREVER)).toThrow('one simulation runs at a time');
    await running;
  });

  it('an error of an event ends the run, and says when and in which process', async () => {
    const failing = new SimProcess(simulation, { name: 'n1' });
    simulation.at(
      3,
      () => {
        throw new Error('a bug');
      },
      failing,
    );
    await expect(simulation.run(FOREVER)).rejects.toThrow('at 3.000 ms in n1: a bug');
  });

  it('setImmediate of a process is an event of that process', async () => {
    const one = new SimProcess(simulation, { name: 'n1' });
    one.soon(() => {
      setImmediate(note('still done'));
      simulation.after(0, () => one.kill());
      setImmediate(note('lost'));
    });
    const other = new SimProcess(simulation, { name: 'n2' });
    other.clock.after(5, () => {
      setImmediate((what: string) => note(what)(), 'held');
      other.pause();
    });
    simulation.at(9, () => other.resume());
    await simulation.run(FOREVER);
    expect(happened).toEqual(['still done 0', 'held 9']);
  });

  it('notes are part of the trace', async () => {
    const trace = new Trace(2);
    const other = new Simulation(1, trace);
    other.at(1.5, () => other.note('kill', 'n1'));
    simulation.at(1.5, () => simulation.note('kill', 'n2'));
    await other.run(FOREVER);
    await simulation.run(FOREVER);
    expect(trace.lines).toEqual(['1.500 ms kill n1']);
    expect(trace.hash).not.toBe(simulation.trace.hash);
  });
});

describe('a process', () => {
  let node: SimProcess;
  beforeEach(() => {
    node = new SimProcess(simulation, { name: 'n1', clockMs: 1_000 });
  });

  it('while paused nothing runs; then everything does at once, in its order', async () => {
    node.clock.after(5, note('timer'));
    simulation.at(6, note('message'), node);
    simulation.at(20, note('same moment'), node);
    simulation.at(2, () => node.pause());
    simulation.at(20, () => node.resume());
    await simulation.run(FOREVER);
    expect(happened).toEqual(['timer 20', 'message 20', 'same moment 20']);
  });

  it('what comes at the moment of the end of a pause does not overtake what was held', async () => {
    simulation.at(2, () => node.pause());
    for (const at of [3, 4]) simulation.at(at, note(`held ${at}`), node);
    simulation.at(20, () => {
      node.resume();
      simulation.after(0, note('later'), node);
    });
    simulation.at(20, note('same moment'), node);
    await simulation.run(FOREVER);
    expect(happened).toEqual(['held 3 20', 'held 4 20', 'same moment 20', 'later 20']);
  });

  it('a second pause holds what the first one had not delivered yet', async () => {
    simulation.at(1, () => node.pause());
    simulation.at(2, () => (note('first')(), node.pause()), node);
    simulation.at(3, note('second'), node);
    simulation.at(10, () => node.resume());
    simulation.at(30, () => node.resume());
    await simulation.run(FOREVER);
    expect(happened).toEqual(['first 10', 'second 30']);
  });

  it('what was for a killed process never happens, not even what it was held', async () => {
    node.clock.after(10, note('timer'));
    simulation.at(3, () => node.pause());
    simulation.at(4, note('held'), node);
    simulation.at(5, () => node.kill());
    simulation.at(6, () => node.resume());
    simulation.at(7, note('message'), node);
    await simulation.run(FOREVER);
    expect([happened, node.isDead, node.isPaused]).toEqual([[], true, false]);
  });
});

describe('a clock', () => {
  const clockOf = (clockRate: number) =>
    new SimProcess(simulation, { name: 'n1', clockRate, clockMs: 1_000 });

  it('runs at its rate, and its timers with it', async () => {
    const { clock } = clockOf(1.25);
    clock.after(100, note('due'));
    simulation.at(40, () => expect(clock.now()).toBeCloseTo(1_050, 9));
    await simulation.run(FOREVER);
    expect(happened).toEqual(['due 80']);
  });

  it('a change of its rate moves no moment, and moves the timers that are set', async () => {
    const { clock } = clockOf(1);
    clock.after(100, note('due'));
    simulation.at(50, () => {
      clock.rate = 0.5;
      expect(clock.now()).toBe(1_050);
    });
    await simulation.run(FOREVER);
    expect(happened).toEqual(['due 150']);
    expect(() => {
      clock.rate = 0;
    }).toThrow('not the rate of a clock');
  });

  it('goes on while the process is paused, and stands still while the machine sleeps', async () => {
    const [paused, asleep] = [clockOf(1), clockOf(1)];
    for (const [name, { clock }] of Object.entries({ paused, asleep })) {
      clock.after(100, note(name));
    }
    simulation.at(50, () => (paused.pause(), asleep.suspend()));
    simulation.at(500, () => {
      expect([paused.clock.now(), asleep.clock.now()]).toEqual([1_500, 1_050]);
      paused.resume();
      asleep.resume();
    });
    await simulation.run(FOREVER);
    expect(happened).toEqual(['paused 500', 'asleep 550']);
  });

  it('a timer that is due twice over, before and after a sleep, fires once', async () => {
    const node = clockOf(1);
    node.clock.after(10, note('due'));
    simulation.at(5, () => node.pause());
    simulation.at(20, () => node.suspend());
    simulation.at(30, () => node.resume());
    await simulation.run(FOREVER);
    expect(happened).toEqual(['due 30']);
  });

  it('a timer that was stopped does not fire, not even if it was held', async () => {
    const node = clockOf(1);
    const cancel = node.clock.after(10, note('stopped'));
    simulation.at(5, () => node.pause());
    simulation.at(6, () => cancel(), node);
    simulation.at(20, () => node.resume());
    const other = node.clock.after(50, note('stopped'));
    other();
    other();
    await simulation.run(FOREVER);
    expect(happened).toEqual([]);
  });

  it('delays are whole milliseconds, at least one, as in Node', async () => {
    const { clock } = clockOf(1);
    for (const delay of [0, -5, NaN, 1.9, 2.1, 2 ** 31]) clock.after(delay, note(String(delay)));
    await simulation.run(FOREVER);
    expect(happened).toEqual(['0 1', '-5 1', 'NaN 1', '1.9 1', '2147483648 1', '2.1 2']);
  });
});
