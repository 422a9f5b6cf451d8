/**
 * Jute, the encoding of ZooKeeper's records: fields one behind the other, without names or tags.
 *
 *   int     4 bytes, two's complement, big-endian
 *   long    8 bytes, likewise
 *   bool    1 byte: 00 or 01
 *   buffer  int length, then so many bytes; length -1: there is none
 *   string  a buffer of UTF-8
 *   vector  int count, then so many elements; count -1: there is none
 *
 * Worked example, the request `exists("/a", watch)`: 00000002 2f61 01
 */

/** These bytes are no such record. */
export class MalformedRecordError extends Error {
  constructor(problem: string) {
    super(`malformed record: ${problem}`);
    this.name = 'MalformedRecordError';
  }
}

const NOTHING = Buffer.alloc(0);
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Takes one field after the other. Every method throws MalformedRecordError. */
export class JuteReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  int(): number {
    return this.#bytes.readInt32BE(this.#advance(4));
  }

  /** As 16 hex digits: ids of sessions and the like are bits, not numbers. */
  longBits(): string {
    const at = this.#advance(8);
    return this.#bytes.toString('hex', at, at + 8);
  }

  /** Exact below 2^53. */
  long(): number {
    return Number(this.#bytes.readBigInt64BE(this.#advance(8)));
  }

  bool(): boolean {
    return this.#bytes[this.#advance(1)] === 1;
  }

  /** A slice. What is not there is empty: to ZooKeeper's users both are no data. */
  buffer(): Buffer {
    const length = this.int();
    if (length === -1) return NOTHING;
    if (length < 0) throw new MalformedRecordError(`a length of ${length}`);
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  string(): string {
    const bytes = this.buffer();
    try {
      return UTF8.decode(bytes);
    } catch {
      throw new MalformedRecordError('text that is not UTF-8');
    }
  }

  vector<T>(element: () => T): T[] {
    const count = this.int();
    // An element takes at least a byte: more cannot be there, and must not be set aside for.
    if (count < -1 || count > this.left) throw new MalformedRecordError(`${count} elements`);
    return Array.from({ length: Math.max(count, 0) }, element);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Where the next field begins; the record must have so many bytes more. */
  #advance(count: number): number {
    const at = this.#at;
    if (count > this.left) throw new MalformedRecordError('it ends too early');
    this.#at = at + count;
    return at;
  }
}
