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
import { crc32 } from 'node:zlib';
import type { Epoch, Seq, ShardId } from '../model/ids.js';
import { isUuid } from '../model/ids.js';
import { CorruptRecordError, readU64, writeU64 } from '../replication/data-record.js';
import type { ReplicaState } from '../replication/replica-state.js';

/** Names a replica in this directory. 1 and up; 0 is the node itself. */
export type ReplicaPrefix = number;

const FORMAT = 1;
const DATA = 0x44; // "D"
const PREFIX_BYTES = 4;
const CRC_AT = 1;
const CRC_END = 5;
const STATE_BYTES = CRC_END + 2 + 16 + 8 + 8;
const NODE_PREFIX = Buffer.alloc(PREFIX_BYTES);
const REPLICA = Buffer.concat([NODE_PREFIX, Buffer.from('replica')]);

export const NODE_KEYS = {
  identity: Buffer.concat([NODE_PREFIX, Buffer.from('identity')]),
  leaderEpoch: Buffer.concat([NODE_PREFIX, Buffer.from('leader-epoch')]),
  marker: Buffer.concat([NODE_PREFIX, Buffer.from('marker')]),
} as const;

/** All keys, first included, last excluded: a key is shorter than this many 0xff bytes. */
export const ALL_KEYS = { from: Buffer.alloc(0), to: Buffer.alloc(2048, 0xff) } as const;

/** The keys of replica states, first included, last excluded. */
export const STATE_KEYS = {
  from: REPLICA,
  to: Buffer.concat([REPLICA, Buffer.alloc(PREFIX_BYTES + 1, 0xff)]),
} as const;

export function dataKey(prefix: ReplicaPrefix, key: Buffer): Buffer {
  const full = Buffer.allocUnsafe(PREFIX_BYTES + 1 + key.length);
  full.writeUInt32BE(prefix, 0);
  full[PREFIX_BYTES] = DATA;
  key.copy(full, PREFIX_BYTES + 1);
  return full;
}

export function stateKey(prefix: ReplicaPrefix): Buffer {
  const key = Buffer.allocUnsafe(REPLICA.length + PREFIX_BYTES);
  REPLICA.copy(key);
  key.writeUInt32BE(prefix, REPLICA.length);
  return key;
}

/** The inverse of {@link stateKey}; undefined for any other key. */
export function prefixOfStateKey(key: Buffer): ReplicaPrefix | undefined {
  if (key.length !== REPLICA.length + PREFIX_BYTES) return undefined;
  return key.readUInt32BE(REPLICA.length);
}

export function encodeState(prefix: ReplicaPrefix, state: ReplicaState): Buffer {
  const record = Buffer.allocUnsafe(STATE_BYTES);
  record[0] = FORMAT;
  record.writeUInt16BE(state.shard, CRC_END);
  record.write(state.shardUuid, CRC_END + 2, 16, 'hex');
  writeU64(record, CRC_END + 18, state.promisedEpoch);
  writeU64(record, CRC_END + 26, state.lastSeq);
  return seal(record, stateKey(prefix).subarray(REPLICA.length));
}

/** @throws CorruptRecordError */
export function decodeState(prefix: ReplicaPrefix, record: Buffer): ReplicaState {
  verify(record, stateKey(prefix).subarray(REPLICA.length), STATE_BYTES);
  const shardUuid = record.toString('hex', CRC_END + 2, CRC_END + 18);
  if (!isUuid(shardUuid)) throw new CorruptRecordError('no shard uuid');
  return {
    shard: record.readUInt16BE(CRC_END) as ShardId,
    shardUuid,
    promisedEpoch: readU64(record, CRC_END + 18) as Epoch,
    lastSeq: readU64(record, CRC_END + 26) as Seq,
  };
}

/** Writes the checksum of a record that is complete but for it. */
function seal(record: Buffer, key: Buffer): Buffer {
  record.writeUInt32BE(checksum(record, key), CRC_AT);
  return record;
}

function verify(record: Buffer, key: Buffer, bytesMin: number): void {
  if (record.length < bytesMin) throw new CorruptRecordError('too short');
  if (record[0] !== FORMAT) throw new CorruptRecordError(`format ${record[0] ?? 0}`);
  const stored = record.readUInt32BE(CRC_AT);
  const computed = checksum(record, key);
  if (stored !== computed) throw new CorruptRecordError('its checksum does not match');
}

function checksum(record: Buffer, key: Buffer): number {
  return crc32(record.subarray(CRC_END), crc32(key));
}
