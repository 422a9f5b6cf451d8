/** The benchmark's command line. */
import { Command, Option } from 'commander';
import { addressList, countOf } from '../src/cli/flags.js';
import { LIMITS } from '../src/model/limits.js';

export type Op = 'get' | 'put' | 'mixed';
export type Via = 'router' | 'direct';
export type KillSignal = 'SIGKILL' | 'SIGTERM' | 'SIGSTOP';
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
  /** How: at once, or asked to end, so that a node hands over first, or made to hang. */
  readonly signal: KillSignal;
  /** Milliseconds that what was killed stays dead; undefined = started again at once. */
  readonly restartAfterMs: number | undefined;
  /** Log entries that a dead node has missed before the load rests until it is back; 0 = never. */
  readonly miss: number;
  readonly json: boolean;
}

type Optional = Partial<Pick<BenchOptions, 'routers' | 'kill' | 'restartAfterMs' | 'miss'>>;
type Required = Omit<BenchOptions, keyof Optional>;

const EXAMPLES = `
Examples:
  npm run bench -- --op put --in-flight 64 --seconds 10
  npm run bench -- --op put --via direct --in-flight 256 --replicas 3
  npm run bench -- --op mixed --in-flight 32 --seconds 50 --kill leader --every 5
  npm run bench -- --in-flight 8 --seconds 60 --kill storage --every 10 --miss 10000
  npm run bench -- --in-flight 8 --seconds 60 --kill storage --every 10 --signal SIGSTOP
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
      new Option(
        '--signal <signal>',
        'SIGTERM: asked to end, so that a node hands over first; SIGSTOP: made to hang',
      )
        .choices(['SIGKILL', 'SIGTERM', 'SIGSTOP'])
        .default('SIGKILL'),
    )
    .option('--restart-after-ms <ms>', 'leave what was killed dead, or hanging, for so long', count)
    .option(
      '--miss <n>',
      'with --kill storage: once the node has missed so many log entries the load rests until it ' +
        'is back in sync',
      count,
    )
    .option('--json', 'only the JSON line, no summary', false)
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride()
    .parse(argv, { from: 'user' });
  const given = command.opts<Optional & Required>();
  const { kill, routers, miss = 0, restartAfterMs = restDefault(given), ...rest } = given;
  const options = { ...rest, kill, routers, miss, restartAfterMs };
  if (options.kill !== undefined && options.routers !== undefined) {
    command.error('error: --kill works on a cluster started for it: leave out --routers');
  }
  if (miss > 0 && kill !== 'storage' && kill !== 'primary') {
    command.error('error: --miss is about a storage node: add --kill storage');
  }
  return options;
}

/** Long enough to miss the entries in, or to be taken for dead. */
function restDefault({ miss, signal }: Optional & Required): number | undefined {
  if (miss !== undefined) return 15_000;
  return signal === 'SIGSTOP' ? 3_000 : undefined;
}
