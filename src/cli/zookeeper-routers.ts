/** What the command line asks ZooKeeper itself: whether it answers, and which routers it knows. */
import { readCandidates } from '../coordination/candidates.js';
import { clusterRoot, ZNODES } from '../model/znodes.js';
import type { CoordinatorSession } from '../ports/coordinator.js';
import { systemClock } from '../system/clock.js';
import { systemRandom } from '../system/random.js';
import { ZooKeeperCoordinator } from '../zookeeper/coordinator.js';
import { CliError, EXIT } from './exit.js';

interface Search {
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

/** HOST:PORT of at least one router: the candidates of the cluster's election. @throws CliError */
export async function routersFromZooKeeper(search: Search): Promise<readonly string[]> {
  const found = await askZooKeeper(search, candidates);
  if (found.length > 0) return found;
  throw new CliError(
    EXIT.unavailable,
    `no router runs for cluster "${search.cluster}" at ${search.zk}: ` +
      'check --cluster, or start a router',
  );
}

/** @throws CliError unless it answers. */
export async function checkZooKeeper(search: Search): Promise<void> {
  await askZooKeeper(search, () => Promise.resolve());
}

async function askZooKeeper<T>(
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

async function candidates(session: CoordinatorSession): Promise<readonly string[]> {
  const names = await session.children(ZNODES.election);
  if (names.status !== 'ok' || names.value === undefined) return [];
  const found = await readCandidates(session, names.value);
  return found.map(({ record }) => record.address);
}

function startTimer(afterMs: number, problem: string) {
  let cancel = (): void => undefined;
  const rejects = new Promise<never>((_, reject) => {
    cancel = systemClock.after(afterMs, () => reject(new CliError(EXIT.unavailable, problem)));
  });
  rejects.catch(() => undefined);
  return { rejects, cancel: () => cancel() };
}
