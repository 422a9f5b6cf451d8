/** What the simulated ensemble and its network do to calls and sessions, one rule at a time. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { CoordinatorSession, Outcome } from '../../src/ports/coordinator.js';
import { drive, pass } from '../simulation/drive.js';
import type { SimCoordinator, SimSession } from '../simulation/sim-zookeeper-coordinator.js';
import type { SimZooKeeperOptions } from '../simulation/sim-zookeeper-options.js';
import { SimZooKeeper } from '../simulation/sim-zookeeper.js';
import { bytes, expectFailed, Hint, nothing, ok } from '../support/coordinator-checks.js';
import { FakeClock } from '../support/fake-clock.js';
import { randomOfSeed } from '../support/random-of-seed.js';

const TIMEOUT_MS = 4_000;
const TICK_MS = 500;

let clock: FakeClock;
let zooKeeper: SimZooKeeper;
let a: SimSession;
let b: SimSession;
let owner: SimCoordinator;

interface Told {
  readonly coordinator: SimCoordinator;
  readonly states: string[];
  /** Every session so far. */
  readonly sessions: CoordinatorSession[];
}

function client(root = '/c', ofItsOwn?: FakeClock): Told {
  const coordinator = zooKeeper.coordinator(root, {
    sessionTimeoutMs: TIMEOUT_MS,
    ...(ofItsOwn === undefined ? {} : { clock: ofItsOwn }),
  });
  const told: Told = { coordinator, states: [], sessions: [] };
  coordinator.start({
    session: (session) => {
      told.sessions.push(session);
      session.on('state', (state) => told.states.push(state));
      session.on('proven', (isProven) => told.states.push(isProven ? 'proven' : 'unproven'));
    },
    unreachable: () => told.states.push('unreachable'),
  });
  return told;
}

let told: Told;

async function start(options: Partial<SimZooKeeperOptions> = {}, seed = 1): Promise<void> {
  clock = new FakeClock();
  const latencyMs = { min: 1, max: 5 };
  const redialMs = { min: 10, max: 50 };
  zooKeeper = new SimZooKeeper({
    ...{ clock, latencyMs, redialMs, tickMs: TICK_MS },
    random: randomOfSeed(seed),
    ...options,
  });
  told = client();
  const other = client();
  const areOpen = () => told.sessions.length * other.sessions.length > 0;
  while (!areOpen()) await pass(clock, 100);
  owner = told.coordinator;
  a = owner.session!;
  b = other.coordinator.session!;
  ok(await run(a.create('/x', bytes('0'), 'persistent')));
  ok(await run(b.barrier()));
}

const run = async <T>(call: Promise<Outcome<T>>) => drive(clock, call);
const dataOf = (path: string) => zooKeeper.tree.data(`/c${path}`)?.toString();
const isOpen = (session: SimSession) => zooKeeper.tree.sessions.has(session.id);

beforeEach(() => start());

describe('a call that meets a fault', () => {
  it('before it arrives is unknown and was not done', async () => {
    let happened = false;
    a.fault('set', 'before', () => (happened = true));
    const set = await run(a.set('/x', bytes('1'), 0));
    expect(set.status).toBe('unknown');
    expect(dataOf('/x')).toBe('0');
    expect(happened).toBe(true);
    expect(a.state).toBe('suspended');
  });

  it('behind its commit is unknown and was done', async () => {
    let seen: string | undefined;
    a.fault('set', 'after', () => (seen = dataOf('/x')));
    const set = await run(a.set('/x', bytes('1'), 0));
    expect(set.status).toBe('unknown');
    expect([dataOf('/x'), seen]).toEqual(['1', '1']);
    expect(a.state).toBe('suspended');
  });

  it('before it is sent fails as not connected, and was not done', async () => {
    a.fault('set', 'not-connected');
    expectFailed(await run(a.set('/x', bytes('1'), 0)), 'not-connected');
    await pass(clock, 1_000);
    expect(dataOf('/x')).toBe('0');
    expect(a.state).toBe('connected');
  });

  it('of a stall may be done long after its outcome was unknown', async () => {
    await start({ stallMs: { min: 2_000, max: 2_000 } });
    a.fault('set', 'stall-before');
    const started = clock.now();
    // The port gives a deadline to reads only: the session's own timeout is that of a write.
    const [read, set] = [a.read('/x', { timeoutMs: 500 }), a.set('/x', bytes('1'), 0)];
    ok(await run(read));
    const late = a.read('/x', { timeoutMs: 500 });
    expect(await run(late)).toEqual({ status: 'unknown', reason: 'no answer in time' });
    expect(clock.now() - started).toBeLessThan(600);
    expect(dataOf('/x')).toBe('0');
    ok(await run(set));
    expect(dataOf('/x')).toBe('1');
    expect(told.states).toEqual([]);
  });

  it('is told to the first session that makes it, if it was arranged for any', async () => {
    zooKeeper.faults.arrange('barrier', 'before');
    expect((await run(b.barrier())).status).toBe('unknown');
    ok(await run(a.barrier()));
  });

  it('takes all other calls under way on the connection with it', async () => {
    a.fault('set', 'before');
    const calls = [a.read('/x'), a.set('/x', bytes('1'), 0), a.read('/x')];
    const outcomes = await drive(clock, Promise.all(calls));
    expect(outcomes.slice(1).map(({ status }) => status)).toEqual(['unknown', 'unknown']);
  });
});

