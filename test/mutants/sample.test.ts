/**
 * Some of the planted bugs, others in every run, each caught as soon as `results.json` says: so the
 * table stays true, and a test that lost its sense is noticed. The line that names the seed says how
 * to run the same ones again.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CATALOGUE } from './catalogue.js';
import { detect, runSeeds, runTests } from './detect.js';
import { filesOf, type Mutant } from './mutant.js';
import { medianOf, readResults } from './results.js';
import { shuffled, startsOf } from './sample.js';
import { ROOT, Sandbox } from './sandbox.js';
import { TypeCheck } from './types.js';

const seed = Number(process.env['MUTANTS_SEED'] ?? Math.floor(Date.now() / 1000) % 1_000_000);
/** Seeds expected to be run for the whole sample, and mutants that need files of tests. */
const BUDGET = { seeds: 700, bySeeds: 8, byTests: 3 };
/** Seeds without a mutant, before any: the copy itself must be sound. */
const CONTROL_SEEDS = 40;
/** So many times the most that a start has needed is never needed by bad luck. */
const PATIENCE = { factor: 20, least: 400, most: 20_000 };

const results = readResults();
const countsOf = ({ id }: Mutant) => results[id]?.seeds ?? [];

function capOf(mutant: Mutant): number {
  const most = Math.max(...countsOf(mutant));
  return Math.min(PATIENCE.most, Math.max(PATIENCE.least, most * PATIENCE.factor));
}

/** In the order of the seed, those that fit into the budget; the first fits in any case. */
function sample(): readonly Mutant[] {
  const chosen: Mutant[] = [];
  const left = { ...BUDGET };
  for (const mutant of shuffled(CATALOGUE, seed)) {
    const by = results[mutant.id]?.by;
    const expected = medianOf(countsOf(mutant));
    if (by === 'tests' && left.byTests > 0 && isUnit(mutant)) {
      left.byTests--;
      chosen.push(mutant);
    } else if (by === 'seeds' && left.bySeeds > 0) {
      if (expected > left.seeds && left.bySeeds < BUDGET.bySeeds) continue;
      left.bySeeds--;
      left.seeds -= expected;
      chosen.push(mutant);
    }
  }
  return chosen;
}

/** Tests that start servers have their own time; here they would only be run again. */
function isUnit({ tests }: Mutant): boolean {
  return tests.every((file) => /^test\/(?:unit|scenario)\//.test(file));
}

describe(`planted bugs, the sample of MUTANTS_SEED=${seed}`, () => {
  let sandbox: Sandbox;
  const chosen = sample();
  beforeAll(() => {
    process.stdout.write(`MUTANTS_SEED=${seed}: ${chosen.map(({ id }) => id).join(', ')}\n`);
    sandbox = new Sandbox();
  });
  afterAll(() => sandbox.dispose());

  it('without any of them nothing is found', async () => {
    sandbox.plant(undefined);
    const [run] = await runSeeds(sandbox, { cap: CONTROL_SEEDS, starts: startsOf(seed, 1) });
    expect(run?.problem).toBeUndefined();
    const files = new Set(
      chosen.filter(({ id }) => results[id]?.by === 'tests').flatMap(({ tests }) => tests),
    );
    expect(await runTests(sandbox, [...files])).toEqual([]);
  });

  it.each(chosen)('$id: $wrong', async (mutant) => {
    const by = results[mutant.id]?.by;
    const starts = by === 'seeds' ? startsOf(seed, 1) : [];
    const finding = await detect(sandbox, mutant, { cap: capOf(mutant), starts });
    expect({ by: finding.by, problem: finding.problem }).toEqual({ by, problem: finding.problem });
  });
});

describe('the catalogue of planted bugs', () => {
  it('every one is sound TypeScript', () => {
    const check = new TypeCheck(ROOT, [...new Set(CATALOGUE.flatMap(filesOf))]);
    const problems = CATALOGUE.map((mutant) => [mutant.id, ...check.problemsOf(mutant)]);
    expect(problems.filter(([, ...found]) => found.length > 0)).toEqual([]);
  });
});
