/**
 * Thousands of watches over broken connections, and callers that never rest: the library's limits,
 * seen from outside (coordination.md section 4: N12, N13, N14, N15).
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CoordinatorSession, MultiOp } from '../../src/ports/coordinator.js';
import { systemClock } from '../../src/system/clock.js';
import { systemRandom } from '../../src/system/random.js';
import { ZooKeeperCoordinator } from '../../src/zookeeper/coordinator.js';
import { expectFailed, Hint, nothing, ok } from '../support/coordinator-checks.js';
import { silentLog } from '../support/silent-log.js';
import { TcpFaultProxy } from '../support/tcp-fault-proxy.js';
import { startTestZooKeeper, type TestZooKeeper } from '../support/zookeeper-server.js';

const TIMEOUT_MS = 2_000;
/** With names of 100 bytes, just below the 512 KiB that one session may watch. */
const WATCHES = 4_600;
const BATCH = 800;

const nameOf = (n: number): string => `/watched-${String(n).padStart(4, '0')}-${'x'.repeat(86)}`;
const all = Array.from({ length: WATCHES }, (_, n) => nameOf(n));

describe('many watches', () => {
  let zooKeeper: TestZooKeeper;
  let proxy: TcpFaultProxy;
  let session: CoordinatorSession;
  let witness: CoordinatorSession;
  const open: ZooKeeperCoordinator[] = [];

  function connect(address: string): Promise<CoordinatorSession> {
    const deps = { clock: systemClock, random: systemRandom, log: silentLog };
    const options = { connect: address, root: '/many', sessionTimeoutMs: TIMEOUT_MS };
    const coordinator = new ZooKeeperCoordinator({ ...options, ...deps });
    open.push(coordinator);
    return new Promise((resolve) => {
      coordinator.start({ session: resolve, unreachable: () => undefined });
    });
  }

  function becomes(state: string): Promise<void> {
    if (session.state === state) return Promise.resolve();
    return new Promise((resolve) => {
      const forget = session.on('state', (now) => {
        if (now !== state) return;
        forget();
        resolve();
      });
    });
  }

  async function inBatches(op: (path: string) => MultiOp): Promise<void> {
    for (let at = 0; at < all.length; at += BATCH) {
      ok(await witness.multi(all.slice(at, at + BATCH).map(op)));
    }
  }

  beforeAll(async () => {
    zooKeeper = await startTestZooKeeper();
  });
  afterAll(() => zooKeeper.stop());
  beforeEach(async () => {
    proxy = await TcpFaultProxy.start(zooKeeper.port);
    [session, witness] = await Promise.all([connect(proxy.address), connect(zooKeeper.connect)]);
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((coordinator) => coordinator.close()));
    await proxy.close();
  });

  it('a broken connection takes none of 4,600 watches along, and all fire at once (N13, N15)', async () => {
    const hint = new Hint();
    for (const path of all) {
      // Each its own hint: the same function twice counts once only on the same path.
      ok(await session.read(path, { onMaybeChanged: hint.call }));
    }
    for (let cut = 0; cut < 3; cut++) {
      const suspended = becomes('suspended');
      proxy.reset();
      await suspended;
      await becomes('connected');
      ok(await session.barrier());
    }
    expect(hint.count).toBe(0);
    await inBatches((path) => ({ type: 'create', path, data: nothing, mode: 'ephemeral' }));
    await hint.reaches(WATCHES);
    expect(session.state).toBe('connected');
    ok(await session.barrier());
  });

  it('one more than a reconnect could set again is refused, until some have fired (N13)', async () => {
    const watch = (n: number) => session.read(nameOf(n), { onMaybeChanged: () => undefined });
    let n = 0;
    let last = await watch(n);
    while (last.status === 'ok') last = await watch(++n);
    expectFailed(last, 'too-large');
    expect(n).toBeGreaterThan(WATCHES);
    ok(await witness.create(nameOf(0), nothing, 'ephemeral'));
    ok(await session.barrier());
    ok(await watch(0));
  });

  it('a session that only hears, and says nothing for three timeouts, stays (N14)', async () => {
    const hint = new Hint();
    for (const path of all.slice(0, 600))
      ok(await session.read(path, { onMaybeChanged: hint.call }));
    const { id } = session;
    const endMs = performance.now() + 3 * TIMEOUT_MS;
    for (const path of all) {
      if (performance.now() > endMs) break;
      ok(await witness.create(path, nothing, 'ephemeral'));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(hint.count).toBeGreaterThan(300);
    expect(session.state).toBe('connected');
    expect(ok(await session.barrier())).toBeUndefined();
    expect(session.id).toBe(id);
  });

  it('a caller that tries again at once, for ever, keeps nobody from working (N12)', async () => {
    let tries = 0;
    let tryOn = true;
    const eager = async (): Promise<void> => {
      while (tryOn) {
        tries++;
        await session.read('/eager');
        // As fast as a caller can: only the process's other work comes between.
        if (tries % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const callers = [eager(), eager(), eager()];
    for (let cut = 0; cut < 3; cut++) {
      const suspended = becomes('suspended');
      proxy.reset();
      await suspended;
      await becomes('connected');
    }
    ok(await session.barrier());
    tryOn = false;
    await Promise.all(callers);
    expect(tries).toBeGreaterThan(100);
  });
});
