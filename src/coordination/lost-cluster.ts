/** What a member tells its operator when its cluster is not in ZooKeeper any more. */
import type { Uuid } from '../model/ids.js';
import { clusterRoot } from '../model/znodes.js';
import type { CoordinatorSession } from '../ports/coordinator.js';
import type { Log } from '../ports/log.js';

export class LostCluster {
  readonly #cluster: string;
  readonly #log: Log;
  /** What was said last, and in which session. */
  #said = '';

  constructor(cluster: string, log: Log) {
    this.#cluster = cluster;
    this.#log = log;
  }

  /** It is there again. */
  found(): void {
    this.#said = '';
  }

  /** Once in a session. `found`: another one of its name is in its place; undefined: none is. */
  say({ id }: CoordinatorSession, ours: Uuid, found: Uuid | undefined): void {
    const about = `${id} ${found}`;
    if (this.#said === about) return;
    this.#said = about;
    this.#log.error(lostClusterMessage(this.#cluster, ours, found));
  }
}

function lostClusterMessage(cluster: string, ours: Uuid, found: Uuid | undefined): string {
  const recovered =
    'with portolan recover. What is served is served on; nothing else happens until then';
  if (found === undefined) {
    return (
      `ZooKeeper has lost the cluster "${cluster}" (${ours}): restore its data, or make it anew ` +
      recovered
    );
  }
  return (
    `ZooKeeper has another cluster "${cluster}" (${found}) in the place of this one (${ours}), ` +
    "as a router makes one where it finds none: restore ZooKeeper's data; or stop that router, " +
    `delete ${clusterRoot(cluster)} with all below it, and make this one anew ${recovered}`
  );
}
