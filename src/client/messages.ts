/** Requests and responses of the KV service by hand, for the price of a copy (`kv.proto`). */
import { FieldReader, varintBytes, writeVarint } from '../wire/protobuf.js';

/** What must hold of the key for a write: its version, 0 = absent; undefined = nothing. */
export type IfVersion = number | undefined;

export interface FoundValue {
  readonly value: Buffer;
  /** Strictly increasing over the life of a key, never reused. */
  readonly version: number;
}

export interface WriteResult {
  /** False: the condition did not hold, and nothing was changed. */
  readonly applied: boolean;
  readonly version: number;
}

const KEY = 1;
const VALUE = 2;
const PUT_IF_VERSION = 3;
const DELETE_IF_VERSION = 2;

export function encodeGet(key: Uint8Array): Buffer {
  return encode([[KEY, key]], []);
}

export function encodePut(key: Uint8Array, value: Uint8Array, ifVersion: IfVersion): Buffer {
  // A member of a oneof is written even if it is 0.
  const condition: NumberField[] = ifVersion === undefined ? [] : [[PUT_IF_VERSION, ifVersion]];
  return encode(
    [
      [KEY, key],
      [VALUE, value],
    ],
    condition,
  );
}

export function encodeDelete(key: Uint8Array, ifVersion: IfVersion): Buffer {
  return encode([[KEY, key]], ifVersion === undefined ? [] : [[DELETE_IF_VERSION, ifVersion]]);
}

/** Undefined if the key is absent. @throws WireError */
export function decodeGetResponse(bytes: Buffer): FoundValue | undefined {
  const fields = new FieldReader(bytes);
  let found = false;
  let value: Buffer = Buffer.alloc(0);
  let version = 0;
  while (fields.next()) {
    if (fields.number === 1) found = fields.varint() !== 0;
    else if (fields.number === 2) value = fields.bytes();
    else if (fields.number === 3) version = fields.varint();
    else fields.skip();
  }
  return found ? { value, version } : undefined;
}

/** @throws WireError */
export function decodeWriteResponse(bytes: Buffer): WriteResult {
  const fields = new FieldReader(bytes);
  let applied = false;
  let version = 0;
  while (fields.next()) {
    if (fields.number === 1) applied = fields.varint() !== 0;
    else if (fields.number === 2) version = fields.varint();
    else fields.skip();
  }
  return { applied, version };
}

type BytesField = readonly [number: number, bytes: Uint8Array];
type NumberField = readonly [number: number, value: number];

function encode(bytesFields: readonly BytesField[], numberFields: readonly NumberField[]): Buffer {
  let size = 0;
  for (const [, bytes] of bytesFields) size += 1 + varintBytes(bytes.length) + bytes.length;
  for (const [, value] of numberFields) size += 1 + varintBytes(value);
  const message = Buffer.allocUnsafe(size);
  let at = 0;
  for (const [number, bytes] of bytesFields) {
    message[at] = number * 8 + 2;
    at = writeVarint(message, at + 1, bytes.length);
    message.set(bytes, at);
    at += bytes.length;
  }
  for (const [number, value] of numberFields) {
    message[at] = number * 8;
    at = writeVarint(message, at + 1, value);
  }
  return message;
}
