/**
 * `Frame`, the one message of the streams that carry many records each, by hand: the protobuf
 * message `Frame { bytes records = 1; double sent_ms = 2; }`, its fields in this order.
 *
 * What a record is, is the business of each protocol (`frame.ts`, `storage/replication-frame.ts`).
 * All have in common that it begins with the number of bytes behind that number:
 *
 *   records = record*
 *   record  = length:u32 head payload          big-endian; `length` counts head and payload
 *
 * A frame is allocated once and its records are written into it; decoding makes slices.
 *
 * Worked example, one record of the bytes 61 62, sent at 1.5 ms of the sender's clock:
 *   0a06 00000002 6162 11 000000000000f83f
 */
import { varintBytes, WireError, writeVarint } from './protobuf.js';

/** Bytes of the number every record begins with. */
export const LENGTH_BYTES = 4;

/** Field 1, length-delimited. */
const RECORDS_TAG = 0x0a;
/** Field 2, 64 bits. */
const SENT_TAG = 0x11;
const SENT_BYTES = 1 + 8;

/**
 * A frame with room for so many bytes of records at `start`, and everything else written.
 * `sentMs`: now, by the sender's monotonic clock; undefined = the frame does not say.
 */
export function allocateFrame(
  recordBytes: number,
  sentMs?: number,
): { readonly frame: Buffer; readonly start: number } {
  const start = 1 + varintBytes(recordBytes);
  const tailBytes = sentMs === undefined ? 0 : SENT_BYTES;
  const frame = Buffer.allocUnsafe(start + recordBytes + tailBytes);
  frame[0] = RECORDS_TAG;
  writeVarint(frame, 1, recordBytes);
  if (sentMs !== undefined) {
    frame[start + recordBytes] = SENT_TAG;
    frame.writeDoubleLE(sentMs, start + recordBytes + 1);
  }
  return { frame, start };
}

/** When a frame was sent, by its sender's clock; undefined if it does not say. */
export function sentMsOf(frame: Buffer): number | undefined {
  const { end } = recordsOf(frame);
  return end === frame.length ? undefined : frame.readDoubleLE(end + 1);
}

/**
 * Every record of a frame, in order. `headBytes` counts from the record's length on; the record
 * begins at `at` of the frame, and `payload`, a slice of the frame, is what is behind its head.
 *
 * @throws WireError if the frame or a record's length is wrong, and what `decode` throws.
 */
export function decodeRecords<T>(
  frame: Buffer,
  headBytes: number,
  decode: (at: number, payload: Buffer) => T,
): T[] {
  const records: T[] = [];
  const { start, end: recordsEnd } = recordsOf(frame);
  let at = start;
  while (at < recordsEnd) {
    if (recordsEnd - at < headBytes) throw new WireError('a record cut off in its head');
    const end = at + LENGTH_BYTES + frame.readUInt32BE(at);
    if (end < at + headBytes || end > recordsEnd) throw new WireError('a record of wrong length');
    records.push(decode(at, frame.subarray(at + headBytes, end)));
    at = end;
  }
  return records;
}

/** Where the records begin and end, after checking that the frame holds nothing unknown. */
function recordsOf(frame: Buffer): { readonly start: number; readonly end: number } {
  // Protobuf leaves out an empty field.
  if (frame.length === 0 || frame[0] === SENT_TAG) return checked(frame, 0, 0);
  if (frame[0] !== RECORDS_TAG) throw new WireError('a message that is not a frame');
  let length = 0;
  let at = 1;
  for (let shift = 0; ; shift += 7) {
    const byte = frame[at++];
    if (byte === undefined || shift > 28) throw new WireError('a frame cut off in its head');
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  return checked(frame, at, at + length);
}

function checked(frame: Buffer, start: number, end: number) {
  const isWhole =
    end === frame.length || (end + SENT_BYTES === frame.length && frame[end] === SENT_TAG);
  if (!isWhole) throw new WireError('a frame of wrong length');
  return { start, end };
}
