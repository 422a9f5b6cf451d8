/**
 * Runs a playground in the foreground: tells what happens, leaves its addresses for the other
 * commands, and stops everything when asked to. Everything but the one line that programs read
 * (`--json`) goes to stderr.
 */
import { CliError, EXIT } from './exit.js';
import { print, tell } from './output.js';
import {
  Playground,
  type PlaygroundCluster,
  type PlaygroundEvents,
  type PlaygroundOptions,
} from './playground.js';
import { leaveContext, removeContext } from './playground-context.js';
import { EMBEDDED_NOTE, REAL } from './playground-zookeeper.js';
import { onStopRequest } from './signals.js';
import { MissingPrerequisiteError } from '../system/java.js';

export interface PlaygroundRun extends PlaygroundOptions {
  readonly json: boolean;
  readonly quiet: boolean;
}

const PARENT_POLL_MS = 500;

export async function runPlayground(options: PlaygroundRun): Promise<void> {
  const playground = new Playground(options, eventsOf(options));
  const stop = new Stop(playground, ownZooKeeper(options.zk));
  try {
    const cluster = await playground.start();
    await leaveContext({
      cluster: cluster.cluster,
      routers: cluster.routers.map(({ address }) => address),
    });
    // Asked to stop meanwhile: then the file came after its removal.
    if (stop.requested) removeContext();
    else if (options.json) print(readyLine(cluster));
    else tell(welcome(cluster));
  } catch (error) {
    if (stop.requested) return stop.done;
    await playground.stop(true);
    if (error instanceof MissingPrerequisiteError) {
      throw new CliError(EXIT.usage, error.message, { cause: error });
    }
    throw error;
  }
  return stop.done;
}

/** The fields of the contract. */
function readyLine(running: PlaygroundCluster): string {
  const { cluster, zookeeper, routers, storage, replicas, leader } = running;
  return JSON.stringify({ event: 'ready', cluster, zookeeper, routers, storage, replicas, leader });
}

function eventsOf({ json, quiet }: PlaygroundRun): PlaygroundEvents {
  return {
    progress: (step) => tell(`  ${step}`),
    log: (member, line) => {
      // Lines for machines stay as they are: they name their member.
      if (!quiet) tell(line.startsWith('{') ? line : `[${member}] ${withoutId(line, member)}`);
    },
    died: (member, how, again) => {
      tell(`  ${member} died: ${how}`);
      if (again !== undefined) tell(`  to start it again, in another terminal:\n    ${again}`);
    },
    runsOn: (member, address) => {
      tell(`  ${member} was started by hand and runs on at ${address}: stop it yourself`);
    },
    restarted: (id, pid) => {
      tell(`  ${id} started again, pid ${pid}`);
      if (json) print(JSON.stringify({ event: 'restarted', id, pid }));
    },
  };
}

/** A line of a log names its member in third place: here that stands in front already. */
function withoutId(line: string, member: string): string {
  return line.replace(/^(\S+ [a-z]+ +)(\S+) /, (all, head: string, id: string) => {
    return id === member ? head : all;
  });
}

/** Stops everything at the first signal and ends this process; the second does not ask politely. */
class Stop {
  /** Never settles: the process ends first. */
  readonly done = new Promise<never>(() => undefined);
  readonly #playground: Playground;
  readonly #ownZooKeeper: string;
  #signals = 0;

  constructor(playground: Playground, ownZooKeeper: string) {
    this.#playground = playground;
    this.#ownZooKeeper = ownZooKeeper;
    onStopRequest((exitCode) => this.#hear(exitCode));
    this.#watchNpm();
  }

  get requested(): boolean {
    return this.#signals > 0;
  }

  #hear(code: number): void {
    this.#signals++;
    if (this.#signals > 2) process.exit(code);
    const all = `routers, storage nodes${this.#ownZooKeeper}`;
    tell(this.#signals === 1 ? `\n  stopping: ${all}` : '  forced');
    removeContext();
    void this.#playground.stop(this.#signals > 1).finally(() => process.exit(code));
  }

  /** An `npm start` that is killed with -9 passes no signal on: nobody is left to stop us then. */
  #watchNpm(): void {
    if (process.env['npm_lifecycle_event'] === undefined) return;
    const npm = process.ppid;
    const timer = setInterval(() => {
      if (process.ppid === npm) return;
      clearInterval(timer);
      this.#hear(EXIT.terminated);
    }, PARENT_POLL_MS);
    timer.unref();
  }
}

/** What of it is stopped, too; nothing if somebody else runs it. */
function ownZooKeeper(zk: string | undefined): string {
  if (zk === undefined) return ', embedded coordination';
  return zk === REAL ? ', ZooKeeper' : '';
}

function welcome(running: PlaygroundCluster): string {
  const { cluster, zookeeper, routers, storage, leader, replicas, isEmbedded } = running;
  const leading = routers.find(({ id }) => id === leader) ?? routers[0];
  const node = storage[0];
  const effect = replicas > 1 ? 'the others take over its shards' : 'its shards wait for it';
  const lines = [
    `ready: cluster ${cluster}, ${replicas} replica${replicas === 1 ? '' : 's'} of each shard`,
    '',
    `ZooKeeper   ${zookeeper.connect}${zookeeper.pid === null ? '' : `   pid ${zookeeper.pid}`}`,
    ...(isEmbedded ? [`  ${EMBEDDED_NOTE}`] : []),
    ...routers.map(({ id, address, admin, pid }) => {
      const role = id === leader ? '   leader' : '';
      return `router ${id}   ${address}   admin ${admin}   pid ${pid}${role}`;
    }),
    ...storage.map(({ id, address, pid }) => `storage ${id}  ${address}   pid ${pid}`),
    '',
    'Try, in another terminal:',
    '  npx portolan put greeting hello',
    '  npx portolan get greeting',
    '  npx portolan status',
    'Break something, then look at the status again:',
    `  kill -9 ${leading?.pid ?? ''}   ${leading?.id ?? ''} leads: another router takes over`,
    `  kill -9 ${node?.pid ?? ''}   ${node?.id ?? ''} stores: ${effect}`,
    'Ctrl-C stops all of it.',
  ];
  const width = Math.max(...lines.map((line) => line.length));
  const rule = '-'.repeat(width + 2);
  const boxed = lines.map((line) => `| ${line.padEnd(width)} |`);
  return ['', `+${rule}+`, ...boxed, `+${rule}+`, ''].join('\n');
}
