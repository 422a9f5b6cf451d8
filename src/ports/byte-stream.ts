/** Streams of bytes that a process accepts, for protocols that are not gRPC. */

export interface ByteStream {
  /** Address of the other end, without its port. */
  readonly peer: string;
  /** Bytes that were written and are still held here, because the other end does not take them. */
  readonly waitingBytes: number;
  /** Nothing is lost unless the stream closes. */
  write(bytes: Buffer): void;
  /** Whether more is read from the other end. Streams begin reading. */
  setReading(isReading: boolean): void;
  /** Closes after what was written; `closed` follows. */
  end(): void;
  /** Closes now; `closed` follows. */
  destroy(): void;
}

export interface ByteStreamEvents {
  data(chunk: Buffer): void;
  /** Everything that was written is gone from here. */
  drained(): void;
  /** Comes exactly once and is the last. */
  closed(): void;
}

export type AcceptByteStream = (stream: ByteStream) => ByteStreamEvents;
