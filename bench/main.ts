/**
 * `npm run bench`: load on a cluster, with or without somebody being killed, and what came of it.
 *
 * Closed loop: `--in-flight` operations are always under way, each followed by the next. Every
 * acknowledged write is read back at the end; `lost` counts those that are not there. The last line
 * of stdout is one JSON object (contract of the repository), progress goes to stderr.
 */
import { CommanderError } from 'commander';
import { EXIT } from '../src/cli/exit.js';
import { parseOptions } from './options.js';
import { runBenchmark } from './run.js';
import { formatReport } from './report.js';

try {
  const options = parseOptions(process.argv.slice(2));
  const report = await runBenchmark(options);
  if (!options.json) process.stderr.write(formatReport(report));
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exitCode = report.lost > 0 ? 1 : 0;
} catch (error) {
  if (error instanceof CommanderError) {
    // It has said what is wrong; help is an answer.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = EXIT.unexpected;
  }
}
