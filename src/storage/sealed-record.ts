/**
 * Small records of a data directory with a checksum that binds them to what they are about:
 *
 *   sealed-record = format:u8 crc:u32 content
 *                   crc32 over the prefix of the replica, then over the content
 */
import { crc32 } from 'node:zlib';
import { CorruptRecordError } from '../replication/data-record.js';
import { prefixBytes, type ReplicaPrefix } from './keys.js';

/** Where the content begins. */
export const CONTENT_AT = 5;
const CRC_AT = 1;

/** Completes a record that has its content. */
export function sealRecord(record: Buffer, format: number, prefix: ReplicaPrefix): Buffer {
  record[0] = format;
  record.writeUInt32BE(checksum(record, prefix), CRC_AT);
  return record;
}

/** @throws CorruptRecordError */
export function verifySealed(
  record: Buffer,
  { format, byteCount }: { readonly format: number; readonly byteCount: number },
  prefix: ReplicaPrefix,
): void {
  if (record.length < byteCount) throw new CorruptRecordError('too short');
  if (record[0] !== format) throw new CorruptRecordError(`format ${record[0] ?? 0}`);
  if (record.readUInt32BE(CRC_AT) !== checksum(record, prefix)) {
    throw new CorruptRecordError('its checksum does not match');
  }
}

function checksum(record: Buffer, prefix: ReplicaPrefix): number {
  return crc32(record.subarray(CONTENT_AT), crc32(prefixBytes(prefix)));
}
