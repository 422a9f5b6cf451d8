/**
 * Puts records into frames: all that are added in one turn of the event loop share one, because a
 * stream message costs more than what is in it. What the stream does not take waits.
 */
import type { Outgoing } from '../ports/network.js';

/** A frame is closed when it has reached this size; the largest record still fits behind it. */
const FRAME_BYTES_SOFT_MAX = 1024 * 1024;

/** How records become bytes. */
export interface FrameFormat<Item> {
  readonly bytesOf: (record: Item) => number;
  readonly encode: (records: readonly Item[]) => Buffer;
}

export class FrameWriter<Item> {
  readonly #outgoing: Outgoing<Buffer>;
  readonly #format: FrameFormat<Item>;
  #records: Item[] = [];
  #bytes = 0;
  #isScheduled = false;
  #isBlocked = false;
  #isOver = false;

  constructor(outgoing: Outgoing<Buffer>, format: FrameFormat<Item>) {
    this.#outgoing = outgoing;
    this.#format = format;
  }

  /** Bytes of what waits: for whoever adds to bound. */
  get backlogBytes(): number {
    return this.#bytes;
  }

  add(record: Item): void {
    if (this.#isOver) return;
    this.#records.push(record);
    this.#bytes += this.#format.bytesOf(record);
    this.#flushSoon();
  }

  /** The stream takes more again. */
  drained(): void {
    this.#isBlocked = false;
    this.#flushSoon();
  }

  /** The stream is over: what waits is dropped, and whatever comes. */
  close(): void {
    this.#isOver = true;
    this.#records = [];
    this.#bytes = 0;
  }

  #flushSoon(): void {
    if (this.#isScheduled || this.#isBlocked || this.#records.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    let sent = 0;
    while (sent < this.#records.length && !this.#isBlocked && !this.#isOver) {
      const start = sent;
      let bytes = 0;
      while (sent < this.#records.length && bytes < FRAME_BYTES_SOFT_MAX) {
        const record = this.#records[sent++];
        bytes += record === undefined ? 0 : this.#format.bytesOf(record);
      }
      this.#bytes -= bytes;
      this.#isBlocked = !this.#outgoing.write(
        this.#format.encode(this.#records.slice(start, sent)),
      );
    }
    this.#records = this.#records.slice(sent);
  }
}
