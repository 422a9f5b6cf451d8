/**
 * The monotonic clock of one process: its own start and its own rate over true time.
 *
 * It never goes back and never jumps. It may run fast or slow, and it stands still while its machine
 * sleeps. Timers are as Node's: at least 1 ms, fractions cut off (nodejs.org/api/timers.html), never
 * later than due; the lateness of a busy process is a pause.
 */
import { type Cancel, type Clock, SINCE_BOOT_STEP_MS } from '../../src/ports/clock.js';
import type { QueuedEvent, Receiver } from './event-queue.js';
import type { Simulation } from './simulation.js';

/** As long as Node's longest timer. */
const DELAY_MAX_MS = 2 ** 31 - 1;

interface Timer {
  /** By this clock. */
  readonly dueMs: number;
  readonly task: () => void;
  /** Undefined while the clock stands still. */
  event: QueuedEvent | undefined;
}

export interface ClockStart {
  readonly rate: number;
  readonly startMs: number;
}

export class SimClock implements Clock {
  readonly #simulation: Simulation;
  readonly #owner: Receiver;
  readonly #timers = new Set<Timer>();
  #rate: number;
  #isFrozen = false;
  /** How much of its time this clock stood still, up to when it last ran on. */
  #frozenMs = 0;
  /** What this clock showed at `#baseTrueMs`, when its rate last changed. */
  #baseMs: number;
  #baseTrueMs: number;

  constructor(simulation: Simulation, owner: Receiver, { rate, startMs }: ClockStart) {
    this.#simulation = simulation;
    this.#owner = owner;
    this.#rate = positive(rate);
    this.#baseMs = startMs;
    this.#baseTrueMs = simulation.nowMs;
  }

  now(): number {
    if (this.#isFrozen) return this.#baseMs;
    return this.#baseMs + (this.#simulation.nowMs - this.#baseTrueMs) * this.#rate;
  }

  /** By a clock that ran on while this one stood still, and is as coarse as a real one. */
  sinceBoot(): number {
    const sinceBoot = this.now() + this.stoodStillMs;
    return sinceBoot - (sinceBoot % SINCE_BOOT_STEP_MS);
  }

  /** How much of its time this clock stood still so far. */
  get stoodStillMs(): number {
    return this.#frozenMs + (this.#isFrozen ? this.#frozenNow() : 0);
  }

  after(delayMs: number, task: () => void): Cancel {
    // NaN too is 1 ms, as in Node.
    const wholeMs = delayMs >= 1 && delayMs <= DELAY_MAX_MS ? Math.trunc(delayMs) : 1;
    const timer: Timer = { dueMs: this.now() + wholeMs, task, event: undefined };
    this.#timers.add(timer);
    if (!this.#isFrozen) this.#schedule(timer);
    return () => this.#forget(timer);
  }

  get rate(): number {
    return this.#rate;
  }

  /** Milliseconds of this clock per millisecond of true time, from now on. */
  set rate(rate: number) {
    this.#rebase();
    this.#rate = positive(rate);
    if (!this.#isFrozen) this.#scheduleAll();
  }

  /** Stands still until {@link thaw}. */
  freeze(): void {
    if (this.#isFrozen) return;
    this.#rebase();
    this.#isFrozen = true;
    for (const timer of this.#timers) this.#unschedule(timer);
  }

  thaw(): void {
    if (!this.#isFrozen) return;
    this.#frozenMs += this.#frozenNow();
    this.#baseTrueMs = this.#simulation.nowMs;
    this.#isFrozen = false;
    this.#scheduleAll();
  }

  /** The process is dead: its timers never fire. */
  stop(): void {
    for (const timer of this.#timers) this.#unschedule(timer);
    this.#timers.clear();
  }

  #frozenNow(): number {
    return (this.#simulation.nowMs - this.#baseTrueMs) * this.#rate;
  }

  #rebase(): void {
    if (this.#isFrozen) this.#frozenMs += this.#frozenNow();
    this.#baseMs = this.now();
    this.#baseTrueMs = this.#simulation.nowMs;
  }

  #scheduleAll(): void {
    for (const timer of this.#timers) {
      this.#unschedule(timer);
      this.#schedule(timer);
    }
  }

  #schedule(timer: Timer): void {
    const atMs = this.#baseTrueMs + (timer.dueMs - this.#baseMs) / this.#rate;
    const fire = () => {
      // Stopped by an earlier event that was held together with this one.
      if (!this.#timers.delete(timer)) return;
      timer.task();
    };
    timer.event = this.#simulation.at(atMs, fire, this.#owner);
  }

  #unschedule(timer: Timer): void {
    if (timer.event !== undefined) this.#simulation.cancel(timer.event);
    timer.event = undefined;
  }

  #forget(timer: Timer): void {
    if (this.#timers.delete(timer)) this.#unschedule(timer);
  }
}

function positive(rate: number): number {
  if (!(rate > 0)) throw new Error(`not the rate of a clock: ${rate}`);
  return rate;
}
