/** Digest credentials (Z11): what a cluster makes with them, nobody touches without them. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CoordinatorSession } from '../../src/ports/coordinator.js';
import { systemClock } from '../../src/system/clock.js';
import { systemRandom } from '../../src/system/random.js';
import { ZooKeeperCoordinator } from '../../src/zookeeper/coordinator.js';
import { bytes, expectFailed, Hint, nothing, ok } from '../support/coordinator-checks.js';
import { silentLog } from '../support/silent-log.js';
import { TcpFaultProxy } from '../support/tcp-fault-proxy.js';
import { startTestZooKeeper, type TestZooKeeper } from '../support/zookeeper-server.js';

const OURS = { user: 'portolan', password: 'a:b c' };

describe('digest credentials (Z11)', () => {
  let server: TestZooKeeper;
  let proxy: TcpFaultProxy;
  const coordinators: ZooKeeperCoordinator[] = [];

  beforeAll(async () => {
    server = await startTestZooKeeper();
    proxy = await TcpFaultProxy.start(server.port);
  });
  afterEach(async () => {
    await Promise.all(coordinators.splice(0).map((coordinator) => coordinator.close()));
  });
  afterAll(async () => {
    await proxy.close();
    await server.stop();
  });

  function open(
    connect: string,
    auth?: { user: string; password: string },
  ): Promise<CoordinatorSession> {
    const coordinator = new ZooKeeperCoordinator({
      connect,
      root: '/secured',
      sessionTimeoutMs: 4_000,
      ...(auth === undefined ? {} : { auth }),
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
    });
    coordinators.push(coordinator);
    return new Promise((resolve, reject) => {
      coordinator.start({
        session: resolve,
        unreachable: (problem) => reject(new Error(problem)),
      });
    });
  }

  it('let their holders do everything, and nobody else, with others or without', async () => {
    const ours = await open(server.connect, OURS);
    ok(await ours.create('/x', bytes('1'), 'persistent'));
    const made = await ours.multi([
      { type: 'create', path: '/y', data: nothing, mode: 'ephemeral' },
      { type: 'set', path: '/x', data: bytes('2'), version: 0 },
    ]);
    ok(made);
    const alsoOurs = await open(server.connect, OURS);
    ok(await alsoOurs.barrier());
    expect(ok(await alsoOurs.read('/x'))?.data).toEqual(bytes('2'));

    for (const auth of [undefined, { user: 'portolan', password: 'wrong' }]) {
      const stranger = await open(server.connect, auth);
      expectFailed(await stranger.read('/x'), 'no-auth');
      expectFailed(await stranger.children('/'), 'no-auth');
      expectFailed(await stranger.set('/x', nothing, 1), 'no-auth');
      expectFailed(await stranger.remove('/x', 1), 'no-auth');
      expectFailed(await stranger.create('/z', nothing, 'persistent'), 'no-auth');
      expectFailed(
        await stranger.multi([{ type: 'set', path: '/x', data: nothing, version: 1 }]),
        'no-auth',
        0,
      );
    }
    expect(ok(await ours.read('/x'))?.stat.version).toBe(1);
  });

  it('come first on a new connection: no request and no watch goes without them (N6)', async () => {
    const ours = await open(proxy.address, OURS);
    const writer = await open(server.connect, OURS);
    ok(await writer.create('/w', nothing, 'persistent'));
    ok(await ours.barrier());
    const hint = new Hint();
    ok(await ours.read('/w', { onMaybeChanged: hint.call }));
    for (let round = 0; round < 5; round++) {
      const back = new Promise<void>((resolve) => {
        const forget = ours.on('state', (state) => {
          if (state !== 'connected') return;
          forget();
          resolve();
        });
      });
      proxy.reset();
      await back;
      // At once, in the turn in which the connection is back.
      const answers = await Promise.all([ours.read('/w'), ours.barrier(), ours.children('/')]);
      expect(answers.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok']);
    }
    ok(await writer.set('/w', bytes('1'), 0));
    await hint.reaches(1);
  });
});
