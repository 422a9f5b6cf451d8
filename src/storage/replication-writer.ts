/** One direction of a replication stream, bounded: a peer that does not read loses its stream. */
import type { Outgoing } from '../ports/network.js';
import { FrameWriter } from './frame-writer.js';
import { encodeFrame, recordBytes, type ReplicationRecord } from './replication-frame.js';

/** Bytes that may wait for a peer: several of the largest rounds. */
const BACKLOG_BYTES_MAX = 64 * 1024 * 1024;

export class ReplicationWriter {
  readonly #writer: FrameWriter<ReplicationRecord>;
  readonly #overflow: () => void;

  /** @param overflow Called once: more waits than may; nothing is sent any more. */
  constructor(outgoing: Outgoing<Buffer>, overflow: () => void) {
    this.#writer = new FrameWriter(outgoing, { bytesOf: recordBytes, encode: encodeFrame });
    this.#overflow = overflow;
  }

  add(record: ReplicationRecord): void {
    this.#writer.add(record);
    if (this.#writer.backlogBytes <= BACKLOG_BYTES_MAX) return;
    this.#writer.close();
    this.#overflow();
  }

  /** The stream takes more again. */
  drained(): void {
    this.#writer.drained();
  }
}
