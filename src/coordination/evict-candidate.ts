/**
 * Removing a dead router's candidacy before ZooKeeper does (D3): its session would keep it in the
 * election for seconds, while its process provably is gone.
 *
 * Whoever evicts acts on what it saw some time ago. The check of `/leader/epoch` ends that: if any
 * router took office since, the election was decided by others and nothing is removed.
 */
import { candidateZnode, ZNODES } from '../model/znodes.js';
import type { CoordinatorSession, Outcome } from '../ports/coordinator.js';

export interface Eviction {
  /** Name of the candidate znode, whose data is never changed. */
  readonly candidate: string;
  /** Version of `/leader/epoch`, read while the candidate was still there. */
  readonly fenceVersion: number;
}

/**
 * `ok`: it is gone, whoever removed it. `failed` with `bad-version`: the election went on without
 * us. In every other case look at the election again; trying twice is harmless.
 */
export async function evictCandidate(
  session: CoordinatorSession,
  { candidate, fenceVersion }: Eviction,
): Promise<Outcome<void>> {
  const evicted = await session.multi([
    { type: 'check', path: ZNODES.leaderEpoch, version: fenceVersion },
    { type: 'remove', path: candidateZnode(candidate), version: 0 },
  ]);
  if (evicted.status === 'unknown') return evicted;
  const isGone = evicted.status === 'ok' || (evicted.code === 'no-node' && evicted.opIndex === 1);
  return isGone ? { status: 'ok', value: undefined } : evicted;
}
