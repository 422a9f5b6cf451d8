/** The benchmark's command line. */
import { Command, Option } from 'commander';
import { addressList, countOf } from '../src/cli/flags.js';
import { LIMITS } from '../src/model/limits.js';

export type Op = 'get' | 'put' | 'mixed';
export type Via = 'router' | 'direct';
export type KillSignal = 'SIGKILL' | 'SIGTERM';
export type KillRole = 'leader' | 'router' | 'primary' | 'storage';

export interface BenchOptions {
  readonly op: Op;
  readonly via: Via;
  /** Operations always under way. */
  readonly inFlight: number;
  /** Of measured load, after the warm-up. */
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly valueBytes: number;
  /** Of each shard, in a cluster started for this. */
  readonly replicas: number;
  /** Keys in use. */
  readonly keys: number;
  /** Milliseconds one operation may take, retries included. */
  readonly timeoutMs: number;
  /** Addresses of a running cluster; undefined = start one. */
  readonly routers: readonly string[] | undefined;
  readonly kill: KillRole | undefined;
  /** Seconds from one kill to the next. */
  readonly every: number;
  /** How: at once, or asked to stop, so that a node hands over first. */
  readonly signal: KillSignal;
  /** Milliseconds that what was killed stays dead; undefined = started again at once. */
  readonly restartAfterMs: number | undefined;
  readonly json: boolean;
}

type Optional = Partial<Pick<BenchOptions, 'routers' | 'kill' | 'restartAfterMs'>>;
type Required = Omit<BenchOptions, keyof Optional>;

const EXAMPLES = `
Examples:
  npm run bench -- --op put --in-flight 64 --seconds 10
  npm run bench -- --op put --via direct --in-flight 256 --replicas 3
  npm run bench -- --op mixed --in-flight 32 --seconds 50 --kill leader --every 5
  npm run bench -- --op get --routers 127.0.0.1:7000,127.0.0.1:7001`;

const VALUE_BYTES_MIN = 24;
const count = countOf(1, 100_000_000);
/** Short enough for a timer to count its milliseconds. */
const seconds = countOf(1, 1_000_000);

/**
 * Parses the command line; prints help or the mistake if there is nothing to run.
 *
 * @throws CommanderError with the exit code: 0 after help, 1 after a mistake.
 */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const command = new Command('npm run bench --')
    .description('Load on a cluster: throughput, latency, and what a kill costs.')
    .addOption(
      new Option('--op <op>', 'what to do').choices(['get', 'put', 'mixed']).default('put'),
    )
    .option('--in-flight <n>', 'operations always under way', count, 64)
    .option('--seconds <s>', 'of measured load', seconds, 10)
    .option('--warmup-seconds <s>', 'of load before measuring', seconds, 2)
    .option(
      '--value-bytes <n>',
      'bytes of a value, at least 24',
      countOf(VALUE_BYTES_MIN, LIMITS.valueBytesMax),
      100,
    )
    .option('--replicas <n>', 'of each shard, in a cluster started for this', countOf(1, 7), 3)
    .option('--keys <n>', 'keys in use', count, 10_000)
    .option('--timeout-ms <ms>', 'for one operation with its retries', count, 5_000)
    .option(
      '--routers <list>',
      'HOST:PORT[,...] of a running cluster; otherwise one is started',
      (list) => addressList(list),
    )
    .addOption(
      new Option('--via <way>', 'how operations reach the primaries')
        .choices(['router', 'direct'])
        .default('router'),
    )
    .addOption(
      new Option('--kill <role>', 'kill -9 again and again, in a cluster started for it') //
        .choices(['leader', 'router', 'primary', 'storage']),
    )
    .option('--every <s>', 'seconds from one kill to the next', seconds, 5)
    .addOption(
      new Option('--signal <signal>', 'SIGTERM: asked to stop, so that a node hands over first')
        .choices(['SIGKILL', 'SIGTERM'])
        .default('SIGKILL'),
    )
    .option('--restart-after-ms <ms>', 'leave what was killed dead for so long', count)
    .option('--json', 'only the JSON line, no summary', false)
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride()
    .parse(argv, { from: 'user' });
  const { kill, routers, restartAfterMs, ...rest } = command.opts<Optional & Required>();
  const options = { ...rest, kill, routers, restartAfterMs };
  if (options.kill !== undefined && options.routers !== undefined) {
    command.error('error: --kill works on a cluster started for it: leave out --routers');
  }
  return options;
}
