/**
 * Notices that the whole system slept, or that this process did not run for long: a lease that was
 * counted through that time may be over although this clock says that it is not.
 *
 * The monotonic clock stands still while a machine is suspended (clock_gettime(2)), and so do the
 * leases it times; the clock since boot does not. Where they have drifted apart the system slept:
 * no beat that was sent before counts any more, and reads wait for one that is sent after (S14).
 * Promises that this node gave need nothing: timed by the clock that stood still, they only became
 * longer.
 *
 * It is asked before anything is answered from a lease. One of the clocks is coarse, so that short
 * sleeps are not seen. Together those since the last one that was seen are no longer than
 * {@link UNSEEN_SLEEP_MS}, and promises outlast leases by more than that (`replica-settings.ts`).
 */
import { type Clock, SINCE_BOOT_STEP_MS } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { LeaseClaims } from '../replication/lease.js';

/**
 * Milliseconds of sleep that may go unseen. Twice the step of the coarse clock looks like a sleep
 * where there was none, so that is the least; the rest is for readings that took a while. Every
 * fail-over waits for it, as a part of the margin.
 */
export const UNSEEN_SLEEP_MS = 40;

/** Milliseconds between the first and the last of three readings that belong together. */
const READING_MS = 2;
/** A process that is held up between them tries again, so often in all. */
const READINGS_MAX = 3;

/** By how much the clock since boot is ahead of the other, as far as two coarse readings say. */
interface Ahead {
  readonly least: number;
  readonly most: number;
}

export interface WakefulnessDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly claims: Pick<LeaseClaims, 'dropBefore'>;
  /** Read at each use: known once the node has joined its cluster. */
  readonly settings: { readonly leaseMs: number };
}

export class Wakefulness {
  readonly #deps: WakefulnessDeps;
  /**
   * By so much at the least the clock since boot was ahead when it was last found to have moved.
   * Never taken anew before: many short sleeps are a long one.
   */
  #leastAhead: number;

  constructor(deps: WakefulnessDeps) {
    this.#deps = deps;
    this.#leastAhead = this.#ahead().least;
  }

  /**
   * Some microseconds: once for many answers.
   *
   * @returns whether the system slept since the last look: then leases of before are void
   */
  look(): boolean {
    const { least, most } = this.#ahead();
    const sleptMs = most - this.#leastAhead; // At the most; below 0, the clocks are out of joint.
    if (sleptMs >= 0 && sleptMs <= UNSEEN_SLEEP_MS) return false;
    const aheadMs = least - this.#leastAhead;
    this.#leastAhead = least;
    this.#drop('this system slept: reads wait for new leases', aheadMs);
    return true;
  }

  /** A timer fired so long after it was due. */
  late(ms: number): void {
    if (ms <= this.#deps.settings.leaseMs / 2) return;
    this.#drop('this process did not run for a while: reads wait for new leases', ms);
  }

  #drop(what: string, ms: number): void {
    const { clock, claims, log } = this.#deps;
    claims.dropBefore(clock.now());
    log.warn(what, { ms: Math.round(ms) });
  }

  #ahead(): Ahead {
    const { clock } = this.#deps;
    for (let reading = 1; ; reading++) {
      const before = clock.now();
      const sinceBoot = clock.sinceBoot();
      const after = clock.now();
      if (after - before > READING_MS && reading < READINGS_MAX) continue;
      return { least: sinceBoot - after, most: sinceBoot + SINCE_BOOT_STEP_MS - before };
    }
  }
}
