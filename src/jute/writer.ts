/** Writes fields one behind the other, as `reader.ts` describes them. */
export class JuteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(expectedBytes = 128) {
    this.#bytes = Buffer.allocUnsafe(expectedBytes);
  }

  int(value: number): this {
    const at = this.#grow(4);
    this.#bytes.writeInt32BE(value, at);
    return this;
  }

  /** Exact below 2^53. */
  long(value: number): this {
    const at = this.#grow(8);
    this.#bytes.writeBigInt64BE(BigInt(value), at);
    return this;
  }

  /** 16 hex digits. */
  longBits(hex: string): this {
    const at = this.#grow(8);
    this.#bytes.write(hex, at, 8, 'hex');
    return this;
  }

  bool(value: boolean): this {
    const at = this.#grow(1);
    this.#bytes[at] = value ? 1 : 0;
    return this;
  }

  buffer(value: Buffer): this {
    this.int(value.length);
    const at = this.#grow(value.length);
    value.copy(this.#bytes, at);
    return this;
  }

  string(value: string): this {
    const length = Buffer.byteLength(value);
    this.int(length);
    const at = this.#grow(length);
    this.#bytes.write(value, at, 'utf8');
    return this;
  }

  vector<T>(values: readonly T[], write: (value: T) => void): this {
    this.int(values.length);
    for (const value of values) write(value);
    return this;
  }

  /** What was written. */
  done(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What was written, as a frame: its length comes first. */
  framed(): Buffer {
    const frame = Buffer.allocUnsafe(4 + this.#length);
    frame.writeInt32BE(this.#length, 0);
    this.#bytes.copy(frame, 4, 0, this.#length);
    return frame;
  }

  /** Where the next `count` bytes go. */
  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length <= this.#bytes.length) return at;
    const larger = Buffer.allocUnsafe(Math.max(this.#length, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, at);
    this.#bytes = larger;
    return at;
  }
}
