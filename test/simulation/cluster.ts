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

/** Takes the whole service down, and replaces its data; the result starts it again. */
export type SetBack = () => () => void;

/** What may happen between members and the coordination service; the results undo it. */
export interface CoordinationFaults {
  /** A copy of its data as it is now; the result sets it back to that. */
  backUp(): SetBack;
  /** The same, of times when the cluster was being formed; empty if that is not to be set back to. */
  beginnings(): readonly SetBack[];
  /** The same, to the state in which it had none. */
  readonly wipe: SetBack;
  /** The whole service is down. */
  outage(): () => void;
  /** Nothing gets through between a member and the service, in silence. */
  cut(name: string): () => void;
  /** Every connection to it breaks, as when its servers restart one by one. */
  breakConnections(): void;
  /** One of its servers goes away. Undefined: none may. */
  loseServer(absence: 'refusing' | 'silent'): (() => void) | undefined;
  /** The session of a member is over. False: it has none. */
  expire(name: string): boolean;
  /** What a member stands for election with is gone; its session lives. False: it has none. */
  removeCandidate(name: string): boolean;
}

/** A member that answers alone for a while, because others have promised to leave it that. */
export interface HeldLease {
  readonly holder: string;
  readonly grantors: readonly string[];
  /** Who could tell it that another one has its place. */
  readonly overseers: readonly string[];
}

export interface Cluster {
  /** In an order that is the same for every run of a seed. */
  readonly members: readonly ClusterMember[];
  readonly network: SimNetwork;
  /** Undefined: members need none. */
  readonly coordination?: CoordinationFaults;
  /** Those that are held at this moment. Undefined: there are none in this cluster. */
  leases?(): readonly HeldLease[];
  /** The newest life of a member; it may be dead. */
  processOf(name: string): SimProcess;
  /** Undefined: it keeps nothing. */
  diskOf(name: string): SimDisk | undefined;
  /** Kills the process, and does to its disk what that means. `isSilent`: the machine is gone. */
  kill(name: string, how: { readonly isSilent: boolean }): void;
  /** Ends a member in order, if members know how to. */
  stop?(name: string): void;
  /**
   * Starts a member that is dead, as an event of the new process (`SimProcess.soon`): a start must
   * not be taken for the doing of whoever asked for it.
   */
  start(name: string): void;
}
