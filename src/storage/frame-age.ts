/**
 * How late a frame is, without comparing clocks: each frame says when it was sent by its sender's
 * monotonic clock, and the frame that travelled fastest shows how far the two clocks are apart.
 * What another one took more than that, it spent waiting: in a full socket, on a network that
 * stalled, or in front of this process while it was paused. (The minimum of one-way delays as a
 * base is LEDBAT's, RFC 6817.)
 *
 * Not promised: the first frame of a stream has nothing to be compared with, and clocks drift by
 * some milliseconds per minute, so the base is renewed. A clock that is set off at once (that of a
 * virtual machine stands still while it is suspended) looks like a delay for two windows at most.
 */
const WINDOW_MS = 5_000;

export class FrameAge {
  /** Least difference of the clocks seen in the window before this one, and in this one. */
  #before = Infinity;
  #current = Infinity;
  #windowEnd = -Infinity;

  /** Milliseconds this frame was held up, at least 0. Times in milliseconds. */
  of(sentMs: number, nowMs: number): number {
    const difference = nowMs - sentMs;
    if (nowMs >= this.#windowEnd) {
      this.#before = this.#current;
      this.#current = Infinity;
      this.#windowEnd = nowMs + WINDOW_MS;
    }
    const base = Math.min(this.#before, this.#current, difference);
    this.#current = Math.min(this.#current, difference);
    return difference - base;
  }
}
