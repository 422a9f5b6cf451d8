/** The beat of a leader's pings, which also tells when the leader itself was held up. */
import type { Cancel, Clock } from '../ports/clock.js';

/** Between two beats. */
export const BEAT_MS = 500;

export class Heartbeat {
  readonly #clock: Clock;
  readonly #beat: (number: number, lateMs: number) => void;
  #number = 0;
  #cancel: Cancel = () => undefined;

  /**
   * Calls `beat` every {@link BEAT_MS}, with a number that counts from 1 and with how late it is:
   * so long something else kept this process from running.
   */
  constructor(clock: Clock, beat: (number: number, lateMs: number) => void) {
    this.#clock = clock;
    this.#beat = beat;
    this.#next();
  }

  stop(): void {
    this.#cancel();
  }

  #next(): void {
    const dueAt = this.#clock.now() + BEAT_MS;
    this.#cancel = this.#clock.after(BEAT_MS, () => {
      this.#next();
      this.#beat(++this.#number, this.#clock.now() - dueAt);
    });
  }
}
