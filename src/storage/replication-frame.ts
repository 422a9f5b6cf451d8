/**
 * Frames between storage nodes: everything that one node has to tell another for all shards they
 * share, as many records in one stream message. On the stream a frame is the message `Frame`
 * (`wire/frame-message.ts`) without `sent_ms`. All numbers are big-endian.
 *
 *   record    = length:u32 kind:u8 body            `length` counts the bytes behind it
 *   S         = shard:u16 shardUuid:16             below LIMITS.shardsMax
 *   P         = seq:u64 epoch:u48 chain:16         a position; seq is at most 2^53 - 1
 *
 *   hello     = nodeBytes:u8 node store:16 process:16 clusterUuid:16         kind 01 (hex, as all)
 *   beat, beatAck                            = number:u32                    kinds 02, 03
 *   leaving                                                                  kind 04
 *   detached, diverged                       = S epoch:u48                   kinds 19, 1a
 *   install                                  = S epoch:u48 number:u32        kind 16
 *   attach                                   = S epoch:u48 number:u32 P      kind 10
 *   attached  = S epoch:u48 number:u32 follows:u8 count:u16 P*               kind 11
 *   resume, prepareAck, installed            = S epoch:u48 P                 kinds 12, 14, 17
 *   prepare   = S epoch:u48 commitSeq:u64 baseSeq:u64 entry                  kind 13
 *   commit    = S epoch:u48 commitSeq:u64 baseSeq:u64                        kind 15
 *   entry     : `replication/entry.ts`
 *   refused   = S epoch:u48 promised:u48                                     kind 18
 *   data      = S number:u32 count:u16 pair*                                 kind 20
 *   pair      = keyBytes:u16 recordBytes:u32 key data-record (`replication/data-record.ts`)
 *   dataEnd   = S number:u32 P pairs:u48                                     kind 21
 *   dataAck   = S number:u32 parts:u32                                       kind 22
 *
 * There is no number for the version of all this: the nodes of a cluster run one and the same.
 *
 * Limits: a frame has at most FRAME_BYTES_MAX bytes, `follows` is 0 or 1, a tail has at most
 * TAIL_POSITIONS_MAX positions, each seq above the one before, a part DATA_PAIRS_MAX pairs, whose
 * keys and values have the limits of `model/limits.ts`. Checksums of data-records are left to
 * whoever stores them. Payloads are copied once into a frame; decoded ones are slices of it, so who
 * keeps one keeps the whole frame.
 *
 * Worked examples, read by a test. xx*16 is a byte 16 times; S is 0005 5e*16, P is
 * 0000000000000009 000000000003 c4*16, E the 68 bytes (44 in hex) of the example in `entry.ts`.
 *   hello      00000034 01 02 7331 d1*16 b2*16 c3*16
 *   beat       00000005 02 0000002a
 *   beatAck    00000005 03 0000002a
 *   leaving    00000001 04
 *   attach     0000003b 10 S 000000000003 00000002 P
 *   attached   0000003e 11 S 000000000003 00000002 01 0001 P
 *   resume     00000037 12 S 000000000003 P
 *   prepare    0000006d 13 S 000000000003 0000000000000009 0000000000000008 E
 *   prepareAck 00000037 14 S 000000000003 P
 *   commit     00000029 15 S 000000000003 0000000000000009 0000000000000008
 *   install    0000001d 16 S 000000000003 00000002
 *   installed  00000037 17 S 000000000003 P
 *   refused    0000001f 18 S 000000000003 000000000004
 *   detached   00000019 19 S 000000000003
 *   diverged   00000019 1a S 000000000003
 *   data       00000030 20 S 00000002 0001 0001 00000010 6b 01be1020bf0000000000000000076869
 *   dataEnd    0000003b 21 S 00000002 P 000000000001
 *   dataAck    0000001b 22 S 00000002 00000001
 */
import { assert, unreachable } from '../model/assert.js';
import { isMemberId, type Uuid } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import { dataRecordBytes } from '../replication/data-record.js';
import type { Position } from '../replication/entry.js';
import type { ReplicaMessage } from '../replication/messages.js';
import type { PeerIdentity } from '../replication/sessions.js';
import { allocateFrame, decodeRecords, LENGTH_BYTES } from '../wire/frame-message.js';
import { WireError } from '../wire/protobuf.js';
import { RecordReader } from './record-reader.js';
import {
  NUMBER_BYTES,
  POSITION_BYTES,
  RecordWriter,
  SHARD_BYTES,
  type ShardName,
  UUID_BYTES,
} from './record-writer.js';
import {
  MESSAGE_KINDS,
  MESSAGE_TYPES,
  messageBytes,
  readMessage,
  writeMessage,
} from './replica-message-codec.js';

