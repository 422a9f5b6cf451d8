/** The simulator's command line. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { countOf } from '../../src/cli/flags.js';
import { CATALOGUE } from '../mutants/catalogue.js';
import type { Mutant } from '../mutants/mutant.js';

export interface SimOptions {
  /** The one seed to run; undefined = many. */
  readonly seed: number | undefined;
  readonly trace: boolean;
  /** The first of many seeds, and how many; undefined = as many as the time allows. */
  readonly first: number;
  readonly seeds: number | undefined;
  readonly minutes: number | undefined;
  readonly workers: number;
  /** A planted bug of test/mutants: the seeds run in a copy of the project that has it. */
  readonly mutant: Mutant | undefined;
  /** Each seed runs a second time and must do the same. */
  readonly twice: boolean;
  readonly json: boolean;
}

const EXAMPLES = `
Examples:
  npm run sim                                      1,000 seeds
  npm run sim -- --minutes 10 --first 5000         as many as 10 minutes allow, from 5000 on
  npm run sim -- --seed 42                         one seed again
  npm run sim -- --seed 42 --trace                 and everything that happened in it
  npm run sim -- --seeds 50 --mutant learner-elected   with a planted bug (test/mutants/README.md)

Ends with 0 if every promise was kept, with 1 if not, or if a situation that has to come up now and
then did not in 10,000 seeds or more.`;

const SEEDS_DEFAULT = 1_000;
const SEED_MAX = 2 ** 53 - 1;
const WORKERS_MAX = 64;
const MINUTES_MAX = 100_000;

/**
 * Parses the command line; prints help or the mistake if there is nothing to run.
 *
 * @throws CommanderError with the exit code: 0 after help, 1 after a mistake.
 */
export function parseOptions(argv: readonly string[]): SimOptions {
  const raw = new Command('npm run sim --')
    .description('Whole clusters in simulated time, broken in every way that a seed draws.')
    .addOption(new Option('--seed <n>', 'run this seed alone').argParser(seedOf))
    .option('--trace', 'with --seed: print everything that happened', false)
    .addOption(new Option('--first <n>', 'the first of many seeds').argParser(seedOf).default(1))
    .option('--seeds <n>', 'how many', countOf(1, SEED_MAX))
    .option('--minutes <m>', 'go on for so long instead', countOf(1, MINUTES_MAX))
    .option('--workers <n>', 'processes that run seeds', countOf(1, WORKERS_MAX), 2)
    .option('--twice', 'run each seed twice and compare', false)
    .addOption(new Option('--mutant <name>', 'with this planted bug').argParser(mutantOf))
    .option('--json', 'only a JSON line at the end', false)
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride()
    .parse(argv, { from: 'user' })
    .opts<
      Partial<SimOptions> & Pick<SimOptions, 'trace' | 'first' | 'workers' | 'twice' | 'json'>
    >();
  const { seed, minutes, mutant } = raw;
  const seeds = raw.seeds ?? (minutes === undefined ? SEEDS_DEFAULT : undefined);
  return { ...raw, seed, seeds, minutes, mutant };
}

function seedOf(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seed)) {
    throw new InvalidArgumentError('a seed is an integer from 0 to 2^53 - 1');
  }
  return seed;
}

function mutantOf(name: string): Mutant {
  const mutant = CATALOGUE.find(({ id }) => id === name);
  if (mutant !== undefined) return mutant;
  throw new InvalidArgumentError('no such planted bug: test/mutants/README.md lists them');
}
