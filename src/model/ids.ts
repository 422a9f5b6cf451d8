/**
 * Names and numbers that identify things. Strings from outside become these types only here, so
 * everything behind a gateway may assume they are well formed.
 */

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A process by its configured name, `s1` or `r1`: a storage node or a router. */
export type MemberId = Branded<string, 'MemberId'>;
/** 0 to shard count - 1. */
export type ShardId = Branded<number, 'ShardId'>;
/** 0 to 16,383: where a key falls by the slot rule. */
export type Slot = Branded<number, 'Slot'>;
/** Counts the primaries of one shard: each epoch belongs to exactly one (S1). */
export type Epoch = Branded<number, 'Epoch'>;
/** Counts elections: each belongs to one leader, and fences its writes (S17). */
export type LeaderEpoch = Branded<number, 'LeaderEpoch'>;
/** Position of a write in its shard; also the version of the key it wrote. 0 = absent. */
export type Seq = Branded<number, 'Seq'>;
/** 32 lower-case hex digits, minted at random: a cluster, a shard, a store or a process. */
export type Uuid = Branded<string, 'Uuid'>;
/** czxid of a node's registration znode: tells two lives of one node apart. */
export type Incarnation = Branded<number, 'Incarnation'>;

const MEMBER_ID = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
const CLUSTER_NAME = /^[a-z][a-z0-9_-]{0,62}$/;
const UUID = /^[0-9a-f]{32}$/;

export const MEMBER_ID_RULE = '1 to 32 lower-case letters, digits or inner hyphens';
export const CLUSTER_NAME_RULE =
  'a lower-case letter, then up to 62 lower-case letters, digits, _ or -';

export function isMemberId(text: unknown): text is MemberId {
  return typeof text === 'string' && MEMBER_ID.test(text);
}

export function isClusterName(text: unknown): text is string {
  return typeof text === 'string' && CLUSTER_NAME.test(text);
}

export function isUuid(text: unknown): text is Uuid {
  return typeof text === 'string' && UUID.test(text);
}

/** The highest epoch and leaderEpoch: frames and log entries have 6 bytes for an epoch. */
export const EPOCH_MAX = 2 ** 48 - 1;

/** True for epochs; from 0 up where there may be none yet. */
export function isEpoch(value: unknown, least: 0 | 1 = 1): value is Epoch {
  return isCount(value, least) && value <= EPOCH_MAX;
}

/** True for leaderEpochs; from 0 up where there may be none yet. */
export function isLeaderEpoch(value: unknown, least: 0 | 1 = 1): value is LeaderEpoch {
  return isCount(value, least) && value <= EPOCH_MAX;
}

/** A change of leader in every second of 136 years. */
const LEADERS_MAX = 2 ** 32;

/**
 * Whether leaders can have counted up to this leaderEpoch, one by one, from one that was held. What
 * is beyond is damage: whoever went above it, time and again, would soon have none left to take.
 */
export function isWithinReach(leaderEpoch: LeaderEpoch, held: LeaderEpoch): boolean {
  return leaderEpoch - held <= LEADERS_MAX;
}

/** True for the integers from `least` up that a double holds exactly. */
export function isCount(value: unknown, least = 0): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least;
}
