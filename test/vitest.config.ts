/** The tiers: fast ones run side by side, those that start processes and clusters one by one. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));

function tier(
  name: string,
  timeouts: { testTimeout: number; hookTimeout: number },
  alone: boolean,
) {
  return {
    test: {
      name,
      root,
      include: [`test/${name}/**/*.test.ts`],
      ...timeouts,
      // A process for each of a hundred small files takes longer than the files do; each has modules
      // of its own all the same, and what they change of the process is put back.
      ...(alone ? { maxWorkers: 1 } : { isolate: false, unstubEnvs: true, restoreMocks: true }),
      sequence: { groupOrder: alone ? 2 : 1 },
    },
  };
}

export default defineConfig({
  test: {
    root,
    allowOnly: false,
    projects: [
      tier('unit', { testTimeout: 60_000, hookTimeout: 60_000 }, false),
      tier('scenario', { testTimeout: 60_000, hookTimeout: 60_000 }, false),
      tier('conformance', { testTimeout: 30_000, hookTimeout: 60_000 }, true),
      tier('integration', { testTimeout: 60_000, hookTimeout: 120_000 }, true),
      tier('fault', { testTimeout: 180_000, hookTimeout: 120_000 }, true),
      tier('simulation', { testTimeout: 900_000, hookTimeout: 60_000 }, true),
      tier('mutants', { testTimeout: 900_000, hookTimeout: 60_000 }, true),
    ],
  },
});
