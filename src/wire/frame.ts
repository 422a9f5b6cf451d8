/**
 * Frames: many calls in one stream message, between routers (or smart clients) and storage nodes.
 *
 * A stream message costs 25 to 40 us of CPU at each end however small it is, so everything that is
 * ready to go travels together. Payload bytes are copied once into the frame and never decoded
 * between the client and the node.
 *
 * On the stream a frame is the message `Frame` (`frame-message.ts`); one of requests says when it
 * was sent. Records follow each other without padding. All their numbers are big-endian.
 *
 *   request  = length:u32 call:u32 kind:u8 shard:u16 epoch:u48 budgetMs:u32 payload
 *   response = length:u32 call:u32 status:u8 payload
 *
 * `length` counts the bytes behind it. `call` is chosen by the caller, unique on its stream while
 * the call is open. `epoch` is the shard's epoch in the caller's map. `budgetMs` is how long the
 * caller will wait: time left, not a time of day, so no clocks are compared. The payload is the
 * KV request as received (`kv.proto`). Response status 0: the payload is the KV response. Status
 * 1: the payload is an ErrorDetail. Status 2: as 1, but the outcome is unknown.
 *
 * Worked example, a Get of key "k" (0a 01 6b), call 7, shard 5, epoch 3, 1,000 ms:
 *   00000014 00000007 01 0005 000000000003 000003e8 0a016b
 * As a frame, sent at 1.5 ms of the sender's clock:
 *   0a18 (the 24 bytes above) 11 000000000000f83f
 */
import type { CallKind } from '../model/calls.js';
import type { Epoch, ShardId } from '../model/ids.js';
import { allocateFrame, decodeRecords, LENGTH_BYTES } from './frame-message.js';
import { WireError } from './protobuf.js';

export interface RequestRecord {
  readonly call: number;
  readonly kind: CallKind;
  readonly shard: ShardId;
  readonly epoch: Epoch;
  /** Milliseconds the caller will still wait, at least 0. */
  readonly budgetMs: number;
  readonly payload: Buffer;
}

export type ResponseStatus = 'ok' | 'refused' | 'unknown';

export interface ResponseRecord {
  readonly call: number;
  readonly status: ResponseStatus;
  readonly payload: Buffer;
}

const KINDS: readonly CallKind[] = ['get', 'put', 'delete'];
const STATUSES: readonly ResponseStatus[] = ['ok', 'refused', 'unknown'];

const REQUEST_HEAD_BYTES = LENGTH_BYTES + 4 + 1 + 2 + 6 + 4;
const RESPONSE_HEAD_BYTES = LENGTH_BYTES + 4 + 1;

/** Bytes a request takes in a frame. */
export function requestRecordBytes(payloadBytes: number): number {
  return REQUEST_HEAD_BYTES + payloadBytes;
}

/** Bytes a response takes in a frame. */
export function responseRecordBytes(payloadBytes: number): number {
  return RESPONSE_HEAD_BYTES + payloadBytes;
}

/** `sentMs`: now, by the sender's monotonic clock. */
export function encodeRequests(requests: readonly RequestRecord[], sentMs: number): Buffer {
  const bytes = requests.reduce((sum, { payload }) => sum + requestRecordBytes(payload.length), 0);
  const { frame, start } = allocateFrame(bytes, sentMs);
  let at = start;
  for (const request of requests) {
    frame.writeUInt32BE(REQUEST_HEAD_BYTES - LENGTH_BYTES + request.payload.length, at);
    frame.writeUInt32BE(request.call, at + 4);
    frame.writeUInt8(KINDS.indexOf(request.kind) + 1, at + 8);
    frame.writeUInt16BE(request.shard, at + 9);
    frame.writeUIntBE(request.epoch, at + 11, 6);
    frame.writeUInt32BE(Math.max(0, Math.floor(request.budgetMs)), at + 17);
    request.payload.copy(frame, at + REQUEST_HEAD_BYTES);
    at += REQUEST_HEAD_BYTES + request.payload.length;
  }
  return frame;
}

/** @throws WireError if the bytes are not a frame of requests. */
export function decodeRequests(frame: Buffer): RequestRecord[] {
  return decodeRecords(frame, REQUEST_HEAD_BYTES, (at, payload) => {
    const kind = KINDS[frame.readUInt8(at + 8) - 1];
    if (kind === undefined) throw new WireError('a request of unknown kind');
    return {
      call: frame.readUInt32BE(at + 4),
      kind,
      shard: frame.readUInt16BE(at + 9) as ShardId,
      epoch: frame.readUIntBE(at + 11, 6) as Epoch,
      budgetMs: frame.readUInt32BE(at + 17),
      payload,
    };
  });
}

export function encodeResponses(responses: readonly ResponseRecord[]): Buffer {
  const bytes = responses.reduce(
    (sum, { payload }) => sum + responseRecordBytes(payload.length),
    0,
  );
  const { frame, start } = allocateFrame(bytes);
  let at = start;
  for (const response of responses) {
    frame.writeUInt32BE(RESPONSE_HEAD_BYTES - LENGTH_BYTES + response.payload.length, at);
    frame.writeUInt32BE(response.call, at + 4);
    frame.writeUInt8(STATUSES.indexOf(response.status), at + 8);
    response.payload.copy(frame, at + RESPONSE_HEAD_BYTES);
    at += RESPONSE_HEAD_BYTES + response.payload.length;
  }
  return frame;
}

/** @throws WireError if the bytes are not a frame of responses. */
export function decodeResponses(frame: Buffer): ResponseRecord[] {
  return decodeRecords(frame, RESPONSE_HEAD_BYTES, (at, payload) => {
    const status = STATUSES[frame.readUInt8(at + 8)];
    if (status === undefined) throw new WireError('a response of unknown status');
    return { call: frame.readUInt32BE(at + 4), status, payload };
  });
}