describe('a session', () => {
  it('survives a broken connection, with its ephemeral znodes', async () => {
    ok(await run(a.create('/e', nothing, 'ephemeral')));
    zooKeeper.breakConnections(a.id);
    await pass(clock, 1_000);
    expect(told.states).toEqual(['suspended', 'connected']);
    expect(dataOf('/e')).toBe('');
    expect(told.sessions).toHaveLength(1);
    expect(b.state).toBe('connected');
  });

  it('that nobody hears of expires by the clock of the ensemble; its client learns it later', async () => {
    ok(await run(a.create('/e', nothing, 'ephemeral')));
    owner.setReachable(false);
    await pass(clock, TIMEOUT_MS - TICK_MS);
    expect(isOpen(a)).toBe(true);
    await pass(clock, 2 * TICK_MS + TIMEOUT_MS / 4);
    expect(isOpen(a)).toBe(false);
    expect(dataOf('/e')).toBeUndefined();
    expect(a.state).toBe('suspended');
    owner.setReachable(true);
    await pass(clock, 4_000);
    expect(a.state).toBe('lost');
    expect(told.states.slice(0, 2)).toEqual(['unproven', 'suspended']);
    expect(told.sessions).toHaveLength(2);
  });

  it('is not proven 2/3 of its timeout after the last request that was answered was sent', async () => {
    await pass(clock, 1_000);
    owner.setReachable(false);
    const latestMs = clock.now();
    let unprovenMs = 0;
    a.on('proven', () => (unprovenMs = clock.now()));
    await pass(clock, (TIMEOUT_MS * 2) / 3 + 5);
    expect(a.isProven()).toBe(false);
    expect(unprovenMs - latestMs).toBeLessThanOrEqual((TIMEOUT_MS * 2) / 3 + 1);
    expect(unprovenMs - latestMs).toBeGreaterThan(TIMEOUT_MS / 3);
    expect(isOpen(a)).toBe(true);
  });

  it('is proven again when an answer comes after all', async () => {
    await start({ stallMs: { min: 2_660, max: 2_660 } });
    zooKeeper.breakConnections(a.id);
    await pass(clock, 200);
    told.states.length = 0;
    zooKeeper.stop();
    await pass(clock, 3_000);
    zooKeeper.start();
    await pass(clock, 1_000);
    expect(told.states).toEqual(['suspended', 'unproven', 'proven', 'connected']);
    expect(a.isProven()).toBe(true);
  });

  it('that was ended by force is lost as soon as its client is back', async () => {
    const hint = new Hint();
    ok(await run(a.read('/x', { onMaybeChanged: hint.call })));
    zooKeeper.expire(a.id);
    expect(a.state).toBe('connected');
    await pass(clock, 1_000);
    expect(told.states).toEqual(['suspended', 'lost']);
    expect(hint.count).toBe(1);
    expectFailed(await run(a.read('/x')), 'session-lost');
    expect(owner.session).not.toBe(a);
  });

  it('whose greeting is lost stays behind without a client and expires', async () => {
    const before = zooKeeper.tree.sessions.size;
    zooKeeper.faults.arrange('connect', 'after');
    const third = client();
    await pass(clock, 1_000);
    expect(third.sessions).toHaveLength(1);
    expect(zooKeeper.tree.sessions.size).toBe(before + 2);
    await pass(clock, TIMEOUT_MS + TICK_MS);
    expect(zooKeeper.tree.sessions.size).toBe(before + 1);
  });

  it('is not disturbed by what an earlier connection still carries', async () => {
    await start({ stallMs: { min: 3_500, max: 3_500 } });
    a.fault('set', 'stall-before');
    const set = a.set('/x', bytes('late'), 0);
    expect((await run(set)).status).toBe('unknown');
    await pass(clock, 500);
    expect(a.state).toBe('connected');
    ok(await run(a.barrier()));
    await pass(clock, 5_000);
    expect(dataOf('/x')).toBe('0');
    expect(a.state).toBe('connected');
  });

  it('is not disturbed by what is still under way to servers of before an outage', async () => {
    await start({ stallMs: { min: 3_500, max: 3_500 } });
    a.fault('set', 'stall-before');
    const set = run(a.set('/x', bytes('late'), 0));
    expect((await set).status).toBe('unknown');
    expect(a.state).toBe('suspended');
    zooKeeper.stop();
    zooKeeper.start();
    await pass(clock, 5_000);
    expect(a.state).toBe('connected');
    expect(dataOf('/x')).toBe('0');
  });

  it('is opened at no server of before an outage, however late the client knocks', async () => {
    await start({ latencyMs: { min: 100, max: 100 } });
    zooKeeper.stop();
    const third = client();
    await pass(clock, 50);
    zooKeeper.start();
    const before = zooKeeper.tree.sessions.size;
    await pass(clock, 3_000);
    expect(third.sessions).toHaveLength(1);
    expect(zooKeeper.tree.sessions.size).toBe(before + 1);
  });
});

