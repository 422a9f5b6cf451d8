/** Cutting the stream of a connection into answers: four bytes of length, then so many bytes. */

/** No answer is longer: twice what servers write by default. */
const FRAME_BYTES_MAX = 2 * 1024 * 1024;
/** Longer than any session lasts; more than that is no number a server means. */
const SESSION_TIMEOUT_MS_MAX = 24 * 60 * 60 * 1_000;
const PASSWORD_BYTES = 16;

/** The stream of one connection. */
export class Frames {
  #chunks: Buffer[] = [];
  #held = 0;
  /** Bytes of the frame that is being gathered, with its length; undefined until that is known. */
  #wanted: number | undefined;

  /**
   * The frames that this chunk completes, each with its length in front.
   *
   * @throws Error at a length that no frame has: nothing behind it can be read.
   */
  *take(chunk: Buffer): Iterable<Buffer> {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    for (;;) {
      this.#wanted ??= this.#held < 4 ? undefined : 4 + lengthOf(this.#joined());
      if (this.#wanted === undefined || this.#held < this.#wanted) return;
      const all = this.#joined();
      const frame = all.subarray(0, this.#wanted);
      this.#chunks = [all.subarray(this.#wanted)];
      this.#held -= this.#wanted;
      this.#wanted = undefined;
      yield frame;
    }
  }

  #joined(): Buffer {
    const [first, second] = this.#chunks;
    if (first !== undefined && second === undefined) return first;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}

function lengthOf(bytes: Buffer): number {
  const length = bytes.readInt32BE(0);
  if (length <= 0 || length > FRAME_BYTES_MAX) throw new Error(`a frame of ${length} bytes`);
  return length;
}

/** Whether a frame is a server's answer to a client that has this session, or none yet (zeros). */
export function isGreeting(frame: Buffer, session: Buffer): boolean {
  if (frame.length < 4 + 4 + 4 + 8 + 4 + PASSWORD_BYTES) return false;
  const timeoutMs = frame.readInt32BE(8);
  const id = frame.subarray(12, 20);
  if (frame.readInt32BE(4) !== 0 || frame.readInt32BE(20) !== PASSWORD_BYTES) return false;
  // A timeout of 0 says that the session is over.
  if (timeoutMs === 0) return true;
  if (timeoutMs < 0 || timeoutMs > SESSION_TIMEOUT_MS_MAX) return false;
  const isNew = session.every((byte) => byte === 0);
  return isNew ? id.some((byte) => byte !== 0) : id.equals(session);
}

/** Behind the frame's length: number of the request, transaction and error, then the payload. */
const XID_AT = 4;
const ERROR_AT = 16;
const PAYLOAD_AT = 20;

/** Whether the lengths inside the answer to a read stay within it. Other frames are not judged. */
export function hasSoundLengths(frame: Buffer, read: 'data' | 'children' | undefined): boolean {
  if (read === undefined) return true;
  if (frame.length < PAYLOAD_AT) return false;
  // Negative numbers are events and the like, which answer no request.
  if (frame.readInt32BE(XID_AT) < 0 || frame.readInt32BE(ERROR_AT) !== 0) return true;
  if (read === 'data') return endOfBytes(frame, PAYLOAD_AT) !== undefined;
  if (frame.length < PAYLOAD_AT + 4) return false;
  let at: number | undefined = PAYLOAD_AT + 4;
  for (let left = frame.readInt32BE(PAYLOAD_AT); left > 0 && at !== undefined; left--) {
    at = endOfBytes(frame, at);
  }
  return at !== undefined;
}

/** Where a length and so many bytes end; undefined if that is not within the frame. */
function endOfBytes(frame: Buffer, at: number): number | undefined {
  if (frame.length < at + 4) return undefined;
  const length = frame.readInt32BE(at);
  const end = at + 4 + Math.max(length, 0);
  return length >= -1 && end <= frame.length ? end : undefined;
}
