/**
 * Whether a leader may go by what ZooKeeper has, or whether that may have been set back a moment
 * ago, and members know more that have not spoken.
 *
 * A ZooKeeper that is set back breaks every connection. So a connection that is old enough can be
 * trusted: whoever knew more has come by then. A new one can be trusted, too,
 * - if the leader knew the map before, from one that could be trusted, and found nothing older: a
 *   backup is older than that, unless this process hung since before the backup was made;
 * - if every member has spoken that the map names: one of them knows more than a backup does,
 *   unless all of them have been replaced since, while they were down. Waiting for those that
 *   nobody has heard of would stop every shard whenever a cluster is started.
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
  /** Members that are waited for: those that have not spoken. */
  awaited(): readonly MemberId[];
  /** Whether ZooKeeper is trusted from now on, and nobody has to be waited for. */
  trusts(trusts: boolean): void;
}

export class Trust {
  readonly #deps: TrustDeps;
  readonly #events: TrustEvents;
  #hasMemory: boolean;
  #connectedAt = 0;
  /** Set while members are waited for. */
  #untilMs: number | undefined;
  #stopWaiting: Cancel = () => undefined;
  #stopSaying: Cancel = () => undefined;

  constructor(deps: TrustDeps, events: TrustEvents) {
    this.#deps = deps;
    this.#events = events;
    this.#hasMemory = deps.hasMemory;
  }

  /** A connection was made at this time. A wait that has begun gets no longer by that. */
  connected(atMs: number): void {
    this.#connectedAt = atMs;
    if (!this.isWaiting) this.#wait();
  }

  /** The whole map was read over it, and some of that is older than what was known. */
  compared(isOlder: boolean): void {
    if (isOlder) {
      this.#hasMemory = false;
      // The connection before was old enough, but this one is not, and it is known to be worse.
      if (!this.isWaiting) this.#wait();
    } else if (this.#hasMemory && this.isWaiting) this.#complete();
  }

  /** Whether members are waited for. */
  get isWaiting(): boolean {
    return this.#untilMs !== undefined;
  }

  /** All of them have. */
  allHaveSpoken(): void {
    if (this.isWaiting) this.#complete();
  }

  /** Nothing is trusted after that, and nobody is waited for. */
  stop(): void {
    this.#untilMs = undefined;
    this.#stopWaiting();
    this.#stopSaying();
  }

  /** Until the connection is old enough. */
  #wait(): void {
    const { clock, sessionTimeoutMs } = this.#deps;
    const untilMs = this.#connectedAt + oldAfterMs(sessionTimeoutMs);
    const leftMs = untilMs - clock.now();
    if (leftMs <= 0) return this.#complete();
    this.#untilMs = untilMs;
    this.#events.trusts(false);
    this.#stopWaiting = clock.after(leftMs, () => this.#complete());
    this.#stopSaying = clock.after(SAY_MS, () => this.#say(untilMs));
  }

  #complete(): void {
    this.stop();
    this.#hasMemory = true;
    this.#events.trusts(true);
  }

  #say(untilMs: number): void {
    const { clock, log } = this.#deps;
    const names = this.#events.awaited().join(', ');
    if (names === '') return;
    log.info(
      `waiting for ${names}: the connection to ZooKeeper is new, and they may know more than it, ` +
        'should it have been set back',
      { forMs: Math.round(untilMs - clock.now()) },
    );
  }
}
