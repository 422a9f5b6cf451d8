/**
 * The records of a data directory whose replicas keep a log. Format 2.
 *
 *   entry         = node-entry / replica-entry
 *   node-entry    = 00000000 "identity"           -> JSON: what this directory is (node-records.ts)
 *                 / 00000000 "leader-epoch"       -> JSON: highest leaderEpoch heard
 *                 / 00000000 "marker"             -> JSON: how the last process ended
 *                 / 00000000 "replica" prefix:u32 -> replica-state
 *                 / 00000000 "damaged" prefix:u32 -> JSON: one that was set aside (quarantine.ts)
 *                 / 00000000 "garbage" prefix:u32 -> nothing: all under this prefix is to go
 *   replica-entry = prefix:u32 "D" key            -> data-record
 *                 / prefix:u32 "L" end:u64 check:u32 -> the entry that ends there
 *
 *   replica-state = 02 crc:u32 flags:u8 shard:u16 shardUuid:16 promisedEpoch:u64
 *                   baseSeq:u64 baseEpoch:u64 baseChain:16 appliedSeq:u64
 *                   crc32 over the prefix, then over what follows the crc
 *   flags         = 01 (has served) + 02 (is installing)
 *   data-record     : replication/data-record.ts
 *   entry's bytes   : replication/entry.ts
 *
 * Numbers are big-endian. An entry names the chain of the one before it, which verifies all log
 * records but the newest; `check`, the first 4 bytes of an entry's own chain, verifies that one,
 * and any other that is read alone. It is in the key, so that the bytes are stored as they came.
 *
 * No record counts the batches. It would be needed where a batch could be lost while a later one
 * survives: then the newest entry of a replica, or its promise, would be gone without a gap in its
 * log. LevelDB numbers all changes of all batches itself, and `leveldb/log-gaps.ts` verifies these
 * numbers before anything is read; they show such a loss for every batch, at no cost to a write.
 * After a crash the data may be ahead of `appliedSeq`, as not every batch that applies writes the
 * state, and never behind it: entries above are applied again, in their order.
 *
 * Worked example: replica 3 is of shard 5, has promised epoch 2, served in it, and applied its
 * whole log, which is the one put of the worked example of replication/entry.ts:
 *   00000000 7265706c696361 00000003 -> 02 b2c4e786 01 0005 78000000000000000000000000000000
 *     0000000000000002 0000000000000000 0000000000000000 00000000000000000000000000000000
 *     0000000000000001
 *   00000003 4c 0000000000000001 3203cf74 -> 01 000000000001 0000000000000001 ...
 *   00000003 44 6b -> 01 ba9d5c0d 00 0000000000000001 6869
 */
import { isEpoch, isUuid, type Seq, type ShardId } from '../model/ids.js';
import { CorruptRecordError, readU64, writeU64 } from '../replication/data-record.js';
import type { Chain, Position } from '../replication/entry.js';
import type { DurableState } from '../replication/replica-body.js';
import { type KeyRange, kindKeys, PREFIX_BYTES, type ReplicaPrefix } from './keys.js';
import { CONTENT_AT, sealRecord, verifySealed } from './sealed-record.js';

/** What the records of the directory itself have to say where this layout is used. */
export const DIRECTORY_FORMAT = 2;

/** Where an entry ends, and what its log record is verified with. */
export interface LogEnd {
  readonly seq: Seq;
  readonly check: number;
}

const HAS_SERVED = 1;
const IS_INSTALLING = 2;
const FLAGS_AT = CONTENT_AT;
const SHARD_AT = FLAGS_AT + 1;
const SHARD_UUID_AT = SHARD_AT + 2;
const EPOCH_AT = SHARD_UUID_AT + 16;
const BASE_SEQ_AT = EPOCH_AT + 8;
const BASE_EPOCH_AT = BASE_SEQ_AT + 8;
const BASE_CHAIN_AT = BASE_EPOCH_AT + 8;
const APPLIED_AT = BASE_CHAIN_AT + 16;
const STATE_BYTES = APPLIED_AT + 8;

