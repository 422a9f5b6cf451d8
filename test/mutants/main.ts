/**
 * `npm run mutants`: plants bugs, one at a time, into a copy of the project, and says which test
 * finds each, and after how many seeds. The last line of stdout is `N caught, N not caught`.
 */
import { CommanderError } from 'commander';
import { EXIT } from '../../src/cli/exit.js';
import { CATALOGUE } from './catalogue.js';
import { BrokenMutantError, detect, type Finding, runSeeds, runTests } from './detect.js';
import type { Mutant } from './mutant.js';
import { type MutantOptions, parseOptions } from './options.js';
import { medianOf, writeResults } from './results.js';
import { shuffled, startsOf } from './sample.js';
import { Sandbox } from './sandbox.js';
import type { SeedsRun } from './seeds.js';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function chosen({ only, sample, seed }: MutantOptions): readonly Mutant[] {
  const unknown = only.find((id) => !CATALOGUE.some((mutant) => mutant.id === id));
  if (unknown !== undefined) throw new Error(`there is no mutant ${unknown}`);
  const mutants = CATALOGUE.filter(({ id }) => only.length === 0 || only.includes(id));
  return sample === undefined ? mutants : shuffled(mutants, seed).slice(0, sample);
}

function wordsOf({ by, seeds, inVain, problem, failed }: Finding): string {
  switch (by) {
    case 'seeds':
      return `seeds: median ${medianOf(seeds)} of ${seeds.join(', ')}: ${problem.slice(0, 100)}`;
    case 'tests':
      return `tests: ${failed.length}, first "${failed[0]?.title}"; no seed of ${inVain}`;
    case 'nobody':
      return `NOTHING; no seed of ${inVain}`;
  }
}

/** Named tests that fail without any mutant would find whatever is planted. */
async function assertSound(sandbox: Sandbox, mutants: readonly Mutant[]): Promise<void> {
  const failed = await runTests(sandbox, [...new Set(mutants.flatMap(({ tests }) => tests))]);
  const [first] = failed;
  if (first !== undefined) throw new Error(`fails without a mutant: ${first.file}: ${first.title}`);
}

async function runMutants(sandbox: Sandbox, options: MutantOptions): Promise<number> {
  const starts = startsOf(options.seed, options.starts);
  if (options.table) await assertSound(sandbox, chosen(options));
  let caught = 0;
  let missed = 0;
  for (const mutant of chosen(options)) {
    const startedAt = performance.now();
    try {
      const finding = await detect(sandbox, mutant, { cap: options.seeds, starts });
      if (finding.by === 'nobody') missed++;
      else caught++;
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
      say(
        options.json ? JSON.stringify(finding) : `${mutant.id} (${seconds} s): ${wordsOf(finding)}`,
      );
      if (options.table) writeResults([finding]);
    } catch (error) {
      if (!(error instanceof BrokenMutantError)) throw error;
      missed++;
      say(`${mutant.id}: BROKEN: ${error.message}`);
    }
  }
  say(`${caught} caught, ${missed} not caught`);
  return missed === 0 ? EXIT.ok : EXIT.unexpected;
}

/** The project as it is, in the same copy: whatever is found now would be found of any mutant. */
async function runControl(sandbox: Sandbox, options: MutantOptions): Promise<number> {
  const starts = startsOf(options.seed, options.starts);
  const cap = options.seeds;
  const runs: SeedsRun[] = [];
  // One by one: the seeds of a try end at the first start that finds nothing.
  for (const start of starts) runs.push(...(await runSeeds(sandbox, { cap, starts: [start] })));
  const files = [...new Set(chosen(options).flatMap(({ tests }) => tests))];
  const failed = await runTests(sandbox, files);
  for (const { start, seeds, problem } of runs) {
    if (seeds !== undefined) say(`seed ${start + seeds}: ${problem}`);
  }
  for (const { file, title } of failed) say(`${file}: ${title}`);
  const found = failed.length + runs.filter(({ seeds }) => seeds !== undefined).length;
  const tried = runs.reduce((sum, { seeds }) => sum + (seeds ?? cap), 0);
  say(`control: ${tried} seeds, ${files.length} files, ${found} found`);
  return found === 0 ? EXIT.ok : EXIT.unexpected;
}

let sandbox: Sandbox | undefined;
// Whoever ends it early gets the same: nothing is left, neither the copy nor what runs in it.
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    sandbox?.dispose();
    process.exit(status);
  });
}
try {
  const options = parseOptions(process.argv.slice(2));
  sandbox = new Sandbox();
  process.exitCode = await (options.control ? runControl : runMutants)(sandbox, options);
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    process.stderr.write(`mutants: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = EXIT.unexpected;
  }
} finally {
  sandbox?.dispose();
}
