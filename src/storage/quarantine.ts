/**
 * Replicas that were set aside: damaged, and replaced by another one. Their data stays under its
 * prefix as it was found, for the operator, with a record that says what, when and why.
 *
 * Upholds S19 and S20: nothing is repaired in place, and nothing of a damaged replica is written or
 * removed, until it has to make room: for those that were set aside after it, or for puts when the
 * disk is full. Never one that nothing has replaced.
 *
 *   "damaged" prefix:u32 -> JSON: format, shard, shardUuid, at, problem, state (hex)
 */
import { isCount, isUuid, type ShardId, type Uuid } from '../model/ids.js';
import { CorruptRecordError } from '../replication/data-record.js';
import type { ReplicaPrefix } from './keys.js';

/** Replicas set aside that a directory keeps. More would be the same story once more. */
export const QUARANTINE_MAX = 16;

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
  const { format, shard, shardUuid, at, problem, state } = record;
  const isGood =
    format === FORMAT &&
    isCount(shard) &&
    isUuid(shardUuid) &&
    typeof at === 'string' &&
    typeof problem === 'string' &&
    typeof state === 'string';
  if (!isGood) throw new CorruptRecordError('a record of a replica set aside is none');
  return { shard, shardUuid, at, problem, state };
}

/** Prefixes that have to go so that one more can be kept: those set aside first. */
export function tooMany(kept: readonly ReplicaPrefix[]): readonly ReplicaPrefix[] {
  const ascending = [...kept].sort((left, right) => left - right);
  return ascending.slice(0, Math.max(0, ascending.length + 1 - QUARANTINE_MAX));
}
