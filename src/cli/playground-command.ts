/** `portolan playground`: everything at once, in the foreground, to try and to break. */
import { Command } from 'commander';
import { LIMITS } from '../model/limits.js';
import { CONNECT_STRING_RULE } from '../zookeeper/connect-string.js';
import { CliError, EXIT } from './exit.js';
import {
  clusterFlag,
  countFlag,
  countOf,
  flag,
  jsonFlag,
  leaseFlag,
  replaceFlag,
  REPLICAS_DEFAULT,
  replicasFlag,
  sessionTimeoutFlag,
  zooKeeper,
} from './flags.js';
import { tell } from './output.js';
import type { PlaygroundRun } from './playground-run.js';
import { REAL } from './playground-zookeeper.js';

export interface PlaygroundFlags
  extends Omit<PlaygroundRun, 'zk' | 'data' | 'replicas' | 'restartAfterMs'> {
  readonly zk?: string;
  readonly data?: string;
  readonly replicas?: number;
  readonly restartAfterMs?: number;
}

const EXAMPLES = `
Examples:
  portolan playground
  portolan playground --routers 4 --storage 5 --data ./my-cluster
  portolan playground --zk real
  portolan playground --zk 127.0.0.1:2181

Without --zk it runs embedded coordination, which needs Node and nothing else: one process without a
quorum, for trying and testing (portolan zookeeper --help). In production routers and storage nodes
use an ensemble of ZooKeeper.`;

export function playgroundCommand(): Command {
  const command = new Command('playground')
    .description('Run a whole cluster on this machine, to try it and to break it.')
    .addOption(countFlag('--routers <n>', 'how many routers').default(3))
    .addOption(countFlag('--storage <n>', 'how many storage nodes').default(3))
    .addOption(replicasFlag(`${REPLICAS_DEFAULT} if not given, or as many as storage nodes`))
    .addOption(leaseFlag())
    .addOption(replaceFlag())
    .addOption(
      flag('--shards <n>', 'shards of a new cluster')
        .argParser(countOf(1, LIMITS.shardsMax))
        .default(LIMITS.shardsDefault),
    )
    .addOption(playgroundZkFlag())
    .addOption(clusterFlag())
    .addOption(flag('--data <dir>', 'keep the data there; otherwise it goes with the playground'))
    .addOption(sessionTimeoutFlag())
    .addOption(flag('--restart', 'start again what dies').default(false))
    .addOption(
      flag(
        '--restart-after-ms <ms>',
        'with --restart: leave it dead for so long, to watch that',
      ).argParser(countOf(1, 3_600_000)),
    )
    .addOption(flag('--quiet', 'do not show the logs of the processes').default(false))
    .addOption(jsonFlag())
    .addHelpText('after', EXAMPLES);
  return command.action(async () => run(command.opts<PlaygroundFlags>()));
}

function playgroundZkFlag() {
  const what = `${REAL} = start a real ZooKeeper, which needs Java; or one that runs already`;
  return flag('--zk <connect>', `${what}: ${CONNECT_STRING_RULE}`).argParser((text) => {
    return text === REAL ? REAL : zooKeeper(text);
  });
}

/** @throws CliError for what the flags alone cannot tell. */
export function playgroundRunOf(flags: PlaygroundFlags): PlaygroundRun {
  const { storage, zk, data, restartAfterMs } = flags;
  const { replicas = Math.min(REPLICAS_DEFAULT, storage) } = flags;
  if (replicas > storage) {
    const what = `${replicas} replicas of each shard need as many storage nodes`;
    throw new CliError(EXIT.usage, `${what}: give --storage ${replicas} or more`);
  }
  return { ...flags, zk, data, restartAfterMs, replicas };
}

async function run(flags: PlaygroundFlags): Promise<void> {
  const options = playgroundRunOf(flags);
  // Loading takes longer than a reader wants to wait for a sign of life.
  tell('portolan playground: a cluster on this machine; Ctrl-C stops all of it');
  const { runPlayground } = await import('./playground-run.js');
  await runPlayground(options);
}
