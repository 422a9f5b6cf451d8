/** The benchmark's command line. */
import { Command, InvalidArgumentError, Option } from 'commander';

export type Op = 'get' | 'put' | 'mixed';
export type KillRole = 'leader' | 'router' | 'primary' | 'storage';

export interface BenchOptions {
  readonly op: Op;
  /** Operations always under way. */
  readonly inFlight: number;
  /** Of measured load, after the warm-up. */
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly valueBytes: number;
  /** Keys in use. */
  readonly keys: number;
  /** Milliseconds one operation may take, retries included. */
  readonly timeoutMs: number;
  /** Addresses of a running cluster; undefined = start one. */
  readonly routers: readonly string[] | undefined;
  readonly kill: KillRole | undefined;
  /** Seconds from one kill to the next. */
  readonly every: number;
  readonly json: boolean;
}

const EXAMPLES = `
Examples:
  npm run bench -- --op put --in-flight 64 --seconds 10
  npm run bench -- --op mixed --in-flight 32 --seconds 50 --kill leader --every 5
  npm run bench -- --op get --routers 127.0.0.1:40401,127.0.0.1:40402`;

/** Parses the command line; prints help or the mistake and exits if there is nothing to run. */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const command = new Command('npm run bench --')
    .description('Load on a cluster: throughput, latency, and what a kill costs.')
    .addOption(
      new Option('--op <op>', 'what to do').choices(['get', 'put', 'mixed']).default('put'),
    )
    .option('--in-flight <n>', 'operations always under way', count, 64)
    .option('--seconds <s>', 'of measured load', count, 10)
    .option('--warmup-seconds <s>', 'of load before measuring', count, 2)
    .option('--value-bytes <n>', 'bytes of a value, at least 24', count, 100)
    .option('--keys <n>', 'keys in use', count, 10_000)
    .option('--timeout-ms <ms>', 'for one operation with its retries', count, 5_000)
    .option('--routers <list>', 'HOST:PORT[,...] of a running cluster; otherwise one is started')
    .addOption(
      new Option('--via <way>', 'how operations reach the primaries')
        .choices(['router'])
        .default('router'),
    )
    .addOption(
      new Option('--kill <role>', 'kill -9 again and again, in a cluster started for it') //
        .choices(['leader', 'router', 'primary', 'storage']),
    )
    .option('--every <s>', 'seconds from one kill to the next', count, 5)
    .option('--json', 'only the JSON line, no summary', false)
    .addHelpText('after', EXAMPLES)
    .parse(argv, { from: 'user' });
  const raw = command.opts<Omit<BenchOptions, 'routers'> & { routers?: string }>();
  const options = { ...raw, kill: raw.kill, routers: raw.routers?.split(',') };
  if (options.valueBytes < 24) command.error('error: --value-bytes must be at least 24');
  if (options.kill !== undefined && options.routers !== undefined) {
    command.error('error: --kill works on a cluster started for it: leave out --routers');
  }
  return options;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('a count from 1.');
  return value;
}
