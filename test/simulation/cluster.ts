/**
 * A cluster as whoever does harm to it sees it: machines with processes, disks and links. It says
 * nothing of what the processes are for.
 */
import type { SimDisk } from './sim-disk.js';
import type { SimNetwork } from './sim-network.js';
import type { SimProcess } from './sim-process.js';

export interface ClusterMember {
  /** The machine's name, as links have it. */
  readonly name: string;
  /** What kind of process runs there; faults may be limited to some. */
  readonly role: string;
}

export interface Cluster {
  /** In an order that is the same for every run of a seed. */
  readonly members: readonly ClusterMember[];
  readonly network: SimNetwork;
  /** The newest life of a member; it may be dead. */
  processOf(name: string): SimProcess;
  /** Undefined: it keeps nothing. */
  diskOf(name: string): SimDisk | undefined;
  /** Kills the process, and does to its disk what that means. `isSilent`: the machine is gone. */
  kill(name: string, how: { readonly isSilent: boolean }): void;
  /**
   * Starts a member that is dead, as an event of the new process (`SimProcess.soon`): a start must
   * not be taken for the doing of whoever asked for it.
   */
  start(name: string): void;
}
