import { systemClock } from '../../src/system/clock.js';
import { systemRandom } from '../../src/system/random.js';
import { ZooKeeperCoordinator } from '../../src/zookeeper/coordinator.js';
import { EmbeddedZooKeeper } from '../support/embedded-zookeeper.js';
import { silentLog } from '../support/silent-log.js';
import { describeCoordinator } from './coordinator.conformance.js';

describeCoordinator('the embedded server', async () => {
  const server = await EmbeddedZooKeeper.start();
  return {
    coordinator: (root) => {
      return new ZooKeeperCoordinator({
        connect: server.connect,
        root,
        sessionTimeoutMs: 4_000,
        clock: systemClock,
        random: systemRandom,
        log: silentLog,
      });
    },
    dispose: () => server.stop(),
  };
});
