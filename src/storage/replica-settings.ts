/**
 * How replicas behave, with the reason for each number. All nodes of a cluster must have the same
 * `leaseMs`: a grantor keeps its promise for as long as it believes that the holder counts on it.
 */
import type { ReplicaSettings } from './replicas.js';

export const REPLICA_DEFAULTS: Omit<ReplicaSettings, 'minIsr'> = {
  /**
   * A dead primary is replaced no sooner; a shorter one makes reads wait whenever a node is late.
   */
  leaseMs: 600,
  driftMax: 0.02,
  marginMs: 50,
  /** One entry on its way makes the next one larger, which gains more than a second one would. */
  windowEntries: 1,
  catchUpEntries: 64,
  catchUpBytes: 4 * 1024 * 1024,
  /** Well above a lease: reads wait that long, but a busy machine is not taken for a dead one. */
  silentMs: 1_500,
  stuckMs: 1_500,
  askAgainMs: 500,
  handOverMs: 1_000,
  /** What a node misses in some minutes of moderate load; about 100 bytes of memory each. */
  keepEntries: 10_000,
  trimEntries: 64,
};
