/** Requests and responses of the KV service by hand, for the price of a copy (`kv.proto`). */
import {
  FieldReader,
  varintBytes,
  WIRE_BYTES,
  WIRE_VARINT,
  writeVarint,
} from '../wire/protobuf.js';

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
  const message = Buffer.allocUnsafe(bytesSize(key));
  writeBytes(message, 0, KEY, key);
  return message;
}

export function encodePut(key: Uint8Array, value: Uint8Array, ifVersion: IfVersion): Buffer {
  const size = bytesSize(key) + bytesSize(value) + conditionSize(ifVersion);
  const message = Buffer.allocUnsafe(size);
  const at = writeBytes(message, writeBytes(message, 0, KEY, key), VALUE, value);
  writeCondition(message, at, PUT_IF_VERSION, ifVersion);
  return message;
}

export function encodeDelete(key: Uint8Array, ifVersion: IfVersion): Buffer {
  const message = Buffer.allocUnsafe(bytesSize(key) + conditionSize(ifVersion));
  writeCondition(message, writeBytes(message, 0, KEY, key), DELETE_IF_VERSION, ifVersion);
  return message;
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

function bytesSize(bytes: Uint8Array): number {
  return 1 + varintBytes(bytes.length) + bytes.length;
}

/** Returns the position behind the field. */
function writeBytes(message: Buffer, at: number, field: number, bytes: Uint8Array): number {
  message[at] = field * 8 + WIRE_BYTES;
  const start = writeVarint(message, at + 1, bytes.length);
  message.set(bytes, start);
  return start + bytes.length;
}

/** A member of a oneof is written even if it is 0. */
function conditionSize(ifVersion: IfVersion): number {
  return ifVersion === undefined ? 0 : 1 + varintBytes(ifVersion);
}

function writeCondition(message: Buffer, at: number, field: number, ifVersion: IfVersion): void {
  if (ifVersion === undefined) return;
  message[at] = field * 8 + WIRE_VARINT;
  writeVarint(message, at + 1, ifVersion);
}
