/** Everything a router is told at its start. Parsed once from the command line, then frozen. */
import type { Address } from '../model/address.js';
import type { MemberId } from '../model/ids.js';

export interface RouterConfig {
  readonly id: MemberId;
  /** `HOST:PORT[,…][/chroot]`. */
  readonly zk: string;
  readonly cluster: string;
  /** Where the gRPC services listen; port 0 = any free one. */
  readonly listen: Address;
  /** What others dial; undefined = the address listened on. */
  readonly advertise: Address | undefined;
  /** Where the admin HTTP port listens; port 0 = any free one. */
  readonly admin: Address;
  /**
   * How long ZooKeeper waits for a silent router before its candidacy vanishes. Shorter: a hung
   * leader is replaced sooner, and a slow network mistaken for death more often.
   */
  readonly sessionTimeoutMs: number;
  /** For the router that happens to create the cluster; ignored when it exists. */
  readonly create: {
    readonly shards: number;
    readonly replicas: number;
    /** Members of a shard's in-sync set without which its writes wait. */
    readonly minIsr: number;
    /** Milliseconds of a read lease. */
    readonly leaseMs: number;
    /** Milliseconds a storage node is away until its replicas are replaced; 0 = never. */
    readonly replaceAfterMs: number;
    /** Storage nodes to wait for before the shards are placed. */
    readonly initialStorage: number;
  };
  /** How long shutdown waits for calls under way. */
  readonly drainMs: number;
}
