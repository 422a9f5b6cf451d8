/** The simulated ensemble with faults by chance: every call ends, no rule breaks, runs repeat. */
import { expect, it } from 'vitest';
import type { CoordinatorSession, Outcome } from '../../src/ports/coordinator.js';
import { drive } from '../simulation/drive.js';
import { SimZooKeeper } from '../simulation/sim-zookeeper.js';
import { bytes } from '../support/coordinator-checks.js';
import { FakeClock } from '../support/fake-clock.js';
import { randomOfSeed } from '../support/random-of-seed.js';

const CALL_MS = 4_000;
const CHANCES = {
  ...{ 'not-connected': 0.01, before: 0.03, after: 0.03 },
  ...{ 'stall-before': 0.02, 'stall-after': 0.02 },
};

interface Run {
  readonly clock: FakeClock;
  readonly zooKeeper: SimZooKeeper;
  readonly random: () => number;
  /** Everything that was seen, with its time. */
  readonly trace: string[];
  /** By version that was asked for: how often it was answered, how often not. */
  readonly answered: Map<number, number>;
}

/** A client that adds one to a znode, over and over, and counts what it is told. */
async function count(run: Run, name: string, calls: number): Promise<void> {
  const { clock, zooKeeper, trace } = run;
  let session: CoordinatorSession | undefined;
  const coordinator = zooKeeper.coordinator('/c');
  coordinator.start({
    session: (opened) => {
      session = opened;
      trace.push(`${clock.now()} ${name} session ${opened.id}`);
      opened.on('state', (state) => trace.push(`${clock.now()} ${name} ${state}`));
      opened.on('proven', (proven) => trace.push(`${clock.now()} ${name} proven ${proven}`));
    },
    unreachable: () => trace.push(`${clock.now()} ${name} unreachable`),
  });
  const timed = async <T>(call: Promise<Outcome<T>>): Promise<Outcome<T>> => {
    const startedMs = clock.now();
    const outcome = await call;
    expect(clock.now() - startedMs).toBeLessThanOrEqual(CALL_MS);
    const what = outcome.status === 'failed' ? outcome.code : outcome.status;
    trace.push(`${clock.now()} ${name} ${what}`);
    return outcome;
  };
  let newest = { id: '', version: 0 };
  for (let done = 0; done < calls; done++) {
    await new Promise<void>((resolve) => clock.after(1 + Math.floor(run.random() * 200), resolve));
    if (session === undefined) continue;
    const { id } = session;
    const read = await timed(session.read('/n', { onMaybeChanged: () => undefined }));
    if (read.status !== 'ok' || read.value === undefined) continue;
    const { version } = read.value.stat;
    // One session never sees time go back.
    if (newest.id === id) expect(version).toBeGreaterThanOrEqual(newest.version);
    newest = { id, version };
    const set = await timed(session.set('/n', bytes(`${version + 1}`), version));
    if (set.status === 'ok') run.answered.set(version, (run.answered.get(version) ?? 0) + 1);
  }
  await coordinator.close();
}

/** Creates what is counted in, however often that takes. */
async function make(clock: FakeClock, session: CoordinatorSession): Promise<void> {
  for (;;) {
    const made = await session.create('/n', bytes('0'), 'persistent');
    if (made.status === 'ok' || (made.status === 'failed' && made.code === 'node-exists')) return;
    await new Promise<void>((resolve) => clock.after(100, resolve));
  }
}

async function simulate(seed: number): Promise<Run> {
  const clock = new FakeClock();
  const random = randomOfSeed(seed);
  const zooKeeper = new SimZooKeeper({
    ...{ clock, random, faults: CHANCES },
    lagMs: { min: 0, max: 100 },
  });
  const run: Run = { clock, zooKeeper, random, trace: [], answered: new Map() };
  const setUp = zooKeeper.coordinator('/c');
  const made = new Promise<void>((resolve) => {
    setUp.start({
      session: (session) => void make(clock, session).then(resolve),
      unreachable: () => undefined,
    });
  });
  await drive(clock, made);
  const outages = clock.after(5_000, () => {
    zooKeeper.stop();
    clock.after(3_000, () => zooKeeper.start());
  });
  await drive(clock, Promise.all([count(run, 'a', 40), count(run, 'b', 40), setUp.close()]));
  outages();
  zooKeeper.stop();
  zooKeeper.tree.assertInvariants();
  return run;
}

it('every call ends by its deadline, and no compare-and-set is answered twice', async () => {
  let unknowns = 0;
  for (let seed = 1; seed <= 6; seed++) {
    const run = await simulate(seed);
    expect([...run.answered.values()].every((times) => times === 1)).toBe(true);
    expect(run.answered.size).toBeGreaterThan(5);
    const final = run.zooKeeper.tree.stat('/c/n')!.version;
    expect(final).toBeGreaterThanOrEqual(run.answered.size);
    unknowns += run.trace.filter((line) => line.endsWith('unknown')).length;
    expect(run.trace.some((line) => line.includes('suspended'))).toBe(true);
  }
  expect(unknowns).toBeGreaterThan(10);
});

it('the same seed is the same run, another seed is another', async () => {
  const [first, again, other] = [await simulate(11), await simulate(11), await simulate(12)];
  expect(again.trace).toEqual(first.trace);
  expect(again.zooKeeper.snapshot()).toEqual(first.zooKeeper.snapshot());
  expect(other.trace).not.toEqual(first.trace);
});
