/** What a leader and the members of its cluster tell each other (`internal.proto`, Member). */
import type { Epoch, Incarnation, LeaderEpoch, MemberId, Seq, ShardId, Uuid } from './ids.js';
import type { Registration } from './registrations.js';
import type { VersionedConfig } from './shard-config.js';

export interface LeaderHello {
  readonly type: 'hello';
  readonly clusterUuid: Uuid;
  readonly leaderEpoch: LeaderEpoch;
  readonly leader: MemberId;
}

/** Changed parts of the map; `nodes` is the whole table of registered nodes, if it changed. */
export interface MapUpdate {
  readonly type: 'map';
  readonly shards: readonly VersionedConfig[];
  readonly nodes: readonly Registration[] | undefined;
}

export type LeaderMessage = LeaderHello | MapUpdate;

export interface MemberHello {
  readonly type: 'hello';
  readonly id: MemberId;
  readonly process: Uuid;
  /** Highest one this member has heard of. */
  readonly leaderEpoch: LeaderEpoch;
}

/** A replica that exists durably on the node that reports it. */
export interface ReplicaEntry {
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
  readonly store: Uuid;
  /** Promised: it acts in no lower one. */
  readonly epoch: Epoch;
  /** Promised before its process opened it: it serves only in a higher one. */
  readonly openedEpoch: Epoch;
  readonly lastSeq: Seq;
}

export interface ReplicaReport {
  readonly type: 'replicas';
  readonly replicas: readonly ReplicaEntry[];
}

/** A change of the isr that only the primary may ask for; the leader makes it, or lets it drop. */
export interface ChangeRequest {
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
  /** In which it is primary. */
  readonly epoch: Epoch;
  /** Version of the znode whose configuration it knows. */
  readonly basedOn: number;
  readonly change: MembershipChange;
}

export type MembershipChange =
  /** The member does not answer: commit without it, and let it catch up. */
  | { readonly type: 'shrink'; readonly node: MemberId }
  /** The learner has caught up in this epoch: which replica, and which life of it (KIP-903). */
  | {
      readonly type: 'expand';
      readonly node: MemberId;
      readonly store: Uuid;
      readonly incarnation: Incarnation;
    }
  /** Not any more: whatever was asked of this learner before is void. */
  | { readonly type: 'withdraw'; readonly node: MemberId }
  /** A replica has promised a higher epoch already: the shard needs one above it (S1). */
  | { readonly type: 'epoch-used'; readonly promised: Epoch };

export type MemberMessage = MemberHello | ReplicaReport;
