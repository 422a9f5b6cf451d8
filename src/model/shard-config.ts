/**
 * The configuration of one shard, as its znode `/shards/<id>` holds it: who serves it, in which
 * epoch. It is what a leader changes by compare-and-set, and the only truth about ownership.
 *
 * Worked example (one line in ZooKeeper; "…" shortens 32 hex digits). s2 took over from s1, which
 * crashed, came back and is catching up:
 * {"format":3,"shard":5,"slots":[1280,1535],"shardUuid":"0f…","state":"active","epoch":3,
 *  "primary":"s2","isr":["s2"],"learners":["s1"],
 *  "replicas":[
 *   {"node":"s1","store":"9c…","incarnation":4294967311,"process":"41…"},
 *   {"node":"s2","store":"e0…","incarnation":4294967299,"process":"d7…"}],
 *  "leaseReleased":false,"pending":null,"leaderEpoch":7,"nonce":"5b…"}
 */
import {
  type Epoch,
  type Incarnation,
  isCount,
  isEpoch,
  isLeaderEpoch,
  isMemberId,
  isUuid,
  type LeaderEpoch,
  type MemberId,
  type ShardId,
  type Uuid,
} from './ids.js';
import { encodeRecord, RecordReader } from './records.js';
import { SLOT_COUNT, type SlotRange } from './slot.js';
import { shardZnode } from './znodes.js';

const FORMAT = 3;

/**
 * `creating`: no replica has confirmed that it exists, so a named one may start empty.
 * `active`: the replicas hold data; one that finds nothing on its disk has lost it, and must not
 * start empty (S19).
 */
export type ShardState = 'creating' | 'active';

/** Where one replica lives. A node with another store is another replica, whatever its name. */
export interface ReplicaPlace {
  readonly node: MemberId;
  /** Identity of the node's data directory, minted when it was created. */
  readonly store: Uuid;
  /** The life of the node this configuration counts on; a restarted primary needs a new epoch. */
  readonly incarnation: Incarnation;
  /**
   * The process of that life: one that registers anew is the same replica, with its data. Another
   * one with the same store has it only if this one is of its ancestry; otherwise its disk was set
   * back or copied (B8).
   */
  readonly process: Uuid;
}

export interface ShardConfig {
  readonly shard: ShardId;
  readonly slots: SlotRange;
  /** Minted at creation: a shard that is deleted and made again is another shard. */
  readonly shardUuid: Uuid;
  readonly state: ShardState;
  /** +1 whenever the primary, or the life of the primary, changes (S1). */
  readonly epoch: Epoch;
  readonly primary: MemberId;
  /** In-sync replicas, the primary among them: any of them has every committed write. */
  readonly isr: readonly MemberId[];
  /** Replicas that are catching up; never electable (S15). */
  readonly learners: readonly MemberId[];
  /** One per member of `isr` and `learners`. */
  readonly replicas: readonly ReplicaPlace[];
  /**
   * Nobody has to be waited for: the primary of the epoch before stepped down and gave its lease
   * back, or no epoch before served anything. False: its lease may still run.
   */
  readonly leaseReleased: boolean;
  /** A reconfiguration in progress: at most one per shard (S18). */
  readonly pending: null;
  /** The leader that wrote this. */
  readonly leaderEpoch: LeaderEpoch;
  /** Random, fresh in every write: tells whose write it was when the answer got lost (rule Z5). */
  readonly nonce: string;
}

/** How far the replicas of a shard have come, as far as they answer. */
export interface ReplicasKnown {
  readonly shardUuid: Uuid;
  /** The highest epoch that they know of. */
  readonly used: Epoch;
  /** The shard has been active: one of their logs has an entry, or a node knows it as that. */
  readonly hasServed: boolean;
}

/**
 * Whether ZooKeeper knows less of a shard than its replicas, which have used an epoch above this
 * one, or have served although it is being created here: it was set back. A configuration of
 * another shard under the same number is no older one, unless nobody has served it yet.
 */
