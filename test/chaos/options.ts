/** The command line of `npm run chaos`. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { countOf } from '../../src/cli/flags.js';
import { FAMILIES, type Family } from './schedule.js';

export interface ChaosOptions {
  /** Of the first schedule; the others count on from it. */
  readonly seed: number;
  /** No schedule begins after so many minutes; undefined = only the number of schedules counts. */
  readonly minutes: number | undefined;
  readonly schedules: number;
  /** Storms of a schedule. */
  readonly storms: number;
  readonly faults: readonly Family[];
  /** Servers of ZooKeeper. */
  readonly zooKeeper: number;
  readonly json: boolean;
}

const SEED_MAX = 2 ** 31;
const MINUTES_DEFAULT = 5;

const EXAMPLES = `
A schedule starts a cluster of its own: ZooKeeper, 3 routers, 3 storage nodes, 3 replicas.
Clients load it through all routers while storms of faults go over it. Then everything is healed,
and it passes if the cluster is well again by itself, if every acknowledged write is there, and if
some order of the operations explains every answer. What fails is kept, with the line that repeats
its schedule. Repeating it repeats the faults; what the processes make of them may differ.

Families of faults:
  kill      kill -9 of a storage node, a router, the leader, a ZooKeeper server, all storage nodes
  pause     SIGSTOP for a tenth of a lease up to longer than a session
  stop      SIGTERM, with hand-over
  network   partitions; bytes held, lost, late; connections reset, refused, silent; no ZooKeeper
  disk      a storage node's disk is full, or fails with EIO (needs root)

Examples:
  npm run chaos -- --minutes 10
  npm run chaos -- --seed 7 --schedules 1
  npm run chaos -- --faults kill,pause --minutes 5
  npm run chaos -- --zookeeper 3`;

/**
 * Parses the command line; prints help or the mistake if there is nothing to run.
 *
 * @throws CommanderError with the exit code: 0 after help, 1 after a mistake.
 */
export function parseOptions(argv: readonly string[]): ChaosOptions {
  const command = new Command('npm run chaos --')
    .description('Faults on real processes, and whether every promise was kept.')
    .option('--seed <n>', 'of the first schedule; any if not given', countOf(0, SEED_MAX))
    .option(
      '--minutes <m>',
      `begin schedules for so long; ${MINUTES_DEFAULT} unless --schedules is given`,
      countOf(1, 10_000),
    )
    .option('--schedules <n>', 'so many at most', countOf(1, 1_000_000))
    .option('--storms <n>', 'storms of each schedule', countOf(1, 1_000), 5)
    .addOption(
      new Option('--faults <list>', `families, of ${FAMILIES.join(',')}`)
        .argParser(familyList)
        .default(familiesHere(), 'all that can be done here'),
    )
    .option('--zookeeper <n>', 'servers of ZooKeeper', countOf(1, 5), 1)
    .option('--json', 'a JSON line with everything, before the last line', false)
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride()
    .parse(argv, { from: 'user' });
  const { zookeeper: zooKeeper, ...raw } = command.opts<
    Partial<ChaosOptions> &
      Pick<ChaosOptions, 'storms' | 'faults' | 'json'> & { readonly zookeeper: number }
  >();
  const { schedules, seed = Math.floor(Math.random() * SEED_MAX) } = raw;
  const minutes = raw.minutes ?? (schedules === undefined ? MINUTES_DEFAULT : undefined);
  return { ...raw, seed, minutes, schedules: schedules ?? Infinity, zooKeeper };
}

/** All of them, but those of disks only for root, who alone may mount one. */
export function familiesHere(): readonly Family[] {
  return FAMILIES.filter((family) => family !== 'disk' || process.getuid?.() === 0);
}

function familyList(text: string): readonly Family[] {
  const names = text.split(',');
  const families = FAMILIES.filter((family) => names.includes(family));
  if (families.length === names.length) return families;
  throw new InvalidArgumentError(`expected a list of ${FAMILIES.join(', ')}.`);
}
