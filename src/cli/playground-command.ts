/** `portolan playground`: everything at once, in the foreground, to try and to break. */
import { Command } from 'commander';
import { LIMITS } from '../model/limits.js';
import { EXIT } from './exit.js';
import { clusterFlag, countOf, flag, jsonFlag, sessionTimeoutFlag, zkFlag } from './flags.js';
import { print, tell } from './output.js';
import { Playground, type PlaygroundCluster, type PlaygroundOptions } from './playground.js';
import { leaveContext, removeContext } from './playground-context.js';

interface PlaygroundFlags extends Omit<PlaygroundOptions, 'zk' | 'data'> {
  readonly zk?: string;
  readonly data?: string;
  readonly json: boolean;
  readonly quiet: boolean;
}

const EXAMPLES = `
Examples:
  portolan playground
  portolan playground --routers 4 --storage 5 --data ./my-cluster
  portolan playground --zk 127.0.0.1:2181`;

export function playgroundCommand(): Command {
  const command = new Command('playground')
    .description('Run a whole cluster on this machine, to try it and to break it.')
    .addOption(flag('--routers <n>', 'how many routers').argParser(countOf(1, 50)).default(3))
    .addOption(flag('--storage <n>', 'how many storage nodes').argParser(countOf(1, 50)).default(3))
    .addOption(
      flag('--replicas <n>', 'replicas per shard; this version keeps one')
        .argParser(countOf(1, 1))
        .default(1),
    )
    .addOption(
      flag('--shards <n>', 'shards of a new cluster')
        .argParser(countOf(1, LIMITS.shardsMax))
        .default(LIMITS.shardsDefault),
    )
    .addOption(zkFlag())
    .addOption(clusterFlag())
    .addOption(flag('--data <dir>', 'keep the data there; otherwise it goes with the playground'))
    .addOption(sessionTimeoutFlag())
    .addOption(flag('--restart', 'start again what dies').default(false))
    .addOption(flag('--quiet', 'do not show the logs of the processes').default(false))
    .addOption(jsonFlag())
    .addHelpText('after', EXAMPLES);
  return command.action(async () => run(command.opts<PlaygroundFlags>()));
}

async function run(flags: PlaygroundFlags): Promise<void> {
  tell('portolan playground: a cluster on this machine; Ctrl-C stops all of it');
  const showLogs = !flags.quiet && !flags.json;
  const playground = new Playground(
    { ...flags, zk: flags.zk, data: flags.data },
    {
      progress: (step) => tell(`  ${step}`),
      log: (member, line) => {
        if (showLogs) tell(`[${member}] ${line}`);
      },
      died: (member, how) => tell(`  ${member} died: ${how}`),
      restarted: (id, pid) => {
        tell(`  ${id} started again, pid ${pid}`);
        if (flags.json) print(JSON.stringify({ event: 'restarted', id, pid }));
      },
    },
  );
  const stopped = stopOnSignals(playground);
  try {
    const cluster = await playground.start();
    leaveContext(cluster.routers.map(({ address }) => address));
    if (flags.json) print(JSON.stringify({ event: 'ready', ...cluster }));
    else tell(welcome(cluster));
  } catch (error) {
    await playground.stop(true);
    throw error;
  }
  process.exitCode = await stopped;
}

/** Settles with the exit code after everything was stopped. A second signal does not ask politely. */
function stopOnSignals(playground: Playground): Promise<number> {
  let signals = 0;
  return new Promise((resolve) => {
    const onSignal = (code: number) => () => {
      signals++;
      tell(signals === 1 ? '\n  stopping: routers, storage nodes, ZooKeeper' : '\n  forced');
      removeContext();
      const exit = (): void => {
        resolve(code);
        process.exit(code);
      };
      void playground.stop(signals > 1).finally(exit);
    };
    process.on('SIGINT', onSignal(EXIT.interrupted));
    process.on('SIGTERM', onSignal(EXIT.terminated));
    process.on('SIGHUP', onSignal(EXIT.terminated));
  });
}

function welcome({ zookeeper, routers, storage }: PlaygroundCluster): string {
  const lines = [
    '',
    'ready',
    `  ZooKeeper  ${zookeeper.connect}${zookeeper.pid === null ? '' : `  pid ${zookeeper.pid}`}`,
    ...routers.map(({ id, address, admin, pid }) => {
      return `  router  ${id}  ${address}  admin ${admin}  pid ${pid}`;
    }),
    ...storage.map(({ id, address, pid }) => `  storage ${id}  ${address}  pid ${pid}`),
    '',
    'try, in another terminal:',
    '  npx portolan put greeting hello',
    '  npx portolan get greeting',
    '  npx portolan status',
    'and break something:',
    `  kill -9 ${routers[0]?.pid ?? ''}       # ${routers[0]?.id ?? 'r1'}; then look at the status again`,
    '',
  ];
  return lines.join('\n');
}
