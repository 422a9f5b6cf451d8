/** Requests of a link that wait for each other's frames, in the order in which they came. */
import { requestRecordBytes } from '../wire/frame.js';
import type { FrameInFlight, LinkCall } from './link-call.js';

/** Cancelled requests that are kept in the queue although they are more than the others. */
const CANCELLED_MAX = 64;

export class LinkLane {
  /** Not written yet; those that were cancelled are over. An array, as in `CallNumbers`. */
  #queue: LinkCall[] = [];
  #cancelled = 0;
  /** The newest frame, while nothing of it is answered. */
  inFlight: FrameInFlight | undefined;

  /** Requests that wait. */
  get size(): number {
    return this.#queue.length - this.#cancelled;
  }

  /** With those that were cancelled and are not taken out yet: a few. */
  get kept(): number {
    return this.#queue.length;
  }

  add(call: LinkCall): void {
    this.#queue.push(call);
  }

  /** Takes a request out that waits here. */
  cancel(call: LinkCall): void {
    call.drop();
    this.#cancelled++;
    if (this.#cancelled <= CANCELLED_MAX || this.#cancelled <= this.size) return;
    this.#queue = this.#queue.filter(({ state }) => state === 'queued');
    this.#cancelled = 0;
  }

  /** What goes into the next frame: at least one request, more while they fit. Requires `size`. */
  take(frameBytesMax: number): LinkCall[] {
    const taken: LinkCall[] = [];
    let bytes = 0;
    let at = 0;
    for (; at < this.#queue.length; at++) {
      const call = this.#queue[at];
      if (call?.state !== 'queued') {
        this.#cancelled--;
        continue;
      }
      bytes += requestRecordBytes(call.payload.length);
      if (taken.length > 0 && bytes > frameBytesMax) break;
      taken.push(call);
    }
    this.#queue = this.#queue.slice(at);
    return taken;
  }

  takeAll(): LinkCall[] {
    return this.take(Infinity);
  }
}
