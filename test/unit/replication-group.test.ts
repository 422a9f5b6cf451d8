import { describe, expect, it } from 'vitest';
import { promiseMs } from '../../src/replication/lease.js';
import { type Chaos, moved } from '../support/group-chaos.js';
import { LEASE } from '../support/replica-group.js';

describe('a group of replicas, moved by a seed', () => {
  it('promises last longer than leases, by more than clocks may differ', () => {
    expect(promiseMs(LEASE)).toBeGreaterThan(LEASE.leaseMs * 1.02);
  });

  const SEEDS = 200;
  it(`S1 S4 S5 S6 S7 S8 S9 S11 S12 S13 S14 S15 S21 S22 L1 L2 L3 ${SEEDS} seeds keep every promise and converge`, () => {
    const sums = new Map<string, number>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      let chaos: Chaos;
      try {
        chaos = moved(seed);
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
      for (const [name, count] of [...Object.entries(chaos.counts), ...chaos.leader.changes]) {
        sums.set(name, (sums.get(name) ?? 0) + count);
      }
    }
    // What never happened was not tested.
    for (const [name, count] of sums)
      expect({ name, count: count > 0 }).toEqual({ name, count: true });
  });
});
