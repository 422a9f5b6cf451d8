/** Whole clusters in simulated time: a few seeds, and that a seed decides everything. */
import { describe, expect, it } from 'vitest';
import { runSeed } from '../simulation/portolan/seed-run.js';

const SEEDS = 3;
const ROT_SEEDS = 5;
const LEASE_SEEDS = 8;

describe('a whole cluster', () => {
  it('serves without faults, and every operation is answered', async () => {
    const { failure, operations, answered } = await runSeed({ seed: 1, withFaults: false });
    expect(failure).toBeUndefined();
    expect(operations).toBeGreaterThan(100);
    expect(answered).toBe(operations);
  });

  it('S20 what rots on its disks is found and learnt anew, in states, logs and data', async () => {
    const found = { state: 0, log: 0, data: 0, again: 0 };
    const faults = { rates: { rot: { gapMeanMs: 200, lengthMeanMs: 200 } }, script: undefined };
    for (let seed = 1; seed <= ROT_SEEDS; seed++) {
      const { failure, probes } = await runSeed({ seed, faults });
      expect(failure, `seed ${seed}`).toBeUndefined();
      for (const kind of ['state', 'log', 'data'] as const) {
        found[kind] += probes[`rotten ${kind} set aside`] ?? 0;
      }
      found.again += probes['damaged replica learnt again'] ?? 0;
    }
    const { again, ...kinds } = found;
    expect(Math.min(...Object.values(kinds))).toBeGreaterThan(0);
    expect(again).toBe(kinds.state + kinds.log + kinds.data);
  });

  it('S14 B22 whoever granted a lease and restarts waits for it before it takes over', async () => {
    const script = { name: 'grantor-restart', stepMeanMs: 300 } as const;
    const found = { restarts: 0, waits: 0 };
    for (let seed = 1; seed <= LEASE_SEEDS; seed++) {
      const { failure, faults, probes } = await runSeed({ seed, faults: { rates: {}, script } });
      expect(failure, `seed ${seed}`).toBeUndefined();
      found.restarts += faults['grantor-restart'] ?? 0;
      found.waits += probes['successor waits while the one before holds a lease'] ?? 0;
    }
    expect(found.restarts).toBeGreaterThan(LEASE_SEEDS);
    expect(found.waits).toBeGreaterThan(0);
  });

  it(`S1 S2 S6 S8 S9 S14 S15 L1 L2 L3 L4 ${SEEDS} seeds keep every promise, and are the same twice`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { failure, hash } = await runSeed({ seed });
      expect(failure, `npm run sim -- --seed ${seed}`).toBeUndefined();
      const again = await runSeed({ seed, linesMax: 1_000 });
      expect(again.hash, `seed ${seed}`).toBe(hash);
      expect(again.lines.length).toBeGreaterThan(100);
    }
  });
});
