/** What a storage node is told at its start: parsed once from the command line, then frozen. */
import type { Address } from '../model/address.js';
import type { MemberId } from '../model/ids.js';
import type { Labels } from '../model/registrations.js';

export interface StorageConfig {
  readonly id: MemberId;
  /** `HOST:PORT[,…][/chroot]`. */
  readonly zk: string;
  readonly cluster: string;
  /** The data directory: one LevelDB, one process at a time. */
  readonly data: string;
  /** Where the gRPC services listen; port 0 = any free one. */
  readonly listen: Address;
  /** What others dial; undefined = the address listened on. */
  readonly advertise: Address | undefined;
  /** Where the admin HTTP port listens; undefined = nowhere. */
  readonly admin: Address | undefined;
  readonly labels: Labels;
  /** How long ZooKeeper waits for a silent node before its registration vanishes. */
  readonly sessionTimeoutMs: number;
  /**
   * Bytes of disk kept free: below them puts are refused while reads and deletes go on, so that
   * LevelDB never meets a full disk.
   */
  readonly diskReserveBytes: number;
  /** How long shutdown waits for calls under way. */
  readonly drainMs: number;
}
