/** What a storage node answers to the commands of an operator (`internal.proto`, Inspection). */
import type { ClusterConfig } from './cluster-config.js';
import type { Epoch, LeaderEpoch, MemberId, Seq, ShardId, Uuid } from './ids.js';
import type { VersionedConfig } from './shard-config.js';

/** One replica of a data directory. */
export interface HeldReplica {
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
  /** Promised: it acts in no lower one. */
  readonly epoch: Epoch;
  /** The newest entry of its log. */
  readonly lastSeq: Seq;
  readonly lastEpoch: Epoch;
  readonly commitSeq: Seq;
  /** Why it should not be counted on; undefined: no reason. */
  readonly problem: string | undefined;
}

export interface Inventory {
  readonly node: MemberId;
  readonly store: Uuid;
  readonly process: Uuid;
  /** Processes that configurations may count on, the latest last; this one when it has joined. */
  readonly lives: readonly Uuid[];
  /** Null: it has never been in a cluster. */
  readonly clusterUuid: Uuid | null;
  /** Undefined: this process has not joined its cluster yet. */
  readonly cluster: ClusterConfig | undefined;
  readonly leaderEpoch: LeaderEpoch;
  readonly replicas: readonly HeldReplica[];
  /** The newest configuration of each shard that this process has heard, its own or not. */
  readonly configs: readonly VersionedConfig[];
}

export interface ScrubQuestion {
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
  /** The position that the data is to be of; undefined: any. */
  readonly at: Seq | undefined;
}

export interface ScrubFinding {
  readonly position: Seq;
  /** Whether the data holds nothing above the position: only then are digests comparable. */
  readonly isExact: boolean;
  readonly pairs: number;
  /** Undefined: not read to the end, or not as of the position asked for. */
  readonly digest: string | undefined;
  /** What is wrong with a record; undefined: nothing that was read. */
  readonly problem: string | undefined;
}
