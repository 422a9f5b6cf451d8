/**
 * `npm run sim`: whole clusters in simulated time, one after the other, and what came of them.
 *
 * A broken promise is printed with its seed and the line that runs it again. The last line of stdout
 * is `N passed, N failed`, or with `--json` one JSON object; progress goes to stderr.
 */
import { CommanderError } from 'commander';
import { EXIT } from '../../src/cli/exit.js';
import type { Mutant } from '../mutants/mutant.js';
import { Sandbox } from '../mutants/sandbox.js';
import { parseOptions, type SimOptions } from './options.js';
import { runPool } from './pool.js';
import { runSeed } from './portolan/seed-run.js';
import { type FailedSeed, Totals } from './totals.js';
import { runTask } from './worker.js';

/** The planted bug of the copy that this runs in. */
const PLANTED = process.env['PORTOLAN_SIM_MUTANT'];
const PROGRESS_EVERY_MS = 5_000;
/** A failure's message may hold a whole history. */
const MESSAGE_LINES_MAX = 30;
const TRACE_LINES_MAX = 1_000_000;

const say = (text: string) => void process.stdout.write(`${text}\n`);
const sayProgress = (text: string) => void process.stderr.write(`${text}\n`);

// Whoever reads a transcript may have seen enough.
process.stdout.on('error', () => process.exit());

try {
  const options = parseOptions(process.argv.slice(2));
  process.exitCode = await (options.mutant === undefined
    ? run(options)
    : runPlanted(options.mutant));
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // It has said what is wrong; help is an answer.
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}

async function run(options: SimOptions): Promise<number> {
  const totals = options.seed === undefined ? await runMany(options) : await runOne(options);
  if (options.json) say(JSON.stringify(totals));
  else sayTotals(totals);
  return totals.isGood ? EXIT.ok : EXIT.unexpected;
}

/** The same command line in a copy of the project with a planted bug. */
async function runPlanted(mutant: Mutant): Promise<number> {
  const sandbox = new Sandbox();
  process.once('SIGINT', () => {
    sandbox.dispose();
    process.exit(EXIT.interrupted);
  });
  try {
    sandbox.plant(mutant);
    const args = process.argv.slice(2).filter((arg, index, all) => {
      return !arg.startsWith('--mutant') && all[index - 1] !== '--mutant';
    });
    return await sandbox.show(['--import', 'tsx', 'test/simulation/main.ts', ...args], {
      PORTOLAN_SIM_MUTANT: mutant.id,
    });
  } finally {
    sandbox.dispose();
  }
}

async function runOne({ seed = 0, trace, twice }: SimOptions): Promise<Totals> {
  const totals = new Totals();
  if (trace) {
    const report = await runSeed({ seed, linesMax: TRACE_LINES_MAX });
    for (const line of report.lines) say(line);
    totals.add(report);
  } else totals.add(await runTask({ seed, twice }));
  return totals;
}

async function runMany({ first, seeds, minutes, workers, twice, json }: SimOptions) {
  const totals = new Totals();
  const endSeconds = minutes === undefined ? Infinity : minutes * 60;
  let saidAt = performance.now();
  let failuresSaid = 0;
  await runPool({
    ...{ workers, first, seeds, twice, totals },
    isOver: () => totals.seconds >= endSeconds,
    progress: () => {
      if (json) return;
      for (const failure of totals.failures.slice(failuresSaid)) sayFailure(failure);
      failuresSaid = totals.failures.length;
      if (performance.now() - saidAt < PROGRESS_EVERY_MS) return;
      saidAt = performance.now();
      const { seedsPerHour, failures } = totals.toJSON();
      sayProgress(`${totals.seeds} seeds, ${seedsPerHour} an hour, ${failures.length} failed`);
    },
  });
  return totals;
}

function sayFailure({ seed, promise, message }: FailedSeed): void {
  const lines = message.split('\n');
  const more = lines.length - MESSAGE_LINES_MAX;
  say(`BROKEN ${promise}, seed ${seed}`);
  for (const line of lines.slice(0, MESSAGE_LINES_MAX)) say(`  ${line}`);
  if (more > 0) say(`  ... and ${more} lines more`);
  say(`  npm run sim -- --seed ${seed}${PLANTED === undefined ? '' : ` --mutant ${PLANTED}`}`);
}

function sayTotals(totals: Totals): void {
  const { failures, missing, probes, faults, ...numbers } = totals.toJSON();
  if (totals.seeds === 1) for (const failure of failures) sayFailure(failure);
  for (const [name, number] of Object.entries(numbers)) say(`${name.padEnd(18)} ${number}`);
  say(`faults             ${listed(faults)}`);
  say('situations');
  for (const [name, count] of Object.entries(probes)) say(`  ${String(count).padStart(9)} ${name}`);
  for (const name of missing) say(`NEVER in ${totals.seeds} seeds: ${name}`);
  const broken = failures.map(({ seed }) => seed);
  if (broken.length > 0) say(`BROKEN in ${broken.length} seeds: ${broken.join(' ')}`);
  else say('every promise was kept');
  say(`${totals.seeds - broken.length} passed, ${broken.length} failed`);
}

function listed(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  return entries.join(', ') || 'none';
}
