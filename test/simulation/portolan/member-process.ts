/** What every process of the simulated cluster is made of, whatever its role. */
import { clusterRoot, ZNODES } from '../../../src/model/znodes.js';
import type { RunningRole } from '../../../src/ports/process.js';
import type { SimLog } from './sim-log.js';
import type { SimDialer } from './sim-dialer.js';
import type { SimRandom } from './sim-random.js';
import type { SimNetwork } from '../sim-network.js';
import type { SimProcess } from '../sim-process.js';
import type { SimCoordinator } from '../sim-zookeeper-coordinator.js';

/** The port on which every simulated process listens. */
const PORT = 7_000;
export const CLUSTER = 'sim';
export const CLUSTER_ZNODE = clusterRoot(CLUSTER) + ZNODES.cluster;

/** One life of a member, as far as its role needs it. */
export interface MemberOutside {
  readonly process: SimProcess;
  readonly network: SimNetwork;
  readonly random: SimRandom;
  readonly log: SimLog;
  readonly dialer: SimDialer;
  readonly coordinator: SimCoordinator;
  readonly sessionTimeoutMs: number;
  /** Hears errors that no handler may throw. */
  readonly failed: (error: unknown) => void;
}

/** A role that started, with what a simulator sees of it. */
export interface StartedRole<View> {
  readonly role: RunningRole;
  readonly view: View;
}

export function addressOf(name: string): string {
  return `${name}:${PORT}`;
}

/** What both roles are told alike. */
export function commonConfig(name: string, sessionTimeoutMs: number) {
  return {
    zk: 'simulated',
    cluster: CLUSTER,
    listen: { host: name, port: PORT },
    advertise: undefined,
    sessionTimeoutMs,
    drainMs: 500,
  };
}

/** A listener that is gone at once: what it served hears the end of its stream. */
export function listenerOf({ network, process }: MemberOutside) {
  return {
    address: { host: process.name, port: PORT },
    stop: () => {
      network.unlisten(process, addressOf(process.name));
      return Promise.resolve();
    },
  };
}
