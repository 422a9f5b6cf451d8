/**
 * An entry: the writes that one shard took in one round, as one position range of its log. The
 * primary seals it once; the same bytes are sent, logged and, in slices, stored by every replica.
 *
 *   entry   = 01 epoch:u48 first:u64 count:u32 commitSeq:u64 previous:16 op*
 *   op      = kind:u8 extraBytes:u8 keyBytes:u16 recordBytes:u32 key extra record
 *   kind    = 01 (put: record is a data-record) / 02 (delete) / 03 (barrier: no key, no record)
 *
 * Numbers are big-endian. Op i of `count` has position first + i, so positions are the versions of
 * keys; a barrier takes one as well. `commitSeq` is what the primary knew to be committed when it
 * sealed the entry: after a restart a replica knows from its newest entry what it may apply.
 * `previous` is the chain of the entry before, and the chain of an entry is the first 16 bytes of
 * SHA-256 over all of its bytes: two replicas that hold an entry with the same chain hold the same
 * log up to there (S8). `extra` is where request ids will go; it is empty.
 *
 * Worked example: the first entry of a shard, epoch 1, one put of key "k" = "hi":
 *   01 000000000001 0000000000000001 00000001 0000000000000000 00000000000000000000000000000000
 *   01 00 0001 00000010 6b 01 ba9d5c0d 00 0000000000000001 6869
 */
import { hash } from 'node:crypto';
import type { Epoch, Seq } from '../model/ids.js';
import { dataRecordBytes, readU64, writeDataRecord, writeU64 } from './data-record.js';

declare const brand: unique symbol;
/** 32 hex digits: what a log holds up to and with one entry, as one number. */
export type Chain = string & { readonly [brand]: 'Chain' };

/** The chain before the first entry of a log. */
export const NO_CHAIN = '0'.repeat(32) as Chain;

/** The end of an entry in a log; equal positions mean equal logs up to there (S8). */
export interface Position {
  readonly seq: Seq;
  readonly epoch: Epoch;
  readonly chain: Chain;
}

/** Without what else its holder knows of it. */
export function positionOf({ seq, epoch, chain }: Position): Position {
  return { seq, epoch, chain };
}

/** Where a log begins. */
export const LOG_START: Position = { seq: 0 as Seq, epoch: 0 as Epoch, chain: NO_CHAIN };

export interface Entry extends Position {
  /** Position of its first op; `seq` is that of its last. */
  readonly first: Seq;
  readonly previous: Chain;
  readonly commitSeq: Seq;
  readonly bytes: Buffer;
}

/** A write with its position, as slices of its entry where it comes from one. */
export type Op =
  | { readonly type: 'put'; readonly seq: Seq; readonly key: Buffer; readonly record: Buffer }
  | { readonly type: 'delete'; readonly seq: Seq; readonly key: Buffer }
  | { readonly type: 'barrier'; readonly seq: Seq };

/** A write before it is sealed: its position follows from its place in the list. */
export type Draft =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'delete'; readonly key: Buffer }
  | { readonly type: 'barrier' };

/** These bytes are no entry. */
export class MalformedEntryError extends Error {
  constructor(problem: string) {
    super(`malformed entry: ${problem}`);
    this.name = 'MalformedEntryError';
  }
}

const FORMAT = 1;
const EPOCH_AT = 1;
const FIRST_AT = 7;
const COUNT_AT = 15;
const COMMIT_AT = 19;
const PREVIOUS_AT = 27;
const CHAIN_BYTES = 16;
const OPS_AT = PREVIOUS_AT + CHAIN_BYTES;
const OP_HEAD_BYTES = 8;
const KINDS = { put: 1, delete: 2, barrier: 3 } as const;
const NOTHING = Buffer.alloc(0);

/** Makes the entry that follows `previous`. */
export function sealEntry(
  previous: Position,
  { epoch, commitSeq }: { readonly epoch: Epoch; readonly commitSeq: Seq },
  drafts: readonly Draft[],
): Entry {
  let length = OPS_AT;
  for (const draft of drafts) length += OP_HEAD_BYTES + bodyBytes(draft);
  const bytes = Buffer.allocUnsafe(length);
  const first = (previous.seq + 1) as Seq;
  bytes[0] = FORMAT;
  bytes.writeUIntBE(epoch, EPOCH_AT, 6);
  writeU64(bytes, FIRST_AT, first);
  bytes.writeUInt32BE(drafts.length, COUNT_AT);
  writeU64(bytes, COMMIT_AT, commitSeq);
  bytes.write(previous.chain, PREVIOUS_AT, 'hex');
  let at = OPS_AT;
  for (const [index, draft] of drafts.entries()) {
    at = writeOp(bytes, at, draft, (first + index) as Seq);
  }
  const seq = (previous.seq + drafts.length) as Seq;
  return {
    first,
    seq,
    epoch,
    commitSeq,
    previous: previous.chain,
    chain: chainOf(bytes),
    bytes,
  };
}

