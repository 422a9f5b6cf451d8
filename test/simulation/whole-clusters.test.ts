/** Whole clusters, as many as fit into about a minute of two cores: `npm run sim` runs more. */
import { describe, expect, it } from 'vitest';
import { CORPUS } from './corpus.js';
import { runPool } from './pool.js';
import { missingOf } from './portolan/probes.js';
import { runSeed } from './portolan/seed-run.js';
import { Totals } from './totals.js';

const SEEDS = 1_500;
const SEEDS_TWICE = 40;
const SEEDS_BEYOND_MODEL = 50;

async function run(first: number, seeds: number, twice = false): Promise<Totals> {
  const totals = new Totals();
  const nothing = () => undefined;
  await runPool({
    workers: 2,
    first,
    seeds,
    twice,
    totals,
    isOver: () => false,
    progress: nothing,
  });
  return totals;
}

function broken({ failures }: Totals): readonly string[] {
  return failures.map(({ seed, promise, message }) => {
    return `npm run sim -- --seed ${seed}: ${promise}: ${message}`;
  });
}

describe('whole clusters', () => {
  it(`S1 S2 S4 S5 S6 S7 S8 S9 S12 S13 S14 S15 S17 S19 S21 S22 S23 L1 L2 L3 L4 L5 hold in ${SEEDS} seeds`, async () => {
    const totals = await run(1, SEEDS);
    expect(broken(totals)).toEqual([]);
    expect(totals.seeds).toBe(SEEDS);
    expect(totals.answered).toBeGreaterThan(totals.operations / 2);
    expect(missingOf(totals.toJSON().probes)).toEqual([]);
  });

  it(`${SEEDS_TWICE} seeds do the same a second time`, async () => {
    expect(broken(await run(5_000, SEEDS_TWICE, true))).toEqual([]);
  });

  it('S14 two primaries with a lease are found, when clocks differ by more than leases allow for', async () => {
    const promises = new Set<string>();
    for (let seed = 1; seed <= SEEDS_BEYOND_MODEL; seed++) {
      const { failure } = await runSeed({ seed, beyondModel: { driftMax: 0.6 } });
      if (failure !== undefined) promises.add(failure.promise);
    }
    expect([...promises]).toContain('S14');
  });

  it('S6 committed writes that are gone are found, when drives say they have synced what they have not', async () => {
    const promises = new Set<string>();
    for (let seed = 1; seed <= SEEDS_BEYOND_MODEL; seed++) {
      const { failure } = await runSeed({ seed, beyondModel: { drivesLie: true } });
      if (failure !== undefined) promises.add(failure.promise);
    }
    expect([...promises]).toContain('S6');
  });

  it.each(CORPUS)('does not do again: $found', async ({ seeds }) => {
    for (const seed of seeds) expect(broken(await run(seed, 1))).toEqual([]);
  });
});
