import { ZooKeeperCoordinator } from '../../src/zookeeper/coordinator.js';
import { systemClock } from '../../src/system/clock.js';
import { systemRandom } from '../../src/system/random.js';
import { silentLog } from '../support/silent-log.js';
import { startTestZooKeeper } from '../support/zookeeper-server.js';
import { describeCoordinator } from './coordinator.conformance.js';

describeCoordinator('ZooKeeper', async () => {
  const zooKeeper = await startTestZooKeeper();
  return {
    coordinator: (root) => {
      return new ZooKeeperCoordinator({
        connect: zooKeeper.connect,
        root,
        sessionTimeoutMs: 4_000,
        clock: systemClock,
        random: systemRandom,
        log: silentLog,
      });
    },
    dispose: () => zooKeeper.stop(),
  };
});
