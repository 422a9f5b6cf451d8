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

/** To the primary of this epoch: bring `to` up to date, and step down in its favour. */
export interface HandOverOrder {
  readonly type: 'hand-over';
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
  readonly epoch: Epoch;
  readonly to: MemberId;
}

/** To be answered at once with a {@link Pong} of the same number. */
export interface Ping {
  readonly type: 'ping';
  /** Counts the pings of one leader: tells in a trace which one was answered. */
  readonly number: number;
}

export type LeaderMessage = LeaderHello | MapUpdate | HandOverOrder | Ping | ProgressReport;

export interface MemberHello {
  readonly type: 'hello';
  readonly id: MemberId;
  readonly process: Uuid;
  /** Highest one this member has heard of. */
  readonly leaderEpoch: LeaderEpoch;
}

/** A replica that exists durably on the node that reports it, or should. */
export interface ReplicaEntry {
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
  readonly store: Uuid;
  /** Promised: it acts in no lower one. */
  readonly epoch: Epoch;
  /** Promised before its process opened it: it serves only in a higher one. */
  readonly openedEpoch: Epoch;
  readonly lastSeq: Seq;
  /** Its data is damaged, or is not there: why it should not be counted on. Absent: all is well. */
  readonly problem?: string;
  /** Absent: it is not the primary of that epoch. */
  readonly lead?: Lead;
}

/** What the primary of an epoch goes by. */
export interface Lead {
  /** Of the configuration that it knows. */
  readonly version: number;
  readonly nonce: string;
  /** Who has everything that it has committed. */
  readonly inSync: readonly MemberId[];
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
  /** The learner has not come forward for a long time: let another node have its place. */
  | { readonly type: 'replace'; readonly node: MemberId }
  /**
   * It heard of a configuration of its epoch that is not the one it knows, which has this nonce,
   * nor a later one: was ZooKeeper set back? These have everything that it has committed.
   */
  | { readonly type: 'set-back'; readonly nonce: string; readonly inSync: readonly MemberId[] }
  /** A replica has promised a higher epoch already: the shard needs one above it (S1). */
  | { readonly type: 'epoch-used'; readonly promised: Epoch };

/** A change that a primary asks for. May be lost, so it asks again. */
export interface RequestMessage {
  readonly type: 'request';
  readonly request: ChangeRequest;
}

/**
 * The primary of this epoch will never serve in it again, and holds no lease. Said to every leader
 * until a later epoch is heard of.
 */
export interface SteppedDown {
  readonly type: 'stepped-down';
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
  readonly epoch: Epoch;
  /** Whom it brought up to date last; undefined = nobody in particular. */
  readonly to: MemberId | undefined;
}

/** The hand-over that was asked for in this epoch does not happen: the primary serves on. */
export interface HandOverFailed {
  readonly type: 'hand-over-failed';
  readonly shard: ShardId;
  readonly epoch: Epoch;
  /** For the log; empty if the node did not say. */
  readonly why: string;
}

/** This node is to shut down in order. Said to every leader until it has. */
export interface Leaving {
  readonly type: 'leaving';
}

/**
 * What a learner gets: `log`, entries it lacks; `snapshot`, all data; `nothing`, because its node
 * is away or does not answer.
 */
export type LearningBy = 'log' | 'snapshot' | 'nothing';

/** How far a learner is, as its primary of this epoch sees it. */
export interface LearnerProgress {
  readonly shard: ShardId;
  readonly epoch: Epoch;
  readonly node: MemberId;
  readonly by: LearningBy;
  /** Entries of the log that it holds, or bytes of data that were sent to it. */
  readonly done: number;
  /** Of so many; 0 = not known. */
  readonly total: number;
  /** Milliseconds since this primary first saw it out of sync. */
  readonly forMs: number;
}

/** A replica that is kept and counted on no more than it has to be, and what is wrong with it. */
export interface DamagedNotice {
  readonly shard: ShardId;
  readonly node: MemberId;
  readonly problem: string;
}

/**
 * Said by storage nodes of the learners of their primaries and of their own damaged replicas, and
 * by the leader to other routers of all of them: for operators only, but for `used`. It replaces
 * the one before.
 */
export interface ProgressReport {
  readonly type: 'progress';
  readonly learners: readonly LearnerProgress[];
  readonly damaged: readonly DamagedNotice[];
  /** Shards whose znodes are older than what replicas have promised. Only a leader knows. */
  readonly outdated: readonly ShardId[];
  /** What was promised of these, for the next leader: whoever promised it may be away by then. */
  readonly used: readonly UsedEpoch[];
}

/** An epoch that some replica of a shard has promised. */
export interface UsedEpoch {
  readonly shardUuid: Uuid;
  readonly epoch: Epoch;
}

/** Learners in one report: those that are under way come first, the rest is left out. */
export const LEARNERS_TOLD_MAX = 256;
/** Damaged replicas in one report; the rest is left out. */
export const DAMAGED_TOLD_MAX = 256;
/** Outdated shards in one report; the rest is left out. */
export const OUTDATED_TOLD_MAX = 256;

/** What a storage node says of its own accord, beside what it holds. */
export type NodeWord = RequestMessage | SteppedDown | HandOverFailed | Leaving | ProgressReport;

/** This process runs and reads. It promises nothing else, and may come before the hello. */
export interface Pong {
  readonly type: 'pong';
  readonly number: number;
  readonly process: Uuid;
}

export type MemberMessage = MemberHello | ReplicaReport | NodeWord | Pong;
