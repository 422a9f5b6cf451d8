/**
 * Whether the tests catch a planted bug, and how soon: first replica groups that a seed moves, then
 * the files of tests that its entry names.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isInGroups, type Mutant } from './mutant.js';
import type { Sandbox } from './sandbox.js';
import type { SeedsRun } from './seeds.js';

/** Which seeds are tried. */
export interface SeedPlan {
  /** Seeds from each start. */
  readonly cap: number;
  readonly starts: readonly number[];
}

export interface FailedTest {
  readonly file: string;
  readonly title: string;
}

export interface Finding {
  readonly id: string;
  readonly by: 'seeds' | 'tests' | 'nobody';
  /** Seeds to the first failure, of each start that had one. */
  readonly seeds: readonly number[];
  /** Seeds that were run from a start without any failure; 0 if none were, or every start had one. */
  readonly inVain: number;
  /** What the first of these failures said. */
  readonly problem: string;
  readonly failed: readonly FailedTest[];
}

/** A bug that breaks no promise but the program, or a try that says nothing about the tests. */
export class BrokenMutantError extends Error {}

/** One seed takes some 25 ms; one of a group that does not converge, many times that. */
const SEED_MS_MAX = 400;
const START_UP_MS = 60_000;
const TESTS_MS_MAX = 300_000;

export async function detect(
  sandbox: Sandbox,
  mutant: Mutant,
  { cap, starts }: SeedPlan,
): Promise<Finding> {
  sandbox.plant(mutant);
  const { id } = mutant;
  const none = { id, by: 'nobody', seeds: [], inVain: 0, problem: '', failed: [] } as const;
  const tried = isInGroups(mutant) ? starts : [];
  const runs = await runSeeds(sandbox, { cap, starts: tried });
  const seeds = runs.map((run) => run.seeds).filter((count) => count !== undefined);
  const problem = runs.find((run) => run.seeds !== undefined)?.problem ?? '';
  if (tried.length > 0 && seeds.length === tried.length)
    return { ...none, by: 'seeds', seeds, problem };
  // A median of what some starts found would be none: it is the tests that have to find it.
  const inVain = tried.length === 0 ? 0 : cap;
  const failed = await runTests(sandbox, mutant.tests);
  const by = failed.length > 0 ? 'tests' : 'nobody';
  return { ...none, by, seeds, problem, inVain, failed };
}

/** What the seeds say of whatever is planted. */
export async function runSeeds(sandbox: Sandbox, { cap, starts }: SeedPlan): Promise<SeedsRun[]> {
  if (starts.length === 0) return [];
  const args = ['--import', 'tsx', 'test/mutants/seeds.ts', `${cap}`, ...starts.map(String)];
  const timeoutMs = START_UP_MS + cap * starts.length * SEED_MS_MAX;
  const { stdout, stderr, status } = await sandbox.run(args, timeoutMs);
  if (status !== 0) throw new BrokenMutantError(`the seeds ended with ${status}: ${stderr}`);
  const runs = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as SeedsRun);
  const broken = runs.find(({ problem, isViolation }) => problem !== undefined && !isViolation);
  if (broken !== undefined) throw new BrokenMutantError(broken.problem);
  return runs;
}

interface VitestReport {
  readonly testResults: readonly {
    /** Its file. */
    readonly name: string;
    readonly message: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** The tests of these files that fail. */
export async function runTests(
  sandbox: Sandbox,
  files: readonly string[],
): Promise<readonly FailedTest[]> {
  if (files.length === 0) return [];
  const report = join(sandbox.root, 'report.json');
  rmSync(report, { force: true });
  const vitest = join('node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=json', `--outputFile=${report}`];
  const projects = new Set(files.map((file) => `--project=${file.split('/')[1]}`));
  const config = ['--config', 'test/vitest.config.ts', ...projects];
  const { stderr } = await sandbox.run(
    [vitest, 'run', ...config, ...reporters, ...files],
    TESTS_MS_MAX,
  );
  if (!existsSync(report)) throw new BrokenMutantError(`the tests did not end: ${stderr}`);
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as VitestReport;
  if (testResults.length < files.length)
    throw new BrokenMutantError(`not all of ${files.join()} ran`);
  return testResults.flatMap(({ name, assertionResults, status, message }) => {
    const failed = assertionResults.filter((result) => result.status === 'failed');
    if (status === 'failed' && failed.length === 0) throw new BrokenMutantError(message);
    const file = files.find((known) => name.endsWith(known)) ?? name;
    return failed.map(({ fullName }) => ({ file, title: fullName }));
  });
}
