/** Which routers a client command asks: those named, those in ZooKeeper, or the playground's. */
import { readCandidates } from '../coordination/candidates.js';
import { clusterRoot, ZNODES } from '../model/znodes.js';
import type { CoordinatorSession } from '../ports/coordinator.js';
import { systemClock } from '../system/clock.js';
import { systemRandom } from '../system/random.js';
import { ZooKeeperCoordinator } from '../zookeeper/coordinator.js';
import { CliError, EXIT } from './exit.js';
import { readContext } from './playground-context.js';

export interface RouterFlags {
  readonly routers?: readonly string[];
  readonly zk?: string;
  readonly cluster: string;
}

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** HOST:PORT of at least one router. @throws CliError if none is known. */
export async function findRouters(flags: RouterFlags): Promise<readonly string[]> {
  if (flags.routers !== undefined) return flags.routers;
  if (flags.zk !== undefined) return routersFromZooKeeper(flags.zk, flags.cluster);
  const playground = readContext();
  if (playground !== undefined) return playground.routers;
  throw new CliError(
    EXIT.usage,
    'which cluster? Give --routers HOST:PORT[,...] (or PORTOLAN_ROUTERS), or --zk HOST:PORT, ' +
      'or start one with: portolan playground',
  );
}

async function routersFromZooKeeper(zk: string, cluster: string): Promise<readonly string[]> {
  const coordinator = new ZooKeeperCoordinator({
    connect: zk,
    root: clusterRoot(cluster),
    sessionTimeoutMs: 6_000,
    clock: systemClock,
    random: systemRandom,
    log: SILENT,
  });
  try {
    const session = await new Promise<CoordinatorSession>((resolve, reject) => {
      coordinator.start({
        session: resolve,
        unreachable: (problem) => reject(new CliError(EXIT.unavailable, problem)),
      });
    });
    const names = await session.children(ZNODES.election);
    const candidates =
      names.status === 'ok' && names.value !== undefined
        ? await readCandidates(session, names.value)
        : [];
    if (candidates.length > 0) return candidates.map(({ record }) => record.address);
  } finally {
    await coordinator.close();
  }
  throw new CliError(EXIT.unavailable, `no router runs for cluster "${cluster}" at ${zk}`);
}
