/** Whole clusters in simulated time: a few seeds, and that a seed decides everything. */
import { describe, expect, it } from 'vitest';
import { runSeed } from '../simulation/portolan/seed-run.js';

const SEEDS = 3;

describe('a whole cluster', () => {
  it('serves without faults, and every operation is answered', async () => {
    const { failure, operations, answered } = await runSeed({ seed: 1, withFaults: false });
    expect(failure).toBeUndefined();
    expect(operations).toBeGreaterThan(100);
    expect(answered).toBe(operations);
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
