/** One question of the command line to ZooKeeper: a session, the answer, and its end. */
import { clusterRoot } from '../model/znodes.js';
import type { CoordinatorSession } from '../ports/coordinator.js';
import { systemClock } from '../system/clock.js';
import { systemRandom } from '../system/random.js';
import { ZooKeeperCoordinator } from '../zookeeper/coordinator.js';
import { CliError, EXIT } from './exit.js';

export interface Search {
  readonly zk: string;
  readonly cluster: string;
  readonly timeoutMs: number;
}

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** What `ask` answers. @throws CliError if ZooKeeper does not, and what `ask` throws. */
export async function askZooKeeper<T>(
  { zk, cluster, timeoutMs }: Search,
  ask: (session: CoordinatorSession) => Promise<T>,
): Promise<T> {
  const coordinator = new ZooKeeperCoordinator({
    connect: zk,
    root: clusterRoot(cluster),
    sessionTimeoutMs: 6_000,
    clock: systemClock,
    random: systemRandom,
    log: SILENT,
  });
  const late = startTimer(timeoutMs, `ZooKeeper at ${zk} did not answer within ${timeoutMs} ms`);
  try {
    return await Promise.race([sessionOf(coordinator).then(ask), late.rejects]);
  } finally {
    late.cancel();
    await coordinator.close();
  }
}

function sessionOf(coordinator: ZooKeeperCoordinator): Promise<CoordinatorSession> {
  return new Promise((resolve, reject) => {
    coordinator.start({
      session: resolve,
      unreachable: (problem) => {
        reject(new CliError(EXIT.unavailable, problem.replace(/; trying on$/, '')));
      },
    });
  });
}

function startTimer(afterMs: number, problem: string) {
  let cancel = (): void => undefined;
  const rejects = new Promise<never>((_, reject) => {
    cancel = systemClock.after(afterMs, () => reject(new CliError(EXIT.unavailable, problem)));
  });
  rejects.catch(() => undefined);
  return { rejects, cancel: () => cancel() };
}
