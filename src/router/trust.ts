/**
 * Whether a leader may go by what ZooKeeper has, or whether that may have been set back a moment
 * ago, and members know more that have not spoken.
 *
 * A ZooKeeper that is set back breaks every connection. So a connection that is old enough can be
 * trusted: whoever knew more has come by then. So can a new one, if the leader knew the map before,
 * from one that could be trusted, and found nothing older: a backup is older than that. And so can
 * one over which every member was heard that the map names.
 */
import type { MemberId } from '../model/ids.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';

/**
 * Whoever knew more comes after two session timeouts, in which it takes ZooKeeper to be behind; the
 * rest is for opening sessions.
 */
const OLD = { timeouts: 2, moreMs: 3_000 };
/** Those that are there have spoken by then. */
const SAY_MS = 1_000;

/** From when on a connection is old enough, in milliseconds. */
export function oldAfterMs(sessionTimeoutMs: number): number {
  return OLD.timeouts * sessionTimeoutMs + OLD.moreMs;
}

export interface TrustDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly sessionTimeoutMs: number;
  /** Whether the map was known before the first connection, from one that could be trusted. */
  readonly hasMemory: boolean;
}

export interface TrustEvents {
  /** Members that have not spoken. */
  unheard(): readonly MemberId[];
  /** Whether nobody has to be waited for any more: then the map that was read can be trusted. */
  isComplete(isComplete: boolean): void;
}

export class Trust {
  readonly #deps: TrustDeps;
  readonly #events: TrustEvents;
  #hasMemory: boolean;
  /** Set while members are waited for. */
  #untilMs: number | undefined;
  #setBacks = 0;
  #stopWaiting: Cancel = () => undefined;
  #stopSaying: Cancel = () => undefined;

  constructor(deps: TrustDeps, events: TrustEvents) {
    this.#deps = deps;
    this.#events = events;
    this.#hasMemory = deps.hasMemory;
  }

  /** A connection was made at this time. A wait that has begun gets no longer by that. */
  connected(atMs: number): void {
    if (this.isWaiting) return;
    const { clock, sessionTimeoutMs } = this.#deps;
    const untilMs = atMs + oldAfterMs(sessionTimeoutMs);
    const leftMs = untilMs - clock.now();
    if (leftMs <= 0) return this.#complete();
    this.#untilMs = untilMs;
    this.#events.isComplete(false);
    this.#stopWaiting = clock.after(leftMs, () => this.#complete());
    this.#stopSaying = clock.after(SAY_MS, () => this.#say(untilMs));
  }

  /** The whole map was read over it; in all so many shards were older than they were known. */
  compared(setBacks: number): void {
    const isOlder = setBacks > this.#setBacks;
    this.#setBacks = setBacks;
    if (isOlder) this.#hasMemory = false;
    else if (this.#hasMemory && this.isWaiting) this.#complete();
  }

  /** Whether members are waited for. */
  get isWaiting(): boolean {
    return this.#untilMs !== undefined;
  }

  /** All of them have. */
  allHaveSpoken(): void {
    if (this.isWaiting) this.#complete();
  }

  stop(): void {
    this.#stopWaiting();
    this.#stopSaying();
  }

  #complete(): void {
    this.stop();
    this.#untilMs = undefined;
    this.#hasMemory = true;
    this.#events.isComplete(true);
  }

  #say(untilMs: number): void {
    const { clock, log } = this.#deps;
    const names = this.#events.unheard().join(', ');
    if (names === '') return;
    log.info(
      `waiting for ${names}: the connection to ZooKeeper is new, and they may know more than it, ` +
        'should it have been set back',
      { forMs: Math.round(untilMs - clock.now()) },
    );
  }
}