describe('servers that lag', () => {
  beforeEach(() => start({ lagMs: { min: 300, max: 400 } }));

  it('show their clients an older state, until a barrier (Z6)', async () => {
    let isLate = false;
    for (let version = 0; version < 12; version++) {
      ok(await run(a.set('/x', bytes(`${version}`), version)));
      const stale = ok(await run(b.read('/x')));
      isLate ||= stale?.stat.version !== version + 1;
      ok(await run(b.barrier()));
      expect(ok(await run(b.read('/x')))?.stat.version).toBe(version + 1);
    }
    expect(isLate).toBe(true);
  });

  it('show a client its own writes at once', async () => {
    const calls = [];
    for (let version = 0; version < 10; version++) {
      calls.push(a.set('/x', bytes(`${version}`), version), a.read('/x'));
    }
    const outcomes = await drive(clock, Promise.all(calls));
    const versions = outcomes.map((outcome) => {
      const value = ok<unknown>(outcome) as Record<string, unknown>;
      return 'stat' in value ? (value['stat'] as { version: number }).version : value['version'];
    });
    expect(versions).toEqual(Array.from({ length: 20 }, (_, n) => Math.floor(n / 2) + 1));
  });

  it('never take a client back to an older state, whichever it comes to', async () => {
    await start({ lagMs: { min: 0, max: 1_500 } });
    for (let version = 0; version < 8; version++) {
      ok(await run(a.set('/x', bytes(`${version}`), version)));
      zooKeeper.breakConnections(a.id);
      await pass(clock, 10);
      for (let waits = 0; a.state !== 'connected'; waits++) {
        expect(waits).toBeLessThan(100);
        await pass(clock, 50);
      }
      expect(ok(await run(a.read('/x')))!.stat.version).toBe(version + 1);
    }
  });

  it('hint at a change before they answer whoever made it (Z7)', async () => {
    for (let version = 0; version < 10; version++) {
      const heard: string[] = [];
      ok(await run(a.read('/x', { onMaybeChanged: () => heard.push('hint') })));
      const set = a.set('/x', nothing, version).then((outcome) => {
        heard.push('answer');
        return outcome;
      });
      ok(await run(set));
      expect(heard).toEqual(['hint', 'answer']);
    }
  });

  it('hint before they show what was hinted at (Z7)', async () => {
    for (let version = 0; version < 10; version++) {
      const hint = new Hint();
      const before = ok(await run(b.read('/x', { onMaybeChanged: hint.call })))!.stat.version;
      ok(await run(a.set('/x', nothing, version)));
      await pass(clock, version * 50);
      const seen = ok(await run(b.read('/x')))!.stat.version;
      if (seen > before) expect(hint.count).toBe(1);
      ok(await run(b.barrier()));
    }
  });
});

