/**
 * The records of a server's data directory: the tree as it is, one record per znode and session.
 * LevelDB's log is the journal of it, and its tables are the snapshots.
 *
 *   "i"                  -> identity: JSON with the format, and the secret of passwords
 *   "m"                  -> meta = crc:u32 lastZxid:u64
 *   "s" session:8        -> session = crc:u32 timeoutMs:u32
 *   "z" path             -> znode = crc:u32 czxid:u64 mzxid:u64 pzxid:u64 ctime:u64 mtime:u64
 *                           version:u32 aversion:i32 childrenCreated:u32 owner:8
 *                           entries:u16 (perms:u8 schemeBytes:u16 scheme idBytes:u16 id)* data
 *   crc                     crc32 over the key, then over what follows it
 *
 * Numbers are big-endian; an owner of 0 is none. Keys sort parents before their children.
 *
 * Worked example: the znode /a, made by transaction 3 at 5 ms, with the data "hi", open to anyone:
 *   7a2f61 -> fdb92829 0000000000000003 0000000000000003 0000000000000003 0000000000000005
 *     0000000000000005 00000000 00000000 00000000 0000000000000000
 *     0001 1f 0005 776f726c64 0006 616e796f6e65 6869
 */
import { crc32 } from 'node:zlib';
import type { AclEntry } from '../znode-tree/acl.js';
import type { SessionId } from '../znode-tree/requests.js';
import type { ZnodeFields } from '../znode-tree/znode.js';

export const IDENTITY_KEY = Buffer.from('i');
export const META_KEY = Buffer.from('m');
const SESSION = 0x73; // "s"
const ZNODE = 0x7a; // "z"
const CRC_BYTES = 4;
const ZNODE_HEAD_BYTES = CRC_BYTES + 5 * 8 + 3 * 4 + 8 + 2;
const NO_OWNER = '0'.repeat(16);

/** A record is not what was written. Nothing is served from such a directory. */
export class CorruptTreeError extends Error {
  constructor(problem: string) {
    super(problem);
    this.name = 'CorruptTreeError';
  }
}

export const SESSION_KEYS = { from: Buffer.of(SESSION), to: Buffer.of(SESSION + 1) } as const;
export const ZNODE_KEYS = { from: Buffer.of(ZNODE), to: Buffer.of(ZNODE + 1) } as const;

export function sessionKey(session: SessionId): Buffer {
  return Buffer.concat([Buffer.of(SESSION), Buffer.from(session, 'hex')]);
}

export function sessionOfKey(key: Buffer): SessionId {
  return key.toString('hex', 1);
}

export function znodeKey(path: string): Buffer {
  return Buffer.concat([Buffer.of(ZNODE), Buffer.from(path)]);
}

export function pathOfKey(key: Buffer): string {
  return key.toString('utf8', 1);
}

export function encodeMeta(lastZxid: number): Buffer {
  const record = Buffer.alloc(CRC_BYTES + 8);
  record.writeBigUInt64BE(BigInt(lastZxid), CRC_BYTES);
  return sealed(META_KEY, record);
}

/** @throws CorruptTreeError, as all of these. */
export function decodeMeta(record: Buffer): number {
  verify(META_KEY, record, CRC_BYTES + 8);
  return Number(record.readBigUInt64BE(CRC_BYTES));
}

export function encodeSession(session: SessionId, timeoutMs: number): Buffer {
  const record = Buffer.alloc(CRC_BYTES + 4);
  record.writeUInt32BE(timeoutMs, CRC_BYTES);
  return sealed(sessionKey(session), record);
}

export function decodeSession(key: Buffer, record: Buffer): number {
  verify(key, record, CRC_BYTES + 4);
  return record.readUInt32BE(CRC_BYTES);
}

export function encodeZnode(path: string, znode: ZnodeFields): Buffer {
  const entries = znode.acl.map(encodeEntry);
  const head = Buffer.alloc(ZNODE_HEAD_BYTES);
  let at = CRC_BYTES;
  for (const number of [znode.czxid, znode.mzxid, znode.pzxid, znode.ctimeMs, znode.mtimeMs]) {
    at = head.writeBigUInt64BE(BigInt(number), at);
  }
  at = head.writeUInt32BE(znode.version, at);
  at = head.writeInt32BE(znode.aversion, at);
  at = head.writeUInt32BE(znode.childrenCreated, at);
  at += head.write(znode.owner ?? NO_OWNER, at, 8, 'hex');
  head.writeUInt16BE(entries.length, at);
  return sealed(znodeKey(path), Buffer.concat([head, ...entries, znode.data]));
}

export function decodeZnode(key: Buffer, record: Buffer): ZnodeFields {
  verify(key, record, ZNODE_HEAD_BYTES);
  const long = (index: number) => Number(record.readBigUInt64BE(CRC_BYTES + 8 * index));
  const [czxid, mzxid, pzxid, ctimeMs, mtimeMs] = [long(0), long(1), long(2), long(3), long(4)];
  let at = CRC_BYTES + 40;
  const version = record.readUInt32BE(at);
  const aversion = record.readInt32BE(at + 4);
  const childrenCreated = record.readUInt32BE(at + 8);
  const ownerBits = record.toString('hex', at + 12, at + 20);
  const acl: AclEntry[] = [];
  const count = record.readUInt16BE(at + 20);
  at = ZNODE_HEAD_BYTES;
  for (let index = 0; index < count; index++) {
    const perms = record.readUInt8(at);
    const scheme = textAt(record, at + 1);
    const id = textAt(record, scheme.end);
    acl.push({ perms, scheme: scheme.text, id: id.text });
    at = id.end;
  }
  // A copy: the tree keeps it, and not the chunk that it was read with.
  const data = Buffer.from(record.subarray(at));
  const owner = ownerBits === NO_OWNER ? undefined : ownerBits;
  const times = { ctimeMs, mtimeMs };
  const counts = { version, aversion, childrenCreated };
  return { data, acl, owner, czxid, mzxid, pzxid, ...times, ...counts };
}

function encodeEntry({ perms, scheme, id }: AclEntry): Buffer {
  const texts = [scheme, id].map((text) => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    return Buffer.concat([length, bytes]);
  });
  return Buffer.concat([Buffer.of(perms), ...texts]);
}

function textAt(record: Buffer, at: number): { readonly text: string; readonly end: number } {
  const end = at + 2 + record.readUInt16BE(at);
  return { text: record.toString('utf8', at + 2, end), end };
}

function sealed(key: Buffer, record: Buffer): Buffer {
  record.writeUInt32BE(checksum(key, record), 0);
  return record;
}

function verify(key: Buffer, record: Buffer, bytesMin: number): void {
  const isSound = record.length >= bytesMin && record.readUInt32BE(0) === checksum(key, record);
  if (!isSound) throw new CorruptTreeError(`the record of ${key.toString('utf8')} is damaged`);
}

function checksum(key: Buffer, record: Buffer): number {
  return crc32(record.subarray(CRC_BYTES), crc32(key));
}
