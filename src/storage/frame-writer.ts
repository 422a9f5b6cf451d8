/**
 * Puts records into frames: all that are added in one turn of the event loop share one, because a
 * stream message costs more than what is in it. What the stream does not take waits, up to a bound.
 */
import type { Outgoing } from '../ports/network.js';
import { encodeFrame, recordBytes, type ReplicationRecord } from './replication-frame.js';

/** A frame is closed when it has reached this size; the largest record still fits behind it. */
const FRAME_BYTES_SOFT_MAX = 1024 * 1024;
/** Bytes that may wait for a peer: several of the largest rounds. */
const BACKLOG_BYTES_MAX = 64 * 1024 * 1024;

export class FrameWriter {
  readonly #outgoing: Outgoing<Buffer>;
  readonly #overflow: () => void;
  #records: ReplicationRecord[] = [];
  #bytes = 0;
  #isScheduled = false;
  #isBlocked = false;
  #isOver = false;

  /** @param overflow Called once: more waits than may; nothing is sent any more. */
  constructor(outgoing: Outgoing<Buffer>, overflow: () => void) {
    this.#outgoing = outgoing;
    this.#overflow = overflow;
  }

  get backlogBytes(): number {
    return this.#bytes;
  }

  add(record: ReplicationRecord): void {
    if (this.#isOver) return;
    this.#records.push(record);
    this.#bytes += recordBytes(record);
    if (this.#bytes > BACKLOG_BYTES_MAX) {
      this.#isOver = true;
      this.#records = [];
      return this.#overflow();
    }
    this.#flushSoon();
  }

  /** The stream takes more again. */
  drained(): void {
    this.#isBlocked = false;
    this.#flushSoon();
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
    while (sent < this.#records.length && !this.#isBlocked) {
      const start = sent;
      let bytes = 0;
      while (sent < this.#records.length && bytes < FRAME_BYTES_SOFT_MAX) {
        const record = this.#records[sent++];
        bytes += record === undefined ? 0 : recordBytes(record);
      }
      this.#bytes -= bytes;
      this.#isBlocked = !this.#outgoing.write(encodeFrame(this.#records.slice(start, sent)));
    }
    this.#records = this.#records.slice(sent);
  }
}
