/**
 * The callers' side of the data path's messages, by hand (`kv.proto` is their definition): what a
 * client that speaks to storage nodes itself writes and reads.
 */
import type { Seq } from '../model/ids.js';
import { FieldReader, varintBytes, WireError, writeVarint } from './protobuf.js';

/** What a read found. */
export interface FoundRecord {
  /** A slice of the response, not a copy. */
  readonly value: Buffer;
  readonly version: Seq;
}

export interface WriteResult {
  readonly applied: boolean;
  readonly version: number;
}

/** Tags of the fields: number and wire type. */
const KEY = 0x0a;
const VALUE = 0x12;
const NO_BYTES: Buffer = Buffer.alloc(0);

/** A GetRequest, or an unconditional DeleteRequest: they look the same. */
export function encodeKeyRequest(key: Buffer): Buffer {
  const request = Buffer.allocUnsafe(fieldBytes(key));
  writeField(request, 0, KEY, key);
  return request;
}

/** An unconditional PutRequest. */
export function encodePutRequest(key: Buffer, value: Buffer): Buffer {
  const request = Buffer.allocUnsafe(fieldBytes(key) + fieldBytes(value));
  writeField(request, writeField(request, 0, KEY, key), VALUE, value);
  return request;
}

/**
 * Undefined = the key is absent.
 *
 * @throws WireError if it is no GetResponse.
 */
export function decodeGetResponse(response: Buffer): FoundRecord | undefined {
  const fields = new FieldReader(response);
  let found = false;
  let value = NO_BYTES;
  let version = 0;
  while (fields.next()) {
    if (fields.number === 1) found = fields.varint() !== 0;
    else if (fields.number === 2) value = fields.bytes();
    else if (fields.number === 3) version = fields.varint();
    else fields.skip();
  }
  if (!found) return undefined;
  if (version === 0) throw new WireError('a record without a version');
  return { value, version: version as Seq };
}

/** @throws WireError if it is no PutResponse or DeleteResponse. */
export function decodeWriteResponse(response: Buffer): WriteResult {
  const fields = new FieldReader(response);
  let applied = false;
  let version = 0;
  while (fields.next()) {
    if (fields.number === 1) applied = fields.varint() !== 0;
    else if (fields.number === 2) version = fields.varint();
    else fields.skip();
  }
  return { applied, version };
}

function fieldBytes(bytes: Buffer): number {
  return 1 + varintBytes(bytes.length) + bytes.length;
}

function writeField(target: Buffer, at: number, tag: number, bytes: Buffer): number {
  target[at] = tag;
  const start = writeVarint(target, at + 1, bytes.length);
  return start + bytes.copy(target, start);
}