/** The first record in both directions: who is at this end. */
export interface Hello extends PeerIdentity {
  readonly type: 'hello';
  readonly clusterUuid: Uuid;
}

/** "Are you there?", and the answer, with the number that the one who asked chose. */
export interface Beat {
  readonly type: 'beat' | 'beatAck';
  readonly number: number;
}

/** "I am about to stop in order: shrink me out of what you lead, while I still answer." */
export interface Leaving {
  readonly type: 'leaving';
}

/** A message of the replicas of one shard. */
export interface ShardMessage extends ShardName {
  readonly type: 'replica';
  readonly message: ReplicaMessage;
}

export interface DataPair {
  readonly key: Buffer;
  /** What is stored under it: a data-record. */
  readonly record: Buffer;
}

/** What is about one install, and void for any other. */
export interface InstallName extends ShardName {
  /** Of the `install` that was sent before. */
  readonly number: number;
}

/** A part of the data that follows an `install`, in any order of keys. */
export interface DataPart extends InstallName {
  readonly type: 'data';
  readonly pairs: readonly DataPair[];
}

/** The data was sent: all of it, as of this position. */
export interface DataEnd extends InstallName {
  readonly type: 'dataEnd';
  readonly base: Position;
  /** Pairs that were sent since the `install`, to be compared with what came. */
  readonly pairs: number;
}

/** Flow control: so many parts came since the `install`. */
export interface DataAck extends InstallName {
  readonly type: 'dataAck';
  readonly parts: number;
}

export type ReplicationRecord =
  | Hello
  | Beat
  | Leaving
  | ShardMessage
  | DataPart
  | DataEnd
  | DataAck;

/** Bytes of a whole frame. */
export const FRAME_BYTES_MAX = LIMITS.messageBytesMax;
/** Bytes of an entry: one that is larger fits into no frame, so none may be sealed. */
export const ENTRY_BYTES_MAX = FRAME_BYTES_MAX - 64;
/** Pairs in one part. Small enough that no part holds up the receiver for long. */
export const DATA_PAIRS_MAX = 4_096;

const KINDS = {
  hello: 0x01,
  beat: 0x02,
  beatAck: 0x03,
  leaving: 0x04,
  data: 0x20,
  dataEnd: 0x21,
  dataAck: 0x22,
};
const HEAD_BYTES = LENGTH_BYTES + 1;
const PAIR_HEAD_BYTES = 2 + 4;
const DATA_RECORD_BYTES_MIN = dataRecordBytes(0);
const DATA_RECORD_BYTES_MAX = dataRecordBytes(LIMITS.valueBytesMax);

/** Bytes this record takes in a frame. */
export function recordBytes(record: ReplicationRecord): number {
  switch (record.type) {
    case 'hello':
      return HEAD_BYTES + 1 + record.node.length + 3 * UUID_BYTES;
    case 'beat':
    case 'beatAck':
      return HEAD_BYTES + 4;
    case 'leaving':
      return HEAD_BYTES;
    case 'replica':
      return HEAD_BYTES + SHARD_BYTES + messageBytes(record.message);
    case 'data':
      return record.pairs.reduce(
        (sum, pair) => sum + dataPairBytes(pair),
        HEAD_BYTES + SHARD_BYTES + NUMBER_BYTES + 2,
      );
    case 'dataEnd':
      return HEAD_BYTES + SHARD_BYTES + NUMBER_BYTES + POSITION_BYTES + 6;
    case 'dataAck':
      return HEAD_BYTES + SHARD_BYTES + NUMBER_BYTES + 4;
    default:
      return unreachable(record);
  }
}

/** Bytes this pair takes in its part. */
export function dataPairBytes({ key, record }: DataPair): number {
  return PAIR_HEAD_BYTES + key.length + record.length;
}

/**
 * One frame of these records, in this order. They must be within the limits above, and entries
 * must have their bytes: both are asserted.
 */
export function encodeFrame(records: readonly ReplicationRecord[]): Buffer {
  let bytes = 0;
  for (const record of records) bytes += recordBytes(record);
  const { frame, start } = allocateFrame(bytes);
  assert(frame.length <= FRAME_BYTES_MAX, 'a frame is bounded', () => ({ bytes: frame.length }));
  const writer = new RecordWriter(frame, start);
  for (const record of records) {
    const at = writer.at;
    writer.u32(0);
    writer.u8(record.type === 'replica' ? MESSAGE_KINDS[record.message.type] : KINDS[record.type]);
    writeBody(writer, record);
    frame.writeUInt32BE(writer.at - at - LENGTH_BYTES, at);
  }
  assert(writer.at === frame.length, 'records have the size they say', () => ({
    at: writer.at,
    bytes: frame.length,
  }));
  return frame;
}

