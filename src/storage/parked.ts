/**
 * Writes that their primary takes later, not now: it waits for its barrier, for a hand-over, or for
 * replicas. Each is tried again after the next round, and refused in time if it was never started.
 *
 * In time: before its caller's deadline, which would otherwise end it without an answer, and leave
 * open whether it was applied.
 */
import type { RefusedError } from '../model/refusals.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { QueuedWrite } from './calls.js';

export class ParkedWrites {
  readonly #clock: Clock;
  readonly #refusalOf: (write: QueuedWrite) => RefusedError;
  #writes: QueuedWrite[] = [];
  /** When the timer fires: not after the first of them has to be answered. */
  #wakesAt = Infinity;
  #cancelTimer: Cancel = () => undefined;

  /** `refusalOf`: why a write was never started. */
  constructor(clock: Clock, refusalOf: (write: QueuedWrite) => RefusedError) {
    this.#clock = clock;
    this.#refusalOf = refusalOf;
  }

  add(write: QueuedWrite, now: number): void {
    if (now >= write.answerBy) return write.respond(this.#refusalOf(write));
    this.#writes.push(write);
    if (write.answerBy < this.#wakesAt) this.#wake(write.answerBy, now);
  }

  /** All that wait, to be tried again. */
  take(): readonly QueuedWrite[] {
    this.#cancelTimer();
    this.#wakesAt = Infinity;
    return this.#writes.splice(0);
  }

  #wake(at: number, now: number): void {
    this.#cancelTimer();
    this.#wakesAt = at;
    this.#cancelTimer = this.#clock.after(at - now, () => {
      const then = this.#clock.now();
      for (const write of this.take()) this.add(write, then);
    });
  }
}
