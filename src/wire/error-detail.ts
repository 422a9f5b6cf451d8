/**
 * ErrorDetail by hand (`errors.proto`): what a definite refusal says, in the trailer of a gRPC
 * status and in the response records of a frame. Roles read and write it without a gRPC library.
 *
 * The code is the contract. A reader that does not know a code still has the retry advice and the
 * outcome; a hint that does not parse is left out, because a hint is only ever a shortcut.
 */
import type { ShardId } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import { BadRecordError } from '../model/records.js';
import {
  isRefusalCode,
  RefusedError,
  type RefusalHint,
  type RetryAdvice,
} from '../model/refusals.js';
import { decodeShardConfig, encodeShardConfig } from '../model/shard-config.js';
import { FieldReader, varintBytes, writeVarint } from './protobuf.js';

export interface ErrorDetail {
  readonly code: string;
  readonly retry: RetryAdvice;
  readonly outcome: 'not-applied' | 'unknown';
  readonly hint: RefusalHint | undefined;
  /** For people; may be empty. */
  readonly message: string;
}

/** In the order of the enum `Retry`, from 1. */
const RETRIES: readonly RetryAdvice[] = ['never', 'refresh-map', 'backoff'];
const OUTCOME_NOT_APPLIED = 1;

/** Field numbers, as `errors.proto` has them. */
const CODE = 1;
const RETRY = 2;
const OUTCOME = 3;
const HINT = 4;
const MESSAGE = 5;
const MESSAGE_BYTES_MAX = 512;
const HINT_SHARD = 1;
const HINT_EPOCH = 2;
const HINT_PRIMARY = 3;
const HINT_ADDRESS = 4;
const HINT_CONFIG = 5;
const HINT_CONFIG_VERSION = 6;

export function encodeErrorDetail(detail: ErrorDetail): Buffer {
  const { code, retry, outcome, hint, message } = detail;
  return Buffer.concat([
    bytesField(CODE, Buffer.from(code)),
    numberField(RETRY, RETRIES.indexOf(retry) + 1),
    numberField(OUTCOME, outcome === 'not-applied' ? OUTCOME_NOT_APPLIED : 0),
    ...(hint === undefined ? [] : [bytesField(HINT, encodeHint(hint))]),
    bytesField(MESSAGE, Buffer.from(message).subarray(0, MESSAGE_BYTES_MAX)),
  ]);
}

/** @throws WireError if the bytes are no ErrorDetail. */
export function decodeErrorDetail(bytes: Buffer): ErrorDetail {
  const fields = new FieldReader(bytes);
  let code = '';
  let retry: RetryAdvice = 'never';
  let outcome: ErrorDetail['outcome'] = 'unknown';
  let hint: RefusalHint | undefined;
  let message = '';
  while (fields.next()) {
    if (fields.number === CODE) code = fields.bytes().toString('utf8');
    else if (fields.number === RETRY) retry = RETRIES[fields.varint() - 1] ?? 'never';
    else if (fields.number === OUTCOME) {
      outcome = fields.varint() === OUTCOME_NOT_APPLIED ? 'not-applied' : 'unknown';
    } else if (fields.number === HINT) hint = decodeHint(fields.bytes());
    else if (fields.number === MESSAGE) message = fields.bytes().toString('utf8');
    else fields.skip();
  }
  return { code, retry, outcome, hint, message };
}

/** The refusal behind a detail; undefined if this version does not know its code. */
export function refusalOfDetail(
  { code, hint }: ErrorDetail,
  message: string,
): RefusedError | undefined {
  return isRefusalCode(code) ? new RefusedError(code, message, { hint }) : undefined;
}

function encodeHint({ config, version, address }: RefusalHint): Buffer {
  return Buffer.concat([
    numberField(HINT_SHARD, config.shard),
    numberField(HINT_EPOCH, config.epoch),
    bytesField(HINT_PRIMARY, Buffer.from(config.primary)),
    bytesField(HINT_ADDRESS, Buffer.from(address ?? '')),
    bytesField(HINT_CONFIG, encodeShardConfig(config)),
    numberField(HINT_CONFIG_VERSION, version),
  ]);
}

function decodeHint(bytes: Buffer): RefusalHint | undefined {
  const fields = new FieldReader(bytes);
  let shard = 0;
  let address = '';
  let config: Buffer = Buffer.alloc(0);
  let version = 0;
  while (fields.next()) {
    if (fields.number === HINT_SHARD) shard = fields.varint();
    else if (fields.number === HINT_ADDRESS) address = fields.bytes().toString('utf8');
    else if (fields.number === HINT_CONFIG) config = fields.bytes();
    else if (fields.number === HINT_CONFIG_VERSION) version = fields.varint();
    else fields.skip();
  }
  if (shard >= LIMITS.shardsMax) return undefined;
  try {
    return {
      config: decodeShardConfig(shard as ShardId, config),
      version,
      address: address === '' ? undefined : address,
    };
  } catch (error) {
    if (error instanceof BadRecordError) return undefined;
    throw error;
  }
}

/** Protobuf leaves out fields that hold their default. */
function bytesField(number: number, bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes;
  const field = Buffer.allocUnsafe(1 + varintBytes(bytes.length) + bytes.length);
  field[0] = number * 8 + 2;
  bytes.copy(field, writeVarint(field, 1, bytes.length));
  return field;
}

function numberField(number: number, value: number): Buffer {
  if (value <= 0) return Buffer.alloc(0);
  const field = Buffer.allocUnsafe(1 + varintBytes(value));
  field[0] = number * 8;
  writeVarint(field, 1, value);
  return field;
}
