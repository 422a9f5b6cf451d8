/**
 * Faults on real processes: some schedules of `npm run chaos`, and one that differs from day to day.
 * What fails keeps its folder, and is repeated with the seed that its title names.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { familiesHere } from '../chaos/options.js';
import { Run } from '../chaos/run.js';

const DAY_MS = 86_400_000;
const SEED_OF_TODAY = 1_000_000 + Math.floor(Date.now() / DAY_MS);

describe('S5 S6 S12 S13 S21 S22 every answer given under faults is linearizable', () => {
  it.each([
    { seed: 7, storms: 1 },
    { seed: 9, storms: 1 },
    { seed: SEED_OF_TODAY, storms: 2 },
  ])(
    'seed $seed, $storms storms: all is well again, nothing is lost, replicas are the same (S9)',
    async ({ seed, storms }) => {
      const folder = await mkdtemp(join(tmpdir(), `portolan-chaos-${seed}-`));
      const lines: string[] = [];
      const say = (line: string) => void lines.push(line);
      const families = familiesHere();
      const run = await Run.start({ seed, storms, families, zooKeeper: 1, folder, say });
      const outcome = await run.run();
      await run.close(outcome);
      const found = outcome.broken.map(({ promise, what }) => `${promise}: ${what}`);
      expect(found, `${lines.join('\n')}\nevidence in ${folder}`).toEqual([]);
      await rm(folder, { recursive: true, maxRetries: 5 });
    },
    300_000,
  );
});
