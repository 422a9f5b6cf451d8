/**
 * Regression: a watch's event may be the very packet behind the answer that set it. The hint was
 * then lost, and a leader learned of new storage nodes only at its next re-sync.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { CoordinatorSession } from '../../src/ports/coordinator.js';
import { systemClock } from '../../src/system/clock.js';
import { systemRandom } from '../../src/system/random.js';
import { ZooKeeperCoordinator } from '../../src/zookeeper/coordinator.js';
import { silentLog } from '../support/silent-log.js';
import { startTestZooKeeper, type TestZooKeeper } from '../support/zookeeper-server.js';

describe('a watch whose event comes at once', () => {
  let server: TestZooKeeper;
  const coordinators: ZooKeeperCoordinator[] = [];

  const session = () => {
    const coordinator = new ZooKeeperCoordinator({
      connect: server.connect,
      root: '/race',
      sessionTimeoutMs: 5_000,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
    });
    coordinators.push(coordinator);
    return new Promise<CoordinatorSession>((resolve, reject) => {
      coordinator.start({
        session: resolve,
        unreachable: (problem) => reject(new Error(problem)),
      });
    });
  };

  beforeAll(async () => {
    server = await startTestZooKeeper();
  });
  afterAll(async () => {
    await Promise.all(coordinators.map((coordinator) => coordinator.close()));
    await server.stop();
  });

  it('Z7 every change is either in what was read or hinted at', async () => {
    const [reader, writer] = [await session(), await session()];
    await writer.create('/parent', Buffer.alloc(0), 'persistent');
    for (let n = 0; n < 500; n++) {
      const name = `child-${n}`;
      let hint = (): void => undefined;
      const hinted = new Promise<void>((resolve) => {
        hint = resolve;
      });
      const read = reader.children('/parent', { onMaybeChanged: hint });
      await writer.create(`/parent/${name}`, Buffer.alloc(0), 'persistent');
      const answer = await read;
      const seen = answer.status === 'ok' && answer.value?.includes(name) === true;
      if (!seen) await within(2_000, hinted, `no hint about ${name}`);
      await writer.remove(`/parent/${name}`, 0);
    }
  });
});

/** Fails if the promise does not settle in time. */
async function within(ms: number, promise: Promise<void>, problem: string): Promise<void> {
  let cancel = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = systemClock.after(ms, () => reject(new Error(problem)));
  });
  await Promise.race([promise, late]).finally(() => cancel());
}
