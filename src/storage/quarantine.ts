/**
 * Replicas that were set aside: damaged, and replaced by another one. Their data stays under its
 * prefix as it was found, for the operator, with a record that says what, when and why.
 *
 * Upholds S19 and S20: nothing is repaired in place, and nothing of a damaged replica is written or
 * removed, until it has to make room: for those of its shard that were set aside after it, or for
 * puts when the disk is full (`keeping.ts`). Never one that nothing has replaced, nor one since
 * which nothing of its shard has been in sync here.
 *
 *   "damaged" prefix:u32 -> JSON: format, shard, shardUuid, at, problem, state (hex), hasSuccessor
 */
import { isCount, isUuid, type ShardId, type Uuid } from '../model/ids.js';
import { CorruptRecordError } from '../replication/data-record.js';
import type { ReplicaPrefix } from './keys.js';

/**
 * Replicas set aside that are kept of one shard while another one is in sync: the next would be
 * the same story once more. Before it is there may be one more, and never two (`replica-store.ts`).
 * So whatever rots, a directory holds a few times the data of its shards, and no more.
 */
export const KEPT_PER_SHARD = 2;

const FORMAT = 1;

/** What is kept beside the data of a replica that was set aside. */
export interface QuarantineRecord {
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
  /** When it was set aside, by the wall clock: for people. */
  readonly at: string;
  readonly problem: string;
  /** Its record as it was, in hex. */
  readonly state: string;
  /**
   * A replica that took its place has been in sync since: it has held everything. Of those that
   * earlier versions set aside nobody knows.
   */
  readonly hasSuccessor: boolean;
}

export function encodeQuarantine(record: QuarantineRecord): Buffer {
  return Buffer.from(JSON.stringify({ format: FORMAT, ...record }));
}

/** @throws CorruptRecordError */
export function decodeQuarantine(bytes: Buffer): QuarantineRecord {
  let record: Partial<QuarantineRecord & { format: number }>;
  try {
    record = Object(JSON.parse(bytes.toString('utf8'))) as typeof record;
  } catch {
    throw new CorruptRecordError('a record of a replica set aside is no JSON');
  }
  const { format, shard, shardUuid, at, problem, state, hasSuccessor = false } = record;
  const isGood =
    format === FORMAT &&
    isCount(shard) &&
    isUuid(shardUuid) &&
    typeof at === 'string' &&
    typeof problem === 'string' &&
    typeof state === 'string' &&
    typeof hasSuccessor === 'boolean';
  if (!isGood) throw new CorruptRecordError('a record of a replica set aside is none');
  return { shard, shardUuid, at, problem, state, hasSuccessor };
}

/** Of those that are kept of one shard, what is more than may be: those set aside first. */
export function tooMany<T extends { readonly prefix: ReplicaPrefix }>(
  kept: readonly T[],
): readonly T[] {
  const inOrder = kept.toSorted((left, right) => left.prefix - right.prefix);
  return inOrder.slice(0, Math.max(0, inOrder.length - KEPT_PER_SHARD));
}