/** @throws WireError if this is not a frame of such records, each valid to its last byte. */
export function decodeFrame(frame: Buffer): ReplicationRecord[] {
  if (frame.length > FRAME_BYTES_MAX) throw new WireError(`a frame of ${frame.length} bytes`);
  return decodeRecords(frame, HEAD_BYTES, (at, body) => {
    const reader = new RecordReader(body);
    const decoded = readBody(reader, frame.readUInt8(at + LENGTH_BYTES));
    reader.end();
    return decoded;
  });
}

function writeBody(writer: RecordWriter, record: ReplicationRecord): void {
  switch (record.type) {
    case 'hello':
      return writeHello(writer, record);
    case 'beat':
    case 'beatAck':
      return writer.u32(record.number);
    case 'leaving':
      return;
    case 'replica':
      writer.shard(record);
      return writeMessage(writer, record.message);
    case 'data':
      writeInstallName(writer, record);
      return writePairs(writer, record.pairs);
    case 'dataEnd':
      writeInstallName(writer, record);
      writer.position(record.base);
      return writer.u48(record.pairs);
    case 'dataAck':
      writeInstallName(writer, record);
      return writer.u32(record.parts);
    default:
      return unreachable(record);
  }
}

function readBody(reader: RecordReader, kind: number): ReplicationRecord {
  switch (kind) {
    case KINDS.hello:
      return readHello(reader);
    case KINDS.beat:
      return { type: 'beat', number: reader.u32() };
    case KINDS.beatAck:
      return { type: 'beatAck', number: reader.u32() };
    case KINDS.leaving:
      return { type: 'leaving' };
    case KINDS.data:
      return { type: 'data', ...readInstallName(reader), pairs: readPairs(reader) };
    case KINDS.dataEnd:
      return {
        type: 'dataEnd',
        ...readInstallName(reader),
        base: reader.position(),
        pairs: reader.u48(),
      };
    case KINDS.dataAck:
      return { type: 'dataAck', ...readInstallName(reader), parts: reader.u32() };
    default: {
      const type = MESSAGE_TYPES.get(kind);
      if (type === undefined) throw new WireError(`a record of unknown kind ${kind}`);
      return { type: 'replica', ...reader.shard(), message: readMessage(reader, type) };
    }
  }
}

function writeHello(writer: RecordWriter, { node, store, process, clusterUuid }: Hello): void {
  const name = Buffer.from(node, 'latin1');
  writer.u8(name.length);
  writer.bytes(name);
  for (const uuid of [store, process, clusterUuid]) writer.hex(uuid);
}

function readHello(reader: RecordReader): Hello {
  const node = reader.bytes(reader.u8()).toString('latin1');
  if (!isMemberId(node)) throw new WireError('a hello of nobody');
  const [store, process, clusterUuid] = [reader.uuid(), reader.uuid(), reader.uuid()];
  return { type: 'hello', node, store, process, clusterUuid };
}

function writeInstallName(writer: RecordWriter, name: InstallName): void {
  writer.shard(name);
  writer.u32(name.number);
}

function readInstallName(reader: RecordReader): InstallName {
  return { ...reader.shard(), number: reader.u32() };
}

function writePairs(writer: RecordWriter, pairs: readonly DataPair[]): void {
  assert(pairs.length <= DATA_PAIRS_MAX, 'a part is bounded', () => ({ pairs: pairs.length }));
  writer.u16(pairs.length);
  for (const { key, record } of pairs) {
    writer.u16(key.length);
    writer.u32(record.length);
    writer.bytes(key);
    writer.bytes(record);
  }
}

function readPairs(reader: RecordReader): DataPair[] {
  const count = reader.u16();
  if (count > DATA_PAIRS_MAX) throw new WireError(`a part of ${count} pairs`);
  const pairs: DataPair[] = [];
  while (pairs.length < count) {
    const keyBytes = reader.u16();
    const recordBytes = reader.u32();
    const isSound =
      keyBytes >= LIMITS.keyBytesMin &&
      keyBytes <= LIMITS.keyBytesMax &&
      recordBytes >= DATA_RECORD_BYTES_MIN &&
      recordBytes <= DATA_RECORD_BYTES_MAX;
    if (!isSound) throw new WireError(`a pair of ${keyBytes} and ${recordBytes} bytes`);
    pairs.push({ key: reader.bytes(keyBytes), record: reader.bytes(recordBytes) });
  }
  return pairs;
}
