/** The cluster a benchmark runs on: somebody else's, or a playground of its own. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { spawnWithParent } from '../src/system/child.js';
import { Installs } from './installs.js';
import { WritePauses } from './write-pauses.js';

const COMMAND = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

export interface ClusterProcess {
  readonly id: string;
  readonly pid: number;
  readonly address: string;
}

export interface OwnCluster {
  readonly routers: readonly ClusterProcess[];
  readonly storage: readonly ClusterProcess[];
  /** Pids as they are now: the playground restarts what was killed. */
  pidOf(id: string): number;
  readonly pauses: WritePauses;
  readonly installs: Installs;
  stop(): Promise<void>;
}

interface ReadyLine {
  readonly event: string;
  readonly routers: readonly ClusterProcess[];
  readonly storage: readonly ClusterProcess[];
}

interface RestartedLine {
  readonly event: string;
  readonly id: string;
  readonly pid: number;
}

/** Starts a playground that restarts what dies; resolves when it serves reads and writes. */
export async function startCluster(
  replicas: number,
  restartAfterMs: number | undefined,
): Promise<OwnCluster> {
  const args = ['playground', '--json', '--restart', '--zk', 'real'];
  args.push('--replicas', String(replicas));
  if (restartAfterMs !== undefined) args.push('--restart-after-ms', String(restartAfterMs));
  const child = spawnWithParent(process.execPath, [COMMAND, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PORTOLAN_LOG_LEVEL: 'debug', PORTOLAN_LOG_FORMAT: 'json' },
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('the playground has no output');
  const [pauses, installs] = [new WritePauses(), new Installs()];
  createInterface({ input: stderr }).on('line', (line) => {
    pauses.hear(line);
    installs.hear(line);
  });
  const pids = new Map<string, number>();
  const ready = await new Promise<ReadyLine>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the playground ended with status ${code}`)));
    createInterface({ input: stdout }).on('line', (line) => {
      const event = JSON.parse(line) as ReadyLine | RestartedLine;
      if ('routers' in event) resolve(event);
      else if (event.event === 'restarted') pids.set(event.id, event.pid);
    });
  });
  for (const { id, pid } of [...ready.routers, ...ready.storage]) pids.set(id, pid);
  return {
    routers: ready.routers,
    storage: ready.storage,
    pidOf: (id) => pids.get(id) ?? -1,
    pauses,
    installs,
    stop: () => {
      for (const pid of pids.values()) goOn(pid);
      return stopChild(child);
    },
  };
}

/** Of what is stopped, which would not hear anything. */
export function goOn(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has ended.
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exited;
}
