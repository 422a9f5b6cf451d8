import { FakeClock } from '../support/fake-clock.js';
import type { SimZooKeeperOptions } from '../simulation/sim-zookeeper-options.js';
import { drive } from '../simulation/drive.js';
import { SimZooKeeper } from '../simulation/sim-zookeeper.js';
import { randomOfSeed } from '../support/random-of-seed.js';
import { describeCoordinator } from './coordinator.conformance.js';

function describeSimulated(name: string, options: Partial<SimZooKeeperOptions>): void {
  describeCoordinator(name, () => {
    const clock = new FakeClock();
    const zooKeeper = new SimZooKeeper({ clock, random: randomOfSeed(7), ...options });
    // Virtual time passes by itself until the suite is done.
    let end = (): void => undefined;
    const passing = drive(clock, new Promise<void>((resolve) => (end = resolve)), Infinity);
    return Promise.resolve({
      coordinator: (root) => zooKeeper.coordinator(root),
      dispose: () => {
        end();
        return passing;
      },
    });
  });
}

describeSimulated('simulated ZooKeeper, no faults', {});
describeSimulated('simulated ZooKeeper, servers that lag', { lagMs: { min: 0, max: 200 } });