const LOG = 0x4c; // "L"
const LOG_SEQ_AT = PREFIX_BYTES + 1;
const LOG_CHECK_AT = LOG_SEQ_AT + 8;
const LOG_KEY_BYTES = LOG_CHECK_AT + 4;

export function encodeState(prefix: ReplicaPrefix, state: DurableState): Buffer {
  const record = Buffer.allocUnsafe(STATE_BYTES);
  const { base, hasServed, isInstalling } = state;
  record[FLAGS_AT] = (hasServed ? HAS_SERVED : 0) | (isInstalling ? IS_INSTALLING : 0);
  record.writeUInt16BE(state.shard, SHARD_AT);
  record.write(state.shardUuid, SHARD_UUID_AT, 'hex');
  writeU64(record, EPOCH_AT, state.promisedEpoch);
  writeU64(record, BASE_SEQ_AT, base.seq);
  writeU64(record, BASE_EPOCH_AT, base.epoch);
  record.write(base.chain, BASE_CHAIN_AT, 'hex');
  writeU64(record, APPLIED_AT, state.appliedSeq);
  return sealRecord(record, DIRECTORY_FORMAT, prefix);
}

/** @throws CorruptRecordError */
export function decodeState(prefix: ReplicaPrefix, record: Buffer): DurableState {
  verifySealed(record, { format: DIRECTORY_FORMAT, byteCount: STATE_BYTES }, prefix);
  const flags = record[FLAGS_AT] ?? 0;
  const shardUuid = record.toString('hex', SHARD_UUID_AT, EPOCH_AT);
  if (!isUuid(shardUuid)) throw new CorruptRecordError('no shard uuid');
  if ((flags & ~(HAS_SERVED | IS_INSTALLING)) !== 0) throw new CorruptRecordError('unknown flags');
  const promisedEpoch = readU64(record, EPOCH_AT);
  const baseEpoch = readU64(record, BASE_EPOCH_AT);
  if (!isEpoch(promisedEpoch, 0) || !isEpoch(baseEpoch, 0)) {
    throw new CorruptRecordError('an epoch beyond 6 bytes');
  }
  return {
    shard: record.readUInt16BE(SHARD_AT) as ShardId,
    shardUuid,
    promisedEpoch,
    hasServed: (flags & HAS_SERVED) !== 0,
    isInstalling: (flags & IS_INSTALLING) !== 0,
    base: {
      seq: readU64(record, BASE_SEQ_AT) as Seq,
      epoch: baseEpoch,
      chain: record.toString('hex', BASE_CHAIN_AT, APPLIED_AT) as Chain,
    },
    appliedSeq: readU64(record, APPLIED_AT) as Seq,
  };
}

export function logEndOf({ seq, chain }: Pick<Position, 'seq' | 'chain'>): LogEnd {
  return { seq, check: Number.parseInt(chain.slice(0, 8), 16) };
}

export function logKey(prefix: ReplicaPrefix, { seq, check }: LogEnd): Buffer {
  const key = Buffer.allocUnsafe(LOG_KEY_BYTES);
  key.writeUInt32BE(prefix, 0);
  key[PREFIX_BYTES] = LOG;
  writeU64(key, LOG_SEQ_AT, seq);
  key.writeUInt32BE(check, LOG_CHECK_AT);
  return key;
}

/** The inverse of {@link logKey}, for a key in {@link logKeys}. @throws CorruptRecordError */
export function logEndOfKey(key: Buffer): LogEnd {
  if (key.length !== LOG_KEY_BYTES) throw new CorruptRecordError('no key of a log record');
  return { seq: readU64(key, LOG_SEQ_AT) as Seq, check: key.readUInt32BE(LOG_CHECK_AT) };
}

/** The log of a replica, oldest entry first. */
export function logKeys(prefix: ReplicaPrefix): KeyRange {
  return kindKeys(prefix, LOG);
}