export function isOlderThan(
  config: ShardConfig,
  { shardUuid, used, hasServed }: ReplicasKnown,
): boolean {
  const isBeingCreated = config.state === 'creating';
  if (config.shardUuid !== shardUuid) return isBeingCreated;
  return config.epoch < used || (isBeingCreated && hasServed);
}

/** Whether a later process of its node is registered than a place names. */
export function isLaterProcess(
  node: { readonly process: Uuid; readonly incarnation: Incarnation },
  place: ReplicaPlace,
): boolean {
  return node.process !== place.process && node.incarnation > place.incarnation;
}

/** A configuration and the version of its znode: the token of the next compare-and-set. */
export interface VersionedConfig {
  readonly config: ShardConfig;
  readonly version: number;
}

/** What a shard's znode was found to hold. */
export type StoredShard =
  | ({ readonly type: 'config' } & VersionedConfig)
  | { readonly type: 'absent'; readonly shard: ShardId }
  /** It does not parse, or must not be read: named, and left as it is (S19). */
  | { readonly type: 'garbled'; readonly shard: ShardId };

export function encodeShardConfig(config: ShardConfig): Buffer {
  return encodeRecord({ format: FORMAT, ...config });
}

/** @throws BadRecordError naming the znode, if this is not a configuration of that shard. */
export function decodeShardConfig(shard: ShardId, bytes: Uint8Array): ShardConfig {
  const record = new RecordReader(shardZnode(shard), bytes);
  record.format(FORMAT);
  const config: ShardConfig = {
    shard: record.field('shard', `shard ${shard}`, (id): id is ShardId => id === shard),
    slots: record.field('slots', 'a range of slots', isSlotRange),
    shardUuid: record.field('shardUuid', 'a uuid', isUuid),
    state: record.field('state', '"creating" or "active"', isShardState),
    epoch: record.field('epoch', 'an epoch', isEpoch),
    primary: record.field('primary', 'a node id', isMemberId),
    isr: record.list('isr', 'node ids', isMemberId),
    learners: record.list('learners', 'node ids', isMemberId),
    replicas: record.records('replicas').map(decodeReplicaPlace),
    leaseReleased: record.field('leaseReleased', 'true or false', isBoolean),
    pending: record.field('pending', 'null', (pending): pending is null => pending === null),
    leaderEpoch: record.field('leaderEpoch', 'a leader epoch', isLeaderEpoch),
    nonce: record.text('nonce', 64),
  };
  const named = [...config.isr, ...config.learners];
  const placed = config.replicas.map((replica) => replica.node);
  if (!config.isr.includes(config.primary)) throw record.wrong('primary', 'in the isr');
  if (!sameMembers(named, placed)) throw record.wrong('replicas', 'the isr and the learners');
  return config;
}

/** Where the replica on a node lives, if the shard has one there. */
export function replicaOn(
  { replicas }: Pick<ShardConfig, 'replicas'>,
  node: MemberId,
): ReplicaPlace | undefined {
  return replicas.find((replica) => replica.node === node);
}

function decodeReplicaPlace(record: RecordReader): ReplicaPlace {
  return {
    node: record.field('node', 'a node id', isMemberId),
    store: record.field('store', 'a uuid', isUuid),
    incarnation: record.field('incarnation', 'an incarnation', isIncarnation),
    process: record.field('process', 'a uuid', isUuid),
  };
}

function isShardState(value: unknown): value is ShardState {
  return value === 'creating' || value === 'active';
}

function isSlotRange(value: unknown): value is SlotRange {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [first, last] = value as unknown[];
  return isCount(first) && isCount(last) && first <= last && last < SLOT_COUNT;
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isIncarnation(value: unknown): value is Incarnation {
  return isCount(value);
}

/** Whether both name the same members, each once. */
function sameMembers(left: readonly MemberId[], right: readonly MemberId[]): boolean {
  const members = new Set(left);
  return (
    members.size === left.length &&
    left.length === right.length &&
    new Set(right).size === right.length &&
    right.every((member) => members.has(member))
  );
}
