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
  /** Whether the whole map was read over this connection. */
  #isRead = false;
  #isWaiting = false;
  /** Whether nobody has to be waited for any more. */
  #isOver = false;
  #stopWaiting: Cancel = () => undefined;
  #stopSaying: Cancel = () => undefined;

  constructor(deps: TrustDeps, events: TrustEvents) {
    this.#deps = deps;
    this.#events = events;
    this.#hasMemory = deps.hasMemory;
  }

  /** Whether members are waited for, or for the map to be read. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** A connection was made at this time. A wait that has begun gets no longer by that alone. */
  connected(atMs: number): void {
    this.#connectedAt = atMs;
    this.#isRead = false;
    if (!this.#isWaiting) this.#wait();
  }

  /** Something was read over it that is older than what was known: each time counts once. */
  foundOlder(): void {
    this.#hasMemory = false;
    this.#wait();
  }

  /** The whole map was read over it, and is as new as what was known unless that was said. */
  hasRead(): void {
    this.#isRead = true;
    if (this.#hasMemory) this.#isOver = true;
    this.#look();
  }

  /** All that the map names have, which was read over it. */
  allHaveSpoken(): void {
    this.#isOver = true;
    this.#look();
  }

  /** Nothing is trusted after that, and nobody is waited for. */
  stop(): void {
    this.#isWaiting = false;
    this.#stopWaiting();
    this.#stopSaying();
  }

  /** Until the connection is old enough. */
  #wait(): void {
    this.stop();
    this.#isWaiting = true;
    this.#isOver = false;
    this.#events.trusts(false);
    const { clock, sessionTimeoutMs } = this.#deps;
    const untilMs = this.#connectedAt + oldAfterMs(sessionTimeoutMs);
    const over = () => {
      this.#isOver = true;
      this.#look();
    };
    if (untilMs <= clock.now()) return over();
    this.#stopWaiting = clock.after(untilMs - clock.now(), over);
    this.#stopSaying = clock.after(SAY_MS, () => this.#say(untilMs));
  }

  #look(): void {
    if (!this.#isWaiting || !this.#isOver || !this.#isRead) return;
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
