/** The command line of `npm run mutants`. */
import { Command } from 'commander';
import { countOf } from '../../src/cli/flags.js';

export interface MutantOptions {
  readonly only: readonly string[];
  /** Seeds from each start. */
  readonly seeds: number;
  readonly starts: number;
  /** What the starts and the sample are chosen by. */
  readonly seed: number;
  /** Mutants, chosen by the seed; undefined: all. */
  readonly sample: number | undefined;
  readonly control: boolean;
  readonly table: boolean;
  readonly json: boolean;
}

const EXAMPLES = `
Examples:
  npm run mutants -- --only majority-commits --starts 3
  npm run mutants -- --sample 5 --seed 20261121
  npm run mutants -- --control --seeds 1000
  npm run mutants -- --table`;

/** @throws CommanderError with the exit code: 0 after help, 1 after a mistake. */
export function parseOptions(argv: readonly string[]): MutantOptions {
  const count = countOf(1, 1_000_000);
  const command = new Command('npm run mutants --')
    .description('Plants bugs, one at a time, and says which test finds each, and how soon.')
    .option('--only <ids...>', 'these mutants only', [])
    .option('--seeds <n>', 'seeds tried from each start', count, 4_000)
    .option('--starts <n>', 'starts, for a median', count, 5)
    .option('--seed <n>', 'what starts and sample are chosen by', countOf(0, 2 ** 31), 0)
    .option('--sample <k>', 'so many mutants, chosen by the seed', count)
    .option('--control', 'the same without any mutant: nothing may be found', false)
    .option('--table', 'write what is found into results.json and README.md', false)
    .option('--json', 'one line of JSON per mutant', false)
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride()
    .parse(argv, { from: 'user' });
  const raw = command.opts<
    Omit<MutantOptions, 'sample'> & Partial<Pick<MutantOptions, 'sample'>>
  >();
  return { ...raw, sample: raw.sample };
}
