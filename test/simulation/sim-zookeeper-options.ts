/** What a simulated ZooKeeper is told once, and the faults that can befall a request. */
import type { Clock } from '../../src/ports/clock.js';
import type { RangeMs } from './sim-zookeeper-pipe.js';

/**
 * What becomes of a request and of the connection that carries it:
 *
 *  - `not-connected`: the connection breaks before anything is sent;
 *  - `before`: it breaks under way to the server, the request is lost;
 *  - `after`: the request is done, the connection breaks before the answer arrives;
 *  - `stall-before`: everything towards the server is late, this request the first;
 *  - `stall-after`: everything from the server is late, the answer the first.
 *
 * A stall may last longer than the caller waits, so that the request is done after its outcome was
 * unknown; and longer than the client waits, which then connects anew.
 */
export type SimFault = 'not-connected' | 'before' | 'after' | 'stall-before' | 'stall-after';

/** Of each request, heart-beats included; the sum is at most 1. */
export type FaultChances = Readonly<Record<SimFault, number>>;

export const NO_FAULTS: FaultChances = {
  ...{ 'not-connected': 0, before: 0, after: 0 },
  ...{ 'stall-before': 0, 'stall-after': 0 },
};

export interface SimZooKeeperOptions {
  /** The ensemble's clock; a client may have another one. */
  readonly clock: Clock;
  /** Uniform in [0, 1). Everything that happens by chance is drawn from it. */
  readonly random: () => number;
  /** Default 3. */
  readonly servers?: number;
  /** Sessions last 2 to 20 ticks, and up to one more. Default 500. */
  readonly tickMs?: number;
  /** Of each message between a client and a server, one way. Default 0 to 2. */
  readonly latencyMs?: RangeMs;
  /** From the commit of a transaction until each server has applied it. Default 0. */
  readonly lagMs?: RangeMs;
  /** How long a stall lasts. Default 1 to 8,000. */
  readonly stallMs?: RangeMs;
  /** From a client's losing of a connection, or a failed attempt, to the next. Default 1 to 1,000. */
  readonly redialMs?: RangeMs;
  /** From the loss of the ensemble's leader until another one leads. Default 100 to 2,000. */
  readonly electionMs?: RangeMs;
  /** Default {@link NO_FAULTS}. */
  readonly faults?: FaultChances;
}

/** Of {@link SimZooKeeperOptions}. */
export const DEFAULTS = {
  servers: 3,
  tickMs: 500,
  latencyMs: { min: 0, max: 2 },
  lagMs: { min: 0, max: 0 },
  stallMs: { min: 1, max: 8_000 },
  redialMs: { min: 1, max: 1_000 },
  electionMs: { min: 100, max: 2_000 },
} as const;
