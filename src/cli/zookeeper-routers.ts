/** What the command line asks ZooKeeper itself: whether it answers, and which routers it knows. */
import { readCandidates } from '../coordination/candidates.js';
import { ZNODES } from '../model/znodes.js';
import type { CoordinatorSession } from '../ports/coordinator.js';
import { askZooKeeper, type Search } from './ask-zookeeper.js';
import { CliError, EXIT } from './exit.js';

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

async function candidates(session: CoordinatorSession): Promise<readonly string[]> {
  const names = await session.children(ZNODES.election);
  if (names.status !== 'ok' || names.value === undefined) return [];
  const found = await readCandidates(session, names.value);
  return found.map(({ record }) => record.address);
}