describe('watches over a reconnect', () => {
  it('are set again, and hint what changed meanwhile', async () => {
    ok(await run(a.create('/p', nothing, 'persistent')));
    const hints = Array.from({ length: 4 }, () => new Hint());
    ok(await run(a.read('/x', { onMaybeChanged: hints[0]!.call })));
    ok(await run(a.children('/p', { onMaybeChanged: hints[1]!.call })));
    ok(await run(a.read('/new', { onMaybeChanged: hints[2]!.call })));
    ok(await run(a.read('/p', { onMaybeChanged: hints[3]!.call })));
    ok(await run(b.barrier()));
    owner.setReachable(false);
    ok(await run(b.set('/x', nothing, 0)));
    ok(await run(b.create('/p/c', nothing, 'persistent')));
    ok(await run(b.create('/new', nothing, 'persistent')));
    zooKeeper.breakConnections(a.id);
    owner.setReachable(true);
    await pass(clock, 3_000);
    expect(a.state).toBe('connected');
    expect(hints.map(({ count }) => count)).toEqual([1, 1, 1, 0]);
    ok(await run(b.set('/p', nothing, 0)));
    await pass(clock, 100);
    expect(hints[3]!.count).toBe(1);
  });
});

describe('an outage of the whole ensemble', () => {
  it('ends no session: all have their full timeout again when it is over', async () => {
    ok(await run(a.create('/e', nothing, 'ephemeral')));
    zooKeeper.stop();
    await pass(clock, 3 * TIMEOUT_MS);
    expect(a.state).toBe('suspended');
    expect(a.isProven()).toBe(false);
    expectFailed(await run(a.set('/x', nothing, 0)), 'not-connected');
    zooKeeper.start();
    await pass(clock, 2_000);
    expect(a.state).toBe('connected');
    expect(dataOf('/e')).toBe('');
    ok(await run(a.set('/x', nothing, 0)));
  });

  it('with the loss of all data loses every session, and zxids are given again (Z12)', async () => {
    const before = zooKeeper.tree.lastZxid;
    zooKeeper.stop();
    zooKeeper.wipe();
    zooKeeper.start();
    await pass(clock, 4 * TIMEOUT_MS);
    expect([a.state, b.state]).toEqual(['lost', 'lost']);
    expect(told.sessions).toHaveLength(2);
    expect(zooKeeper.tree.lastZxid).toBeLessThan(before + 20);
    expect(ok(await run(owner.session!.read('/x')))).toBeUndefined();
    expect(owner.session!.id).not.toBe(a.id);
  });

  it('behind which an older backup is restored goes on from there (Z12)', async () => {
    const backup = zooKeeper.snapshot();
    ok(await run(a.set('/x', bytes('forgotten'), 0)));
    ok(await run(a.create('/y', nothing, 'ephemeral')));
    zooKeeper.stop();
    zooKeeper.restore(backup);
    await pass(clock, 2_000);
    zooKeeper.start();
    await pass(clock, 4 * TIMEOUT_MS);
    const session = owner.session!;
    ok(await run(session.barrier()));
    expect(ok(await run(session.read('/x')))?.data).toEqual(bytes('0'));
    expect(ok(await run(session.read('/y')))).toBeUndefined();
  });

  it('is told of by clients that cannot open a session', async () => {
    zooKeeper.stop();
    const third = client();
    await pass(clock, 10_000);
    expect(third.states).toEqual(['unreachable', 'unreachable']);
    zooKeeper.start();
    await pass(clock, 1_000);
    expect(third.sessions).toHaveLength(1);
  });
});

