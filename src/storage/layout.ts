/**
 * The layout of a data directory: which keys there are and what their records hold. Format 1.
 *
 *   entry       = node-entry / replica-entry
 *   node-entry  = 00000000 "identity"            -> JSON: what this directory is (node-records.ts)
 *               / 00000000 "leader-epoch"        -> JSON: highest leaderEpoch heard
 *               / 00000000 "marker"              -> JSON: how the last process ended
 *               / 00000000 "replica" prefix:u32  -> replica-state
 *   replica-entry = prefix:u32 "D" key           -> data-record
 *
 *   replica-state = 01 crc:u32 shard:u16 shardUuid:16 promisedEpoch:u64 lastSeq:u64
 *                   crc32 over the prefix, then over what follows the crc
 *   data-record   : replication/data-record.ts
 *
 * Numbers are big-endian. A replica's prefix is minted when the replica is created, starts at 1 and
 * is never used again, so a shard that is deleted and made again cannot see old data. The states
 * of all replicas lie side by side, so that a start reads them without touching the data.
 *
 * Worked example: replica 3 stores key "k", seq 7, value "hi":
 *   00000003 44 6b -> 01 be1020bf 00 0000000000000007 6869
 */
import type { Epoch, Seq, ShardId } from '../model/ids.js';
import { isUuid } from '../model/ids.js';
import { CorruptRecordError, readU64, writeU64 } from '../replication/data-record.js';
import type { ReplicaState } from '../replication/replica-state.js';
import type { ReplicaPrefix } from './keys.js';
import { CONTENT_AT, sealRecord, verifySealed } from './sealed-record.js';

const FORMAT = 1;
const STATE_BYTES = CONTENT_AT + 2 + 16 + 8 + 8;

export function encodeState(prefix: ReplicaPrefix, state: ReplicaState): Buffer {
  const record = Buffer.allocUnsafe(STATE_BYTES);
  record.writeUInt16BE(state.shard, CONTENT_AT);
  record.write(state.shardUuid, CONTENT_AT + 2, 16, 'hex');
  writeU64(record, CONTENT_AT + 18, state.promisedEpoch);
  writeU64(record, CONTENT_AT + 26, state.lastSeq);
  return sealRecord(record, FORMAT, prefix);
}

/** @throws CorruptRecordError */
export function decodeState(prefix: ReplicaPrefix, record: Buffer): ReplicaState {
  verifySealed(record, { format: FORMAT, byteCount: STATE_BYTES }, prefix);
  const shardUuid = record.toString('hex', CONTENT_AT + 2, CONTENT_AT + 18);
  if (!isUuid(shardUuid)) throw new CorruptRecordError('no shard uuid');
  return {
    shard: record.readUInt16BE(CONTENT_AT) as ShardId,
    shardUuid,
    promisedEpoch: readU64(record, CONTENT_AT + 18) as Epoch,
    lastSeq: readU64(record, CONTENT_AT + 26) as Seq,
  };
}
