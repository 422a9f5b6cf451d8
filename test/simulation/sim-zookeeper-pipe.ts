/**
 * One direction of a connection: what goes in comes out in order, each after the latency it drew,
 * until the pipe is cut. Nothing is lost alone: what a cut pipe held is lost, and all that comes.
 */
import type { Clock } from '../../src/ports/clock.js';

/** Both inclusive, in milliseconds. */
export interface RangeMs {
  readonly min: number;
  readonly max: number;
}

/** Draws from a range; whole milliseconds, so that traces can be read. */
export function drawMs({ min, max }: RangeMs, random: () => number): number {
  return min + Math.floor(random() * (max - min + 1));
}

export class SimZooKeeperPipe {
  readonly #clock: Clock;
  readonly #latencyMs: () => number;
  /** Each timer takes the first: the clock may not keep the order of timers that are due at once. */
  readonly #inside: (() => void)[] = [];
  #lastMs = 0;
  #isCut = false;

  constructor(clock: Clock, latencyMs: () => number) {
    this.#clock = clock;
    this.#latencyMs = latencyMs;
  }

  /** Calls `arrive` at the other end, in a later turn; never if the pipe is cut before. */
  send(arrive: () => void): void {
    if (this.#isCut) return;
    const now = this.#clock.now();
    this.#lastMs = Math.max(this.#lastMs, now + this.#latencyMs());
    this.#inside.push(arrive);
    this.#clock.after(this.#lastMs - now, () => this.#inside.shift()?.());
  }

  /** What is sent from now on arrives no sooner than this from now. */
  hold(ms: number): void {
    this.#lastMs = Math.max(this.#lastMs, this.#clock.now() + ms);
  }

  /** Nothing arrives any more, also nothing that was sent. */
  cut(): void {
    this.#isCut = true;
    this.#inside.length = 0;
  }
}
