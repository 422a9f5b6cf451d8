/**
 * The bytes of one client, cut into frames: `length:int`, then so many bytes. Before the first
 * frame an operator may send four letters instead (`four-letter-words.ts`).
 */

/** As ZooKeeper's `jute.maxbuffer` is by default. */
export const FRAME_BYTES_MAX = 0xfffff;

/** Somebody sent what is no frame: nothing behind it can be trusted. */
export class BadFrameError extends Error {
  constructor(problem: string) {
    super(problem);
    this.name = 'BadFrameError';
  }
}

export class FrameSplitter {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isFirst = true;

  /**
   * What is whole by now: frames without their lengths, or four letters. A frame may be a slice of
   * a chunk.
   *
   * @throws BadFrameError
   */
  *take(chunk: Buffer): Generator<{ readonly frame: Buffer } | { readonly word: string }> {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= 4) {
      const head = this.#peek(4);
      if (this.#isFirst && /^[a-z]{4}$/.test(head.toString('latin1'))) {
        this.#skip(4);
        yield { word: head.toString('latin1') };
        continue;
      }
      const length = head.readInt32BE(0);
      if (length < 0 || length > FRAME_BYTES_MAX) throw new BadFrameError(`a frame of ${length}`);
      if (this.#bytes < 4 + length) return;
      this.#isFirst = false;
      const frame = this.#peek(4 + length).subarray(4);
      this.#skip(4 + length);
      yield { frame };
    }
  }

  /** The next bytes as one buffer; so many must be there. */
  #peek(count: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= count) return first.subarray(0, count);
    // Joined once for each frame that spans chunks, not for each chunk.
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined.subarray(0, count);
  }

  #skip(count: number): void {
    this.#bytes -= count;
    const [first = Buffer.alloc(0), ...rest] = this.#chunks;
    this.#chunks = first.length === count ? rest : [first.subarray(count), ...rest];
  }
}
