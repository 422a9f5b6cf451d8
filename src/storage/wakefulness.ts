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
 * It is asked before anything is answered from a lease. The two clocks are read one after the other
 * and one of them is coarse, so that a sleep of less than {@link SLEPT_MS} is not seen; the margin
 * by which promises outlast leases covers less than that.
 */
import type { Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { LeaseClaims } from '../replication/lease.js';

/** Ten times what the coarser clock rounds. */
const SLEPT_MS = 100;

export interface WakefulnessDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly claims: Pick<LeaseClaims, 'dropBefore'>;
  /** Read at each use: known once the node has joined its cluster. */
  readonly settings: { readonly leaseMs: number };
}

export class Wakefulness {
  readonly #deps: WakefulnessDeps;
  /** What the clock since boot is ahead, as seen last. */
  #aheadMs: number;

  constructor(deps: WakefulnessDeps) {
    this.#deps = deps;
    this.#aheadMs = this.#ahead();
  }

  /** Some microseconds: once for many answers. */
  look(): void {
    const ahead = this.#ahead();
    const sleptMs = ahead - this.#aheadMs;
    if (Math.abs(sleptMs) <= SLEPT_MS) return;
    this.#aheadMs = ahead;
    this.#drop('this system slept: reads wait for new leases', sleptMs);
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

  #ahead(): number {
    const { clock } = this.#deps;
    return clock.sinceBoot() - clock.now();
  }
}
