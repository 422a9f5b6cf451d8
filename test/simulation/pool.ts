/** Runs seeds in several processes at once: a simulation uses one core. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SeedReport } from './portolan/seed-run.js';
import type { Totals } from './totals.js';
import type { WorkerTask } from './worker.js';

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));
/** Tasks a worker has before it has answered one: it never waits for the next. */
const TASKS_AHEAD = 4;
/** A seed takes a fraction of a second; one that takes this long goes in circles. */
const HANGS_MS = 120_000;

export interface PoolOptions {
  readonly workers: number;
  readonly first: number;
  /** Undefined: as many as until `isOver`. */
  readonly seeds: number | undefined;
  readonly twice: boolean;
  readonly isOver: () => boolean;
  readonly totals: Totals;
  /** One more seed is done. */
  readonly progress: () => void;
}

/** Resolves when all seeds are done, or it is over. */
export async function runPool(options: PoolOptions): Promise<void> {
  let next = options.first;
  const end = options.seeds === undefined ? Infinity : options.first + options.seeds;
  const returned: number[] = [];
  const queue: Queue = {
    take: () => returned.pop() ?? (next < end && !options.isOver() ? next++ : undefined),
    giveBack: (seeds) => void returned.push(...seeds),
  };
  await Promise.all(Array.from({ length: options.workers }, () => runWorker(queue, options)));
}

interface Queue {
  take(): number | undefined;
  /** These were taken, and not begun. */
  giveBack(seeds: readonly number[]): void;
}

/** One worker, replaced whenever it ends or hangs. */
async function runWorker(queue: Queue, options: PoolOptions): Promise<void> {
  for (;;) {
    const lost = await runUntilLost(queue, options);
    if (lost === undefined) return;
    options.totals.broke(lost, 'its process ended, or hung');
  }
}

/** Resolves with the seed at which the worker was lost; undefined: all is done. */
function runUntilLost(
  queue: Queue,
  { twice, totals, progress }: PoolOptions,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    const child: ChildProcess = fork(WORKER, { execArgv: ['--import', 'tsx'] });
    const running: number[] = [];
    let watch: NodeJS.Timeout | undefined;
    const give = () => {
      const seed = queue.take();
      if (seed === undefined) return;
      running.push(seed);
      child.send({ seed, twice } satisfies WorkerTask);
    };
    const look = () => {
      clearTimeout(watch);
      if (running.length === 0) child.disconnect();
      else watch = setTimeout(() => child.kill('SIGKILL'), HANGS_MS);
    };
    child.on('message', (report: SeedReport) => {
      running.splice(running.indexOf(report.seed), 1);
      totals.add(report);
      progress();
      give();
      look();
    });
    child.on('exit', () => {
      clearTimeout(watch);
      const [lost, ...later] = running;
      queue.giveBack(later);
      resolve(lost);
    });
    for (let ahead = 0; ahead < TASKS_AHEAD; ahead++) give();
    look();
  });
}