/**
 * The entry in these bytes, checked to its last byte.
 *
 * @throws MalformedEntryError
 */
export function parseEntry(bytes: Buffer): Entry {
  if (bytes.length < OPS_AT) throw new MalformedEntryError('too short');
  if (bytes[0] !== FORMAT) throw new MalformedEntryError(`format ${bytes[0] ?? 0}`);
  const first = readU64(bytes, FIRST_AT) as Seq;
  const count = bytes.readUInt32BE(COUNT_AT);
  const seq = (first + count - 1) as Seq;
  const commitSeq = readU64(bytes, COMMIT_AT) as Seq;
  if (count === 0 || first < 1 || !Number.isSafeInteger(seq)) {
    throw new MalformedEntryError('no positions');
  }
  if (commitSeq >= first) throw new MalformedEntryError('committed before it was sealed');
  let at = OPS_AT;
  for (let index = 0; index < count; index++) at = endOfOp(bytes, at);
  if (at !== bytes.length) throw new MalformedEntryError('bytes behind its last op');
  return {
    first,
    seq,
    epoch: bytes.readUIntBE(EPOCH_AT, 6) as Epoch,
    commitSeq,
    previous: bytes.toString('hex', PREVIOUS_AT, OPS_AT) as Chain,
    chain: chainOf(bytes),
    bytes,
  };
}

/** The writes of an entry, in order. Keys and records are slices of its bytes. */
export function* opsOf({ bytes, first, seq }: Entry): Generator<Op> {
  let at = OPS_AT;
  for (let position = first; position <= seq; position++) {
    const end = endOfOp(bytes, at);
    const keyAt = at + OP_HEAD_BYTES;
    const key = bytes.subarray(keyAt, keyAt + bytes.readUInt16BE(at + 2));
    const kind = bytes[at];
    if (kind === KINDS.put) {
      const record = bytes.subarray(end - bytes.readUInt32BE(at + 4), end);
      yield { type: 'put', seq: position, key, record };
    } else if (kind === KINDS.delete) yield { type: 'delete', seq: position, key };
    else yield { type: 'barrier', seq: position };
    at = end;
  }
}

function chainOf(bytes: Buffer): Chain {
  return hash('sha256', bytes, 'hex').slice(0, 2 * CHAIN_BYTES) as Chain;
}

function bodyBytes(draft: Draft): number {
  if (draft.type === 'barrier') return 0;
  return draft.key.length + (draft.type === 'put' ? dataRecordBytes(draft.value.length) : 0);
}

function writeOp(bytes: Buffer, at: number, draft: Draft, seq: Seq): number {
  const key = draft.type === 'barrier' ? NOTHING : draft.key;
  const recordBytes = draft.type === 'put' ? dataRecordBytes(draft.value.length) : 0;
  bytes[at] = KINDS[draft.type];
  bytes[at + 1] = 0;
  bytes.writeUInt16BE(key.length, at + 2);
  bytes.writeUInt32BE(recordBytes, at + 4);
  key.copy(bytes, at + OP_HEAD_BYTES);
  const recordAt = at + OP_HEAD_BYTES + key.length;
  if (draft.type === 'put') {
    writeDataRecord(bytes, recordAt, { key, value: draft.value, seq });
  }
  return recordAt + recordBytes;
}

/** Where the op at `at` ends. @throws MalformedEntryError */
function endOfOp(bytes: Buffer, at: number): number {
  if (at + OP_HEAD_BYTES > bytes.length) throw new MalformedEntryError('an op cut off');
  const kind = bytes[at];
  const keyBytes = bytes.readUInt16BE(at + 2);
  const recordBytes = bytes.readUInt32BE(at + 4);
  const end = at + OP_HEAD_BYTES + keyBytes + (bytes[at + 1] ?? 0) + recordBytes;
  if (end > bytes.length) throw new MalformedEntryError('an op cut off');
  const isSound =
    kind === KINDS.put
      ? keyBytes > 0 && recordBytes >= dataRecordBytes(0)
      : kind === KINDS.delete
        ? keyBytes > 0 && recordBytes === 0
        : kind === KINDS.barrier && keyBytes + recordBytes === 0;
  if (!isSound) throw new MalformedEntryError(`an op of kind ${kind ?? 0} with such a key`);
  return end;
}
