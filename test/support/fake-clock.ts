/** A clock that stands still until a test moves it. */
import type { Cancel, Clock } from '../../src/ports/clock.js';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly task: () => void;
}

export class FakeClock implements Clock {
  #now = 1_000;
  #sleptMs = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();
  /** The timers in the order in which they are due; undefined if one was added since. */
  #sorted: Timer[] | undefined;

  now(): number {
    return this.#now;
  }

  sinceBoot(): number {
    return this.#now + this.#sleptMs;
  }

  /** The whole system sleeps: no time passes by this clock. */
  sleep(ms: number): void {
    this.#sleptMs += ms;
  }

  after(delayMs: number, task: () => void): Cancel {
    const timer = { at: this.#now + delayMs, order: this.#order++, task };
    this.#timers.add(timer);
    this.#sorted = undefined;
    return () => void this.#timers.delete(timer);
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass: every timer due runs at its own moment, those of one moment in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.task();
    }
    this.#now = end;
  }

  /** This process is held up: time passes, and only then runs what was due meanwhile. */
  holdUp(ms: number): void {
    this.#now += ms;
    this.advance(0);
  }

  #next(end: number): Timer | undefined {
    this.#sorted ??= [...this.#timers].sort((left, right) => {
      return right.at - left.at || right.order - left.order;
    });
    for (;;) {
      const timer = this.#sorted.at(-1);
      if (timer === undefined || this.#timers.has(timer)) {
        return timer !== undefined && timer.at <= end ? timer : undefined;
      }
      this.#sorted.pop();
    }
  }
}
