/**
 * The ZooKeeper client on a network that breaks: nothing throws, hangs or comes late, and the
 * session is kept, lost or doubted exactly when it should be (testing.md section 8, row 13).
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CoordinatorSession, Outcome } from '../../src/ports/coordinator.js';
import { systemClock } from '../../src/system/clock.js';
import { systemRandom } from '../../src/system/random.js';
import { ZooKeeperCoordinator } from '../../src/zookeeper/coordinator.js';
import { bytes, expectFailed, Hint, nothing, ok } from '../support/coordinator-checks.js';
import { silentLog } from '../support/silent-log.js';
import { type Direction, TcpFaultProxy } from '../support/tcp-fault-proxy.js';
import { startTestZooKeeper, type TestZooKeeper } from '../support/zookeeper-server.js';

const TIMEOUT_MS = 2_000;
/** What a promise may take beyond its deadline, on a busy machine. */
const GRACE_MS = 200;
const SILENCE_MS = (TIMEOUT_MS * 2) / 3;

const thrown: unknown[] = [];
const note = (error: unknown): void => void thrown.push(error);

/** One client, what it was told, and how to wait for it. */
class Subject {
  readonly sessions: CoordinatorSession[] = [];
  readonly states: string[] = [];
  readonly unreachable: { readonly problem: string; readonly ms: number }[] = [];
  readonly coordinator: ZooKeeperCoordinator;
  readonly #wakes = new Set<() => void>();

  constructor(connect: string, sessionTimeoutMs = TIMEOUT_MS, root = '/link') {
    const deps = { clock: systemClock, random: systemRandom, log: silentLog };
    this.coordinator = new ZooKeeperCoordinator({ connect, root, sessionTimeoutMs, ...deps });
    const startMs = performance.now();
    this.coordinator.start({
      session: (session) => {
        this.sessions.push(session);
        session.on('state', (state) => {
          this.states.push(`${this.sessions.indexOf(session)}:${state}`);
          this.#wake();
        });
        this.#wake();
      },
      unreachable: (problem) => {
        this.unreachable.push({ problem, ms: performance.now() - startMs });
        this.#wake();
      },
    });
  }

  get session(): CoordinatorSession {
    return this.sessions.at(-1)!;
  }

  count(name: string): number {
    return this.coordinator.counters.get(name) ?? 0;
  }

