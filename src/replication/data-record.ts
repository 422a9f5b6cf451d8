/**
 * What a replica stores under a key, and how a write travels: the same bytes from the primary's
 * memory to every disk, so that nothing is encoded twice.
 *
 *   data-record = 01 crc:u32 flags:u8 seq:u64 value
 *                 crc32 over the key, then over what follows the crc; flags = 00
 *
 * Numbers are big-endian. LevelDB verifies no checksum on read; this one binds value, version and
 * key together, so neither a flipped bit nor a record of another key is ever answered. A record
 * whose key has a flipped bit on disk is not found, though, but by a scan of all data.
 *
 * Worked example: key "k", seq 7, value "hi": 01 be1020bf 00 0000000000000007 6869
 */
import { crc32 } from 'node:zlib';
import type { Seq } from '../model/ids.js';

export interface StoredRecord {
  readonly value: Buffer;
  readonly seq: Seq;
}

/** A record does not match its checksum, or is of an unknown format. */
export class CorruptRecordError extends Error {
  constructor(problem: string) {
    super(`a stored record is corrupt: ${problem}`);
    this.name = 'CorruptRecordError';
  }
}

const FORMAT = 1;
const NO_FLAGS = 0;
const CRC_AT = 1;
const FLAGS_AT = 5;
const SEQ_AT = 6;
const VALUE_AT = 14;

/** Bytes of a record with a value of so many. */
export function dataRecordBytes(valueBytes: number): number {
  return VALUE_AT + valueBytes;
}

/** Writes a record into `target` at `at`. */
export function writeDataRecord(
  target: Buffer,
  at: number,
  { key, value, seq }: { readonly key: Buffer; readonly value: Buffer; readonly seq: Seq },
): void {
  target[at] = FORMAT;
  target[at + FLAGS_AT] = NO_FLAGS;
  writeU64(target, at + SEQ_AT, seq);
  value.copy(target, at + VALUE_AT);
  const end = at + VALUE_AT + value.length;
  target.writeUInt32BE(crc32(target.subarray(at + FLAGS_AT, end), crc32(key)), at + CRC_AT);
}

export function encodeDataRecord(key: Buffer, value: Buffer, seq: Seq): Buffer {
  const record = Buffer.allocUnsafe(dataRecordBytes(value.length));
  writeDataRecord(record, 0, { key, value, seq });
  return record;
}

/** @throws CorruptRecordError */
export function decodeDataRecord(key: Buffer, record: Buffer): StoredRecord {
  if (record.length < VALUE_AT) throw new CorruptRecordError('too short');
  if (record[0] !== FORMAT) throw new CorruptRecordError(`format ${record[0] ?? 0}`);
  const computed = crc32(record.subarray(FLAGS_AT), crc32(key));
  if (record.readUInt32BE(CRC_AT) !== computed) {
    throw new CorruptRecordError('its checksum does not match');
  }
  if (record[FLAGS_AT] !== NO_FLAGS) throw new CorruptRecordError('unknown flags');
  return { seq: readU64(record, SEQ_AT) as Seq, value: record.subarray(VALUE_AT) };
}

export function writeU64(target: Buffer, at: number, value: number): void {
  target.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  target.writeUInt32BE(value >>> 0, at + 4);
}

export function readU64(source: Buffer, at: number): number {
  return source.readUInt32BE(at) * 2 ** 32 + source.readUInt32BE(at + 4);
}
