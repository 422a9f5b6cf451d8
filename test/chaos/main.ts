/**
 * `npm run chaos`: schedules of faults on real processes, one after the other, each with a seed of
 * its own. Progress goes to stderr; the last line of stdout is `N passed, N failed`, of schedules.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { EXIT } from '../../src/cli/exit.js';
import { type ChaosOptions, parseOptions } from './options.js';
import { formatReport, reportOf } from './report.js';
import { type Outcome, Run } from './run.js';

function say(line: string): void {
  process.stderr.write(`chaos: ${line}\n`);
}

/** What runs now, for whoever interrupts it. */
let running: { readonly folder: string; readonly run: Promise<Run> } | undefined;

async function runSeed(seed: number, options: ChaosOptions): Promise<Outcome> {
  const { storms, faults: families, zooKeeper } = options;
  const folder = await mkdtemp(join(tmpdir(), `portolan-chaos-${seed}-`));
  const tell = (line: string): void => say(`seed ${seed}: ${line}`);
  const starting = Run.start({ seed, storms, families, zooKeeper, folder, say: tell });
  running = { folder, run: starting };
  const run = await starting;
  const outcome = await run.run();
  await run.close(outcome);
  if (outcome.broken.length === 0) await rm(folder, { recursive: true, maxRetries: 5 });
  else tellBroken(outcome, folder, options);
  running = undefined;
  return outcome;
}

function tellBroken(
  { seed, broken }: Outcome,
  folder: string,
  { storms, faults, zooKeeper }: ChaosOptions,
): void {
  for (const { promise, what } of broken) say(`seed ${seed} BROKEN: ${promise}\n${what}`);
  say(`history, logs and data are in ${folder}`);
  const what = `--storms ${storms} --faults ${faults.join(',')} --zookeeper ${zooKeeper}`;
  say(`again: npm run chaos -- --seed ${seed} --schedules 1 ${what}`);
}

async function runAll(options: ChaosOptions): Promise<void> {
  const { seed, schedules, minutes = Infinity, json } = options;
  const outcomes: Outcome[] = [];
  const startMs = performance.now();
  const elapsedMinutes = (): number => (performance.now() - startMs) / 60_000;
  try {
    while (outcomes.length < schedules && elapsedMinutes() < minutes) {
      outcomes.push(await runSeed(seed + outcomes.length, options));
    }
  } finally {
    // If a schedule could not be carried out, what the others were is told all the same.
    const report = reportOf(outcomes, elapsedMinutes());
    process.stderr.write(formatReport(report));
    if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
    process.stdout.write(`${report.passed} passed, ${report.failed} failed\n`);
    process.exitCode = report.failed === 0 ? EXIT.ok : EXIT.unexpected;
  }
}

/** Ends what was started, and leaves nothing. */
async function interrupted(): Promise<never> {
  say('interrupted');
  if (running !== undefined) {
    const run = await running.run.catch(() => undefined);
    await run?.abort();
    await rm(running.folder, { recursive: true, force: true, maxRetries: 5 });
  }
  process.exit(130);
}

// npm passes on a signal that came to all of us: the second one must not cut the first one short.
let ending: Promise<never> | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => void (ending ??= interrupted()));
}
try {
  await runAll(parseOptions(process.argv.slice(2)));
} catch (error) {
  if (error instanceof CommanderError) {
    // It has said what is wrong; help is an answer.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exitCode = EXIT.unexpected;
  }
}