  async until(isTrue: (subject: this) => boolean): Promise<this> {
    while (!isTrue(this)) await new Promise<void>((resolve) => this.#wakes.add(resolve));
    return this;
  }

  connected(): Promise<this> {
    return this.until(() => this.sessions.length > 0 && this.session.state === 'connected');
  }

  #wake(): void {
    for (const wake of this.#wakes) wake();
    this.#wakes.clear();
  }
}

/** The outcome, which must come by the deadline. */
async function inTime<T>(call: Promise<Outcome<T>>, deadlineMs: number): Promise<Outcome<T>> {
  const startMs = performance.now();
  const outcome = await call;
  expect(performance.now() - startMs).toBeLessThan(deadlineMs + GRACE_MS);
  return outcome;
}

function unprovenIn(session: CoordinatorSession): Promise<number> {
  const startMs = performance.now();
  return new Promise((resolve) => {
    const forget = session.on('proven', (isProven) => {
      if (isProven) return;
      forget();
      expect(session.isProven()).toBe(false);
      resolve(performance.now() - startMs);
    });
  });
}

describe('the link to ZooKeeper', () => {
  let zooKeeper: TestZooKeeper;
  let witness: CoordinatorSession;
  const proxies: TcpFaultProxy[] = [];
  const subjects: Subject[] = [];

  function subject(connect: string, timeoutMs?: number): Subject {
    const made = new Subject(connect, timeoutMs);
    subjects.push(made);
    return made;
  }

  async function proxied(timeoutMs?: number): Promise<[Subject, TcpFaultProxy]> {
    const proxy = await TcpFaultProxy.start(zooKeeper.port);
    proxies.push(proxy);
    const made = subject(proxy.address, timeoutMs);
    await made.connected();
    return [made, proxy];
  }

  beforeAll(async () => {
    process.on('uncaughtException', note);
    process.on('unhandledRejection', note);
    zooKeeper = await startTestZooKeeper();
    const direct = new Subject(zooKeeper.connect, 10_000);
    witness = (await direct.connected()).session;
  });
  afterEach(async () => {
    await Promise.all(subjects.splice(0).map(({ coordinator }) => coordinator.close()));
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
    expect(thrown.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await witness.close();
    await zooKeeper.stop();
    process.off('uncaughtException', note);
    process.off('unhandledRejection', note);
  });

  it('a cut at any byte of the handshake and of answers, in either direction: calls end, truly (N9)', async () => {
    const cuts = (['toServer', 'toClient'] as const).flatMap((direction) => {
      return Array.from({ length: 420 }, (_, at) => ({ direction, at }));
    });
    let reconnects = 0;
    const one = async ({ direction, at }: (typeof cuts)[number]): Promise<void> => {
      const proxy = await TcpFaultProxy.start(zooKeeper.port);
      proxy.cutNextAfter({ [direction]: at });
      const { coordinator, session } = await new Subject(proxy.address).connected();
      const name = `/cut-${direction}-${at}`;
      const hint = new Hint();
      const [created, twice, multi, read, children] = await Promise.all([
        inTime(session.create(name, bytes(name), 'ephemeral'), TIMEOUT_MS),
        inTime(session.create(`${name}-2`, bytes(name), 'ephemeral'), TIMEOUT_MS),
        inTime(
          session.multi([{ type: 'set', path: name, data: bytes('m'), version: 0 }]),
          TIMEOUT_MS,
        ),
        inTime(session.read(name, { onMaybeChanged: hint.call }), TIMEOUT_MS),
        inTime(session.children(name), TIMEOUT_MS),
      ]);
      let barrier = await session.barrier();
      while (barrier.status !== 'ok') barrier = await backAndBarrier(session);
      reconnects += proxy.accepted - 1;

      const first = ok(await session.read(name));
      const second = ok(await session.read(`${name}-2`));
      for (const [outcome, znode] of [
        [created, first],
        [twice, second],
      ] as const) {
        if (outcome.status === 'ok') expect(znode?.stat.owner).toBe(session.id);
        if (outcome.status === 'failed') expect(znode).toBeUndefined();
      }
      if (multi.status === 'ok') expect(first?.data).toEqual(bytes('m'));
      if (multi.status === 'failed') expect(first?.data).not.toEqual(bytes('m'));
      if (read.status === 'ok') expect(['m', name]).toContain(read.value?.data.toString());
      if (children.status === 'ok') expect(children.value).toEqual([]);
      // The watch survives the new connection.
      if (read.status === 'ok' && hint.count === 0) {
        ok(await session.remove(name, first!.stat.version));
        await hint.reaches(1);
      }
      await coordinator.close();
      await proxy.close();
    };
    const backAndBarrier = async (session: CoordinatorSession): Promise<Outcome<void>> => {
      if (session.state !== 'connected') {
        await new Promise<void>((resolve) => {
          const forget = session.on('state', () => {
            forget();
            resolve();
          });
        });
      } else await new Promise((resolve) => setImmediate(resolve));
      return session.barrier();
    };
    const workers = Array.from({ length: 40 }, async () => {
      for (let cut = cuts.pop(); cut !== undefined; cut = cuts.pop()) await one(cut);
    });
    await Promise.all(workers);
    expect(reconnects).toBeGreaterThan(700);
  });

  it.each<Direction[]>([['toServer'], ['toClient'], ['toServer', 'toClient']])(
    'a link that swallows what goes %s is noticed within 2/3 of the timeout and 0.5 s (N2, Z4)',
    async (...directions) => {
      const [{ session, coordinator }, proxy] = await proxied();
      ok(await session.barrier());
      expect(session.isProven()).toBe(true);
      const noticed = unprovenIn(session);
      const suspended = new Promise<number>((resolve) => {
        const startMs = performance.now();
        session.on('state', () => resolve(performance.now() - startMs));
      });
      proxy.blackHole(...directions);
      expect(await noticed).toBeLessThan(SILENCE_MS + 500);
      expect(await suspended).toBeLessThan(SILENCE_MS + 500);
      expect(coordinator.counters.get('silentConnections')).toBe(1);
    },
  );

  it('answers that come late, but come, take the proof and give it back; nothing breaks (Z4)', async () => {
    const [one, proxy] = await proxied();
    const { session } = one;
    const changes: boolean[] = [];
    const changed = new Hint();
    session.on('proven', (isProven) => {
      expect(session.isProven()).toBe(isProven);
      changes.push(isProven);
      changed.call();
    });
    const hasChanged = (): boolean => changes.length > 0;
    // Each answer proves only the moment when its request was sent. There are always some on their
    // way, and more delay comes bit by bit: there is no silence, only age.
    const traffic = setInterval(() => void session.read('/'), 50);
    for (let delayMs = 500; !hasChanged(); delayMs += 200) {
      proxy.delayMs = Math.min(delayMs, SILENCE_MS + 200);
      const answers = one.count('answers');
      while (one.count('answers') < answers + 10 && !hasChanged()) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    await changed.reaches(1);
    clearInterval(traffic);
    proxy.delayMs = 0;
    // The next answer may have been just young enough already.
    await changed.reaches(2);
    while (!session.isProven()) await changed.reaches(changes.length + 1);
    expect(changes.slice(0, 2)).toEqual([false, true]);
    expect(changes.at(-1)).toBe(true);
    expect(one.states).toEqual([]);
  });

  it('calls into a link that swallows them end as unknown by their deadline', async () => {
    const [{ session }, proxy] = await proxied();
    proxy.blackHole('toClient');
    const outcomes = await Promise.all([
      inTime(session.create('/swallowed', nothing, 'ephemeral'), TIMEOUT_MS),
      inTime(session.read('/swallowed', { timeoutMs: 300 }), 300),
      inTime(session.children('/', { timeoutMs: 50 }), 50),
      inTime(session.barrier(), TIMEOUT_MS),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(Array(4).fill('unknown'));
  });

  it('a stopped server (SIGSTOP): doubted in time, calls end; afterwards all is well', async () => {
    const one = subject(zooKeeper.connect);
    const { session } = await one.connected();
    const noticed = unprovenIn(session);
    zooKeeper.pause();
    try {
      await inTime(session.set('/none', nothing, 0), TIMEOUT_MS);
      expect(await noticed).toBeLessThan(SILENCE_MS + 500);
    } finally {
      zooKeeper.resume();
    }
    await one.until(() => one.session.state === 'connected');
    ok(await one.session.barrier());
  });

  it('a reset connection: the session goes on, and hints that were due in between come', async () => {
    const [one, proxy] = await proxied();
    const { session } = one;
    ok(await witness.create('/w', nothing, 'ephemeral'));
    ok(await session.barrier());
    const [changed, born] = [new Hint(), new Hint()];
    ok(await session.read('/w', { onMaybeChanged: changed.call }));
    ok(await session.read('/unborn', { onMaybeChanged: born.call }));
    await proxy.refuse();
    await one.until(() => session.state === 'suspended');
    expect(session.isProven()).toBe(false);
    ok(await witness.set('/w', bytes('1'), 0));
    ok(await witness.create('/unborn', nothing, 'ephemeral'));
    // At once: what waited for a connection could be sent on the next one.
    const late = session.create('/late', nothing, 'persistent');
    const afterwards = new Promise<undefined>((resolve) => setImmediate(resolve, undefined));
    expectFailed((await Promise.race([late, afterwards]))!, 'not-connected');
    await proxy.accept();
    await one.until(() => session.state === 'connected');
    await Promise.all([changed.reaches(1), born.reaches(1)]);
    ok(await session.barrier());
    expect(ok(await session.read('/late'))).toBeUndefined();
    expect(one.states).toEqual(['0:suspended', '0:connected']);
    ok(await witness.remove('/w', 1));
    ok(await witness.remove('/unborn', 0));
  });

  it('what fails as not connected never happens later, not even out of a full queue (N6)', async () => {
    const [one, proxy] = await proxied();
    const { session } = one;
    proxy.stall('toServer');
    const large = Buffer.alloc(500_000);
    const names = Array.from({ length: 40 }, (_, n) => `/late-${n}`);
    const create = (name: string) => {
      return inTime(session.create(name, large, 'ephemeral'), TIMEOUT_MS);
    };
    const outcomes = await Promise.all(names.slice(0, 30).map(create));
    expect(session.state).toBe('suspended');
    outcomes.push(...(await Promise.all(names.slice(30).map(create))));
    const unsent = names.filter((_, n) => {
      const outcome = outcomes[n]!;
      return outcome.status === 'failed' && outcome.code === 'not-connected';
    });
    expect(unsent.length).toBeGreaterThanOrEqual(10);
    proxy.heal();
    await one.connected();
    ok(await one.session.barrier());
    ok(await witness.barrier());
    const there = ok(await witness.children('/'))!;
    expect(unsent.filter((name) => there.includes(name.slice(1)))).toEqual([]);
  });

  it('a session that the server let expire is lost once; a new one follows (N8)', async () => {
    const [one, proxy] = await proxied();
    const old = one.session;
    const hints = [new Hint(), new Hint()];
    ok(await old.create('/mine', nothing, 'ephemeral'));
    ok(await old.read('/mine', { onMaybeChanged: hints[0]!.call }));
    ok(await old.children('/none', { onMaybeChanged: hints[1]!.call }));
    const gone = new Hint();
    ok(await witness.barrier());
    ok(await witness.read('/mine', { onMaybeChanged: gone.call }));
    proxy.blackHole('toServer', 'toClient');
    await gone.reaches(1);
    proxy.heal();
    await one.until(() => one.sessions.length === 2);
    await Promise.all(hints.map((hint) => hint.reaches(1)));
    expect(one.states.filter((state) => state === '0:lost')).toHaveLength(1);
    expect(one.states.filter((state) => state.startsWith('0:')).at(-1)).toBe('0:lost');
    expect(one.session.id).not.toBe(old.id);
    expect(one.coordinator.session).toBe(one.session);
    expect(ok(await one.session.read('/mine'))).toBeUndefined();
    expectFailed(await old.read('/mine'), 'session-lost');
    expect(hints.map(({ count }) => count)).toEqual([1, 1]);
    expect(one.count('sessions')).toBe(2);
    expect(one.count('disconnects')).toBeGreaterThan(0);
    expect(one.count('answers')).toBeGreaterThanOrEqual(2);
  });

  it('a server that is killed and started again keeps the session and its znodes', async () => {
    const one = subject(zooKeeper.connect, 8_000);
    const { session } = await one.connected();
    ok(await session.create('/kept', nothing, 'ephemeral'));
    await zooKeeper.kill();
    await one.until(() => session.state === 'suspended');
    await zooKeeper.restart();
    await one.until(() => session.state === 'connected');
    ok(await session.barrier());
    expect(ok(await session.read('/kept'))?.stat.owner).toBe(session.id);
    expect(one.states).toEqual(['0:suspended', '0:connected']);
  });

  it('a connection that is never greeted does not cost the session, even of a single server (N3)', async () => {
    const [one, proxy] = await proxied(6_000);
    proxy.muteNext();
    proxy.reset();
    await one.until(() => one.session.state === 'suspended');
    await one.until(() => one.session.state !== 'suspended');
    expect(one.count('handshakeTimeouts')).toBe(1);
    expect(one.states).toEqual(['0:suspended', '0:connected']);
    ok(await one.session.barrier());
  });

  it('a refused port and a server that never greets: the operator is told within 5 s (N3)', async () => {
    const [, refused] = await proxied();
    const [, silent] = await proxied();
    await refused.refuse();
    silent.mute();
    const told = await Promise.all(
      [refused, silent].map(({ address }) =>
        subject(address).until((s) => s.unreachable.length > 0),
      ),
    );
    for (const { unreachable } of told) {
      expect(unreachable[0]!.ms).toBeLessThan(5_000);
      expect(unreachable[0]!.problem).toContain('no ZooKeeper answers at 127.0.0.1:');
    }
    const says = (why: string) => (one: Subject) => one.unreachable.at(-1)!.problem.includes(why);
    const [byRefused, bySilent] = told;
    await byRefused!.until(says('(connect ECONNREFUSED 127.0.0.1:'));
    await bySilent!.until(says('(it accepts connections but does not answer)'));
    for (const { coordinator } of told) await coordinator.close();
  });

  it('of two servers one never greets: the other one is used (N3)', async () => {
    const [, silent] = await proxied();
    silent.mute();
    const startMs = performance.now();
    const both = Array.from({ length: 6 }, () => subject(`${silent.address},${zooKeeper.connect}`));
    await Promise.all(both.map((one) => one.connected()));
    expect(performance.now() - startMs).toBeLessThan(TIMEOUT_MS + 1_000 + 1_500);
  });

  it('a client closed while it connects is gone: no handle, no session, no late attempt (N11)', async () => {
    const [, proxy] = await proxied();
    proxy.mute();
    const timers = (): number => {
      return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    };
    const before = timers();
    const acceptedBefore = proxy.accepted;
    const clients = Array.from({ length: 10 }, () => new Subject(proxy.address));
    for (const [n, { coordinator }] of clients.entries()) {
      if (n >= 5) await new Promise((resolve) => setImmediate(resolve));
      await coordinator.close();
    }
    for (let n = 0; n < 3; n++) await new Promise((resolve) => setImmediate(resolve));
    expect(timers()).toBeLessThanOrEqual(before);
    const accepted = proxy.accepted;
    expect(accepted - acceptedBefore).toBeLessThanOrEqual(10);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(proxy.accepted).toBe(accepted);
    expect(clients.flatMap(({ sessions }) => sessions)).toEqual([]);
  });

  it('a closed client leaves no timer behind', async () => {
    await witness.barrier();
    const timers = (): number => {
      return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    };
    const before = timers();
    const one = new Subject(zooKeeper.connect);
    await one.connected();
    await one.coordinator.close();
    expect(timers()).toBeLessThanOrEqual(before);
  });
});
