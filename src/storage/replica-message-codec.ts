/**
 * The messages of `replication/messages.ts` as bytes: what a record of `replication-frame.ts` holds
 * behind its shard. The grammar is there. An entry is copied once, as it is, and parsed again where
 * it arrives: a receiver trusts no sender to have checked it.
 */
import { assert, unreachable } from '../model/assert.js';
import {
  MalformedEntryError,
  parseEntry,
  type Entry,
  type Position,
} from '../replication/entry.js';
import type { PrepareEntry, ReplicaMessage } from '../replication/messages.js';
import { WireError } from '../wire/protobuf.js';
import type { RecordReader } from './record-reader.js';
import {
  EPOCH_BYTES,
  NUMBER_BYTES,
  POSITION_BYTES,
  type RecordWriter,
  SEQ_BYTES,
} from './record-writer.js';

/**
 * Positions of a tail. It holds the entries of a window and of the epochs that began since
 * something was committed; that many there never are.
 */
export const TAIL_POSITIONS_MAX = 16_384;

/** The kind of record that holds each message. */
export const MESSAGE_KINDS = {
  attach: 0x10,
  attached: 0x11,
  resume: 0x12,
  prepare: 0x13,
  prepareAck: 0x14,
  commit: 0x15,
  install: 0x16,
  installed: 0x17,
  refused: 0x18,
  detached: 0x19,
  diverged: 0x1a,
} as const satisfies Record<ReplicaMessage['type'], number>;

/** By kind. */
export const MESSAGE_TYPES: ReadonlyMap<number, ReplicaMessage['type']> = new Map(
  Object.entries(MESSAGE_KINDS).map(([type, kind]) => [kind, type as ReplicaMessage['type']]),
);

export function messageBytes(message: ReplicaMessage): number {
  switch (message.type) {
    case 'detached':
    case 'diverged':
      return EPOCH_BYTES;
    case 'install':
      return EPOCH_BYTES + NUMBER_BYTES;
    case 'attach':
      return EPOCH_BYTES + NUMBER_BYTES + POSITION_BYTES;
    case 'attached':
      return EPOCH_BYTES + NUMBER_BYTES + 1 + 2 + message.tail.length * POSITION_BYTES;
    case 'resume':
    case 'prepareAck':
    case 'installed':
      return EPOCH_BYTES + POSITION_BYTES;
    case 'prepare':
      return EPOCH_BYTES + 2 * SEQ_BYTES + bytesOf(message.entry).length;
    case 'commit':
      return EPOCH_BYTES + 2 * SEQ_BYTES;
    case 'refused':
      return EPOCH_BYTES + EPOCH_BYTES;
    default:
      return unreachable(message);
  }
}

export function writeMessage(writer: RecordWriter, message: ReplicaMessage): void {
  writer.epoch(message.epoch);
  switch (message.type) {
    case 'detached':
    case 'diverged':
      return;
    case 'install':
      return writer.u32(message.number);
    case 'attach':
      writer.u32(message.number);
      return writer.position(message.after);
    case 'attached':
      writer.u32(message.number);
      writer.u8(message.follows ? 1 : 0);
      return writeTail(writer, message.tail);
    case 'resume':
      return writer.position(message.match);
    case 'prepare':
      writer.seq(message.commitSeq);
      writer.seq(message.baseSeq);
      return writer.bytes(bytesOf(message.entry));
    case 'prepareAck':
      return writer.position(message.position);
    case 'commit':
      writer.seq(message.commitSeq);
      return writer.seq(message.baseSeq);
    case 'installed':
      return writer.position(message.base);
    case 'refused':
      return writer.epoch(message.promised);
    default:
      return unreachable(message);
  }
}

/** @throws WireError */
export function readMessage(reader: RecordReader, type: ReplicaMessage['type']): ReplicaMessage {
  const epoch = reader.epoch();
  switch (type) {
    case 'detached':
    case 'diverged':
      return { type, epoch };
    case 'install':
      return { type, epoch, number: reader.u32() };
    case 'attach':
      return { type, epoch, number: reader.u32(), after: reader.position() };
    case 'attached': // In the order of the bytes.
      return {
        type,
        epoch,
        number: reader.u32(),
        follows: readFlag(reader),
        tail: readTail(reader),
      };
    case 'resume':
      return { type, epoch, match: reader.position() };
    case 'prepare': {
      const [commitSeq, baseSeq] = [reader.seq(), reader.seq()];
      return { type, epoch, entry: readEntry(reader.rest()), commitSeq, baseSeq };
    }
    case 'prepareAck':
      return { type, epoch, position: reader.position() };
    case 'commit':
      return { type, epoch, commitSeq: reader.seq(), baseSeq: reader.seq() };
    case 'installed':
      return { type, epoch, base: reader.position() };
    case 'refused':
      return { type, epoch, promised: reader.epoch() };
    default:
      return unreachable(type);
  }
}

function writeTail(writer: RecordWriter, tail: readonly Position[]): void {
  assert(tail.length <= TAIL_POSITIONS_MAX, 'a tail is bounded', () => ({ count: tail.length }));
  writer.u16(tail.length);
  for (const position of tail) writer.position(position);
}

function readFlag(reader: RecordReader): boolean {
  const flag = reader.u8();
  if (flag > 1) throw new WireError(`a flag of ${flag}`);
  return flag === 1;
}

function readTail(reader: RecordReader): Position[] {
  const count = reader.u16();
  if (count > TAIL_POSITIONS_MAX) throw new WireError(`a tail of ${count} positions`);
  const tail: Position[] = [];
  for (let last = -1; tail.length < count; ) {
    const position = reader.position();
    if (position.seq <= last) throw new WireError('a tail out of order');
    last = position.seq;
    tail.push(position);
  }
  return tail;
}

function bytesOf({ bytes, seq }: PrepareEntry): Buffer {
  assert(bytes !== undefined, 'an entry travels with its bytes', () => ({ seq }));
  return bytes;
}

function readEntry(bytes: Buffer): Entry {
  try {
    return parseEntry(bytes);
  } catch (error) {
    if (!(error instanceof MalformedEntryError)) throw error;
    throw new WireError(error.message, { cause: error });
  }
}
