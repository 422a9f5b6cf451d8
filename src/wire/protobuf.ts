/**
 * The little of protobuf's wire format that the data path reads and writes by hand: varints and
 * length-delimited fields. Decoding by hand keeps payloads as slices of what was received; a
 * general decoder copies them (protobuf.dev, "Encoding").
 */

/** Bytes that are not what the protocol says. The sender's fault: refused, never asserted. */
export class WireError extends Error {
  constructor(problem: string, options?: ErrorOptions) {
    super(`malformed message: ${problem}`, options);
    this.name = 'WireError';
  }
}

export const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;

/**
 * Walks the fields of one message. After `next()` returned true, `number` and `wireType` describe
 * a field whose content is taken by exactly one of `varint()`, `bytes()` or `skip()`.
 */
export class FieldReader {
  readonly #buffer: Buffer;
  #at = 0;
  number = 0;
  wireType = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  /** @throws WireError if the message is malformed here. */
  next(): boolean {
    if (this.#at >= this.#buffer.length) return false;
    const tag = this.#readVarint();
    this.number = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.number < 1 || this.number > 0x1fffffff) throw new WireError('a bad field number');
    return true;
  }

  /** An unsigned number; beyond 2^53 only approximate, which no version or time ever reaches. */
  varint(): number {
    if (this.wireType !== WIRE_VARINT) throw new WireError(`field ${this.number} is no number`);
    return this.#readVarint();
  }

  /** A slice of the message, not a copy. */
  bytes(): Buffer {
    if (this.wireType !== WIRE_BYTES) throw new WireError(`field ${this.number} is no bytes`);
    const length = this.#readVarint();
    return this.#take(length);
  }

  /** Passes over a field that this version does not know. */
  skip(): void {
    switch (this.wireType) {
      case WIRE_VARINT:
        this.#readVarint();
        return;
      case WIRE_FIXED64:
        this.#take(8);
        return;
      case WIRE_BYTES:
        this.bytes();
        return;
      case WIRE_FIXED32:
        this.#take(4);
        return;
      default:
        throw new WireError(`field ${this.number} has a bad wire type`);
    }
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#buffer.length) throw new WireError('it is cut off');
    const slice = this.#buffer.subarray(this.#at, end);
    this.#at = end;
    return slice;
  }

  #readVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#buffer[this.#at++];
      if (byte === undefined) throw new WireError('it is cut off');
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new WireError('a number is too long');
  }
}

/** Bytes of an unsigned number as a varint. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

/** Writes an unsigned number up to 2^53; returns the position behind it. */
export function writeVarint(target: Buffer, at: number, value: number): number {
  let rest = value;
  let next = at;
  while (rest >= 0x80) {
    target[next++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[next++] = rest;
  return next;
}
