/**
 * One direction between two machines: how long things take on it, and whether they get through.
 *
 * A link is *cut* until it is healed, or *clogged* until a moment. Either way nothing is lost, as
 * TCP sends again: what is under way waits, and arrives late and in order once the link is open.
 */
import type { Prng } from './prng.js';
import type { Simulation } from './simulation.js';

/** Milliseconds on the way: the least, and what queues add on average. */
export interface Latency {
  readonly leastMs: number;
  readonly queueMeanMs: number;
}

/** What waits at a link that does not let it through. */
export interface Waiting {
  /** The link is open again. */
  opened(): void;
}

export class SimLink {
  readonly from: string;
  readonly to: string;
  latency: Latency;
  readonly #simulation: Simulation;
  readonly #prng: Prng;
  #isCut = false;
  #cloggedUntilMs = 0;
  /** Counts the times it was blocked; tells one from the next. */
  #blocks = 0;
  #isBlocked = false;
  readonly #waiting = new Set<Waiting>();

  constructor(simulation: Simulation, ends: { from: string; to: string }, latency: Latency) {
    this.from = ends.from;
    this.to = ends.to;
    this.latency = latency;
    this.#simulation = simulation;
    this.#prng = simulation.prng.fork(`link ${ends.from} ${ends.to}`);
  }

  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** The number of this time of being blocked; undefined = the link is open. */
  get blockNumber(): number | undefined {
    return this.#isBlocked ? this.#blocks : undefined;
  }

  /** Milliseconds that one thing takes, drawn anew. */
  delayMs(): number {
    const { leastMs, queueMeanMs } = this.latency;
    return queueMeanMs === 0 ? leastMs : leastMs + this.#prng.exponential(queueMeanMs);
  }

  cut(): void {
    this.#isCut = true;
    this.#block();
  }

  /** Ends a cut. A clog goes on. */
  heal(): void {
    this.#isCut = false;
    this.#open();
  }

  clog(forMs: number): void {
    this.#cloggedUntilMs = Math.max(this.#cloggedUntilMs, this.#simulation.nowMs + forMs);
    this.#block();
    this.#simulation.at(this.#cloggedUntilMs, () => this.#open());
  }

  /** Ends a clog before its time. */
  unclog(): void {
    this.#cloggedUntilMs = 0;
    this.#open();
  }

  /** Told once, when the link is open again. */
  wait(waiting: Waiting): void {
    this.#waiting.add(waiting);
  }

  #block(): void {
    if (!this.#isBlocked) this.#blocks++;
    this.#isBlocked = true;
  }

  #open(): void {
    if (!this.#isBlocked || this.#isCut || this.#simulation.nowMs < this.#cloggedUntilMs) return;
    this.#isBlocked = false;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const each of waiting) each.opened();
  }
}
