/**
 * The three messages of the data path, by hand (`kv.proto` is their definition). The router reads
 * only the key; the node reads the rest. Both check the limits, so neither depends on the other.
 */
import type { CallKind } from '../model/calls.js';
import type { Seq } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import { RefusedError } from '../model/refusals.js';
import { FieldReader, varintBytes, WireError, writeVarint } from './protobuf.js';

/** What must hold of the key's current version (0 = absent) for a write to be applied. */
export type Condition =
  | { readonly type: 'always' }
  | { readonly type: 'version'; readonly is: number };

export interface GetCall {
  readonly kind: 'get';
  readonly key: Buffer;
}

export interface PutCall {
  readonly kind: 'put';
  readonly key: Buffer;
  readonly value: Buffer;
  readonly condition: Condition;
}

export interface DeleteCall {
  readonly kind: 'delete';
  readonly key: Buffer;
  readonly condition: Condition;
}

export type KvCall = GetCall | PutCall | DeleteCall;

const ALWAYS: Condition = { type: 'always' };
const NO_BYTES: Buffer = Buffer.alloc(0);

/** Field numbers, as `kv.proto` has them. */
const KEY = 1;
const VALUE = 2;
const IF_VERSION_OF_DELETE = 2;
const IF_VERSION = 3;
const IF_ABSENT = 4;
const TTL_MS = 5;
const REQUEST_ID = 6;

/**
 * The key of any of the three requests, without looking at the rest of the message.
 *
 * @throws RefusedError INVALID_REQUEST if there is none within the limits.
 */
export function keyOf(request: Buffer): Buffer {
  return refusingMalformed(() => {
    const fields = new FieldReader(request);
    let key = NO_BYTES;
    while (fields.next()) {
      if (fields.number === KEY) key = fields.bytes();
      else fields.skip();
    }
    return checkedKey(key);
  });
}

/**
 * The whole request.
 *
 * @throws RefusedError INVALID_REQUEST beyond a limit or if it does not parse, NOT_SUPPORTED for
 *   fields whose promise this version cannot keep.
 */
export function decodeCall(kind: CallKind, request: Buffer): KvCall {
  return refusingMalformed(() => {
    switch (kind) {
      case 'get':
        return { kind, key: keyOf(request) };
      case 'put':
        return decodePut(request);
      case 'delete':
        return decodeDelete(request);
    }
  });
}

function decodePut(request: Buffer): PutCall {
  const fields = new FieldReader(request);
  let key = NO_BYTES;
  let value = NO_BYTES;
  let condition = ALWAYS;
  while (fields.next()) {
    if (fields.number === KEY) key = fields.bytes();
    else if (fields.number === VALUE) value = fields.bytes();
    // Last one wins, as protobuf's oneof does.
    else if (fields.number === IF_VERSION) condition = { type: 'version', is: fields.varint() };
    else if (fields.number === IF_ABSENT) {
      condition = fields.varint() !== 0 ? { type: 'version', is: 0 } : ALWAYS;
    } else if (fields.number === TTL_MS) refuseUnlessZero(fields.varint(), 'ttl_ms');
    else if (fields.number === REQUEST_ID) throw notSupported('request_id');
    else fields.skip();
  }
  if (value.length > LIMITS.valueBytesMax) {
    throw new RefusedError(
      'INVALID_REQUEST',
      `the value has ${value.length} bytes, the limit is ${LIMITS.valueBytesMax}`,
    );
  }
  return { kind: 'put', key: checkedKey(key), value, condition };
}

function decodeDelete(request: Buffer): DeleteCall {
  const fields = new FieldReader(request);
  let key = NO_BYTES;
  let condition = ALWAYS;
  while (fields.next()) {
    if (fields.number === KEY) key = fields.bytes();
    else if (fields.number === IF_VERSION_OF_DELETE) {
      const version = fields.varint();
      condition = version === 0 ? ALWAYS : { type: 'version', is: version };
    } else if (fields.number === REQUEST_ID) throw notSupported('request_id');
    else fields.skip();
  }
  return { kind: 'delete', key: checkedKey(key), condition };
}

/** A GetResponse; undefined = the key is absent. */
export function encodeGetResponse(
  record: { readonly value: Buffer; readonly version: Seq } | undefined,
): Buffer {
  if (record === undefined) return NO_BYTES;
  const { value, version } = record;
  // Protobuf leaves out fields that hold their default: an empty value is no bytes at all.
  const valueBytes = value.length === 0 ? 0 : 1 + varintBytes(value.length) + value.length;
  const response = Buffer.allocUnsafe(2 + valueBytes + 1 + varintBytes(version));
  let at = 0;
  response[at++] = 0x08; // found
  response[at++] = 1;
  if (value.length > 0) {
    response[at++] = 0x12; // value
    at = writeVarint(response, at, value.length);
    at += value.copy(response, at);
  }
  response[at++] = 0x18; // version
  writeVarint(response, at, version);
  return response;
}

/** A PutResponse or a DeleteResponse: they look the same. */
export function encodeWriteResponse(applied: boolean, version: number): Buffer {
  const response = Buffer.allocUnsafe(
    (applied ? 2 : 0) + (version > 0 ? 1 + varintBytes(version) : 0),
  );
  let at = 0;
  if (applied) {
    response[at++] = 0x08;
    response[at++] = 1;
  }
  if (version > 0) {
    response[at++] = 0x10;
    writeVarint(response, at, version);
  }
  return response;
}

function checkedKey(key: Buffer): Buffer {
  if (key.length < LIMITS.keyBytesMin || key.length > LIMITS.keyBytesMax) {
    throw new RefusedError(
      'INVALID_REQUEST',
      `the key has ${key.length} bytes, allowed are ${LIMITS.keyBytesMin} to ${LIMITS.keyBytesMax}`,
    );
  }
  return key;
}

/** Ignoring a field would break the promise its sender counts on. */
function notSupported(field: string): RefusedError {
  return new RefusedError('NOT_SUPPORTED', `${field} is not supported by this version`);
}

function refuseUnlessZero(value: number, field: string): void {
  if (value !== 0) throw notSupported(field);
}

function refusingMalformed<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof WireError) {
      throw new RefusedError('INVALID_REQUEST', error.message, { cause: error });
    }
    throw error;
  }
}