describe('the loss of one server', () => {
  const isConnected = (session: SimSession) => session.state === 'connected';

  /** So long that every client has found another server, and no session may be over. */
  const MOVED_MS = 2_000;

  it('ends no session: its clients find another one; no second one is lost', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      await start({ redialMs: { min: 10, max: 200 } }, seed);
      ok(await run(a.create('/e', nothing, 'ephemeral')));
      const bringBack = zooKeeper.loseServer('refusing')!;
      expect(zooKeeper.loseServer('refusing')).toBeUndefined();
      await pass(clock, MOVED_MS);
      expect([a, b].every(isConnected)).toBe(true);
      bringBack();
      bringBack();
      expect(dataOf('/e')).toBe('');
      expect(zooKeeper.loseServer('refusing')).toBeDefined();
    }
  });

  it('of which nobody says anything is noticed by its silence, before a session is over', async () => {
    const states = new Set<string>();
    for (let seed = 1; seed <= 10; seed++) {
      await start({ electionMs: { min: 0, max: 0 }, redialMs: { min: 2_000, max: 2_000 } }, seed);
      zooKeeper.loseServer('silent');
      const noticedMs = (2 / 3) * TIMEOUT_MS + TIMEOUT_MS / 12;
      await pass(clock, noticedMs);
      expect([isOpen(a), isOpen(b)]).toEqual([true, true]);
      for (const session of [a, b]) {
        states.add(session.state);
        expect(isConnected(session), 'not proven any more').toBe(session.isProven());
      }
    }
    expect(states).toEqual(new Set(['connected', 'suspended']));
  });

  it('stops everything until another one leads, if it led; and nothing if it did not', async () => {
    const served = new Map([0, 1].map((elections) => [elections, new Set<string>()]));
    for (let seed = 1; seed <= 12; seed++) {
      await start({ electionMs: { min: 1_000, max: 1_000 } }, seed);
      zooKeeper.loseServer('refusing');
      const isRunning = zooKeeper.isRunning;
      await pass(clock, 500);
      const heard = [a, b].filter(isConnected).length;
      await pass(clock, MOVED_MS);
      expect([a, b].every(isConnected)).toBe(true);
      ok(await run(a.set('/x', bytes('1'), 0)));
      served.get(zooKeeper.elections)!.add(`${isRunning} ${isRunning || heard === 0}`);
    }
    expect(served).toEqual(
      new Map([
        [0, new Set(['true true'])],
        [1, new Set(['false true'])],
      ]),
    );
  });

  it('never takes a client back to an older state, though the others know less', async () => {
    await start({ lagMs: { min: 0, max: 1_500 }, redialMs: { min: 10, max: 100 } });
    let version = 0;
    for (let times = 0; times < 30; times++) {
      const set = await run(a.set('/x', bytes(`${version}`), version));
      if (set.status === 'ok') version++;
      const bringBack = zooKeeper.loseServer('refusing')!;
      await pass(clock, 100);
      const read = await run(a.read('/x'));
      if (read.status === 'ok') expect(read.value!.stat.version).toBeGreaterThanOrEqual(version);
      version = Math.max(version, zooKeeper.tree.stat('/c/x')!.version);
      bringBack();
      for (let waits = 0; !isConnected(a); waits++) {
        expect(waits).toBeLessThan(100);
        await pass(clock, 50);
      }
    }
    expect(version).toBeGreaterThan(10);
    expect(zooKeeper.refusals).toBeGreaterThan(0);
  });

  it('that leads, in an outage of all, lets the outage end as it would', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      await start({}, seed);
      zooKeeper.stop();
      const bringBack = zooKeeper.loseServer('refusing')!;
      await pass(clock, 5_000);
      expect(zooKeeper.isRunning).toBe(false);
      zooKeeper.start();
      bringBack();
      await pass(clock, MOVED_MS);
      expect([a, b].every(isConnected)).toBe(true);
    }
  });
});

describe('clocks', () => {
  it('a client that is paused keeps its session only as long as the ensemble does', async () => {
    const own = new FakeClock();
    const paused = client('/c', own);
    for (let ms = 0; ms < 2_000; ms++) {
      own.advance(1);
      await pass(clock, 1);
    }
    const session = paused.coordinator.session!;
    await pass(clock, TIMEOUT_MS + 2 * TICK_MS);
    expect(isOpen(session)).toBe(false);
    // By its own clock no time has passed, and nothing was heard.
    expect(session.state).toBe('connected');
    expect(session.isProven()).toBe(true);
    for (let ms = 0; ms < 1_000; ms++) {
      own.advance(1);
      await pass(clock, 1);
    }
    expect(session.state).toBe('lost');
  });
});

describe('closing', () => {
  it('ends the session at the ensemble; twice is as good as once', async () => {
    const startedMs = clock.now();
    await drive(clock, Promise.all([owner.close(), owner.close(), a.close()]));
    expect(clock.now() - startedMs).toBeLessThan(50);
    expect(isOpen(a)).toBe(false);
  });

  it('is bounded in time when nobody answers, and leaves no timer behind', async () => {
    owner.setReachable(false);
    const startedMs = clock.now();
    await drive(clock, owner.close());
    expect(clock.now() - startedMs).toBeLessThanOrEqual(1_000);
    await drive(clock, b.close());
    zooKeeper.stop();
    await pass(clock, 20_000);
    // The coordinator of `b` was not closed: it goes on telling that nobody answers.
    expect(told.states.filter((state) => state !== 'lost')).toEqual([]);
  });
});
