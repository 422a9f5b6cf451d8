/**
 * How a storage node becomes a member of its cluster, in each ZooKeeper session anew: know which
 * cluster this is, then register.
 *
 * A data directory belongs to one cluster for ever. If the cluster behind the same name is another
 * one (ZooKeeper was wiped, or it is another ensemble), the node stops with a clear message rather
 * than offer its data to a stranger (S19). Losing a session changes nothing for the shards: they
 * are served on, and the new registration is just another life of the same process. So it is if its
 * cluster has gone from ZooKeeper meanwhile, or a router has made another one in its place: a node
 * that has been in its cluster waits for it to come back.
 */
import { readCluster, readClusterAgain } from '../coordination/cluster-layout.js';
import { LostCluster } from '../coordination/lost-cluster.js';
import type { NodeRegistration } from '../coordination/registration.js';
import { saidOnce } from '../coordination/said-once.js';
import type { ClusterConfig } from '../model/cluster-config.js';
import type { Uuid } from '../model/ids.js';
import type { Clock } from '../ports/clock.js';
import type { Coordinator, CoordinatorSession } from '../ports/coordinator.js';
import { UnusableDirectoryError } from '../ports/disk.js';
import type { Log } from '../ports/log.js';

/** Pause before ZooKeeper is asked again. */
const RETRY_MS = 200;

export interface JoiningDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly coordinator: Coordinator;
  readonly cluster: string;
  /** Of the data directory; null = not known yet. */
  readonly clusterUuid: () => Uuid | null;
  /** Called before the first registration, with what the directory is to belong to. */
  readonly join: (cluster: ClusterConfig) => Promise<void>;
  readonly registration: NodeRegistration;
  readonly failed: (reason: unknown) => void;
}

export class Joining {
  readonly #deps: JoiningDeps;
  #stopped = false;
  /** This process has been in its cluster: it stays there, whatever ZooKeeper has in its place. */
  #hasJoined = false;
  readonly #lost: LostCluster;
  #saidThatItWaits = false;

  constructor(deps: JoiningDeps) {
    this.#deps = deps;
    this.#lost = new LostCluster(deps.cluster, deps.log);
  }

  start(): void {
    const { coordinator, log, failed } = this.#deps;
    coordinator.start({
      session: (session) => void this.#enter(session).catch(failed),
      unreachable: (problem) => log.warn(problem),
    });
  }

  /** Leaves the cluster's list of nodes, and does not come back. */
  async withdraw(): Promise<void> {
    this.#stopped = true;
    await this.#deps.registration.withdraw();
  }

  async #enter(session: CoordinatorSession): Promise<void> {
    const cluster = await this.#untilKnown(session);
    if (cluster === undefined) return;
    const own = this.#deps.clusterUuid();
    if (this.#isAnother(cluster)) {
      throw new UnusableDirectoryError(
        `the data directory belongs to another cluster "${this.#deps.cluster}" ` +
          `(${own}) than the one ZooKeeper has now (${cluster.clusterUuid}). Give it the ` +
          'directory of that one, or a new one; or bring its cluster back with portolan recover',
      );
    }
    await this.#deps.join(cluster);
    this.#hasJoined = true;
    if (this.#isOver(session)) return;
    this.#deps.registration.enter(session);
  }

  #isAnother({ clusterUuid }: ClusterConfig): boolean {
    const own = this.#deps.clusterUuid();
    return own !== null && own !== clusterUuid;
  }

  /** The cluster's record, once there is one; undefined if this session is not used any more. */
  async #untilKnown(session: CoordinatorSession): Promise<ClusterConfig | undefined> {
    const { clock, log } = this.#deps;
    const once = saidOnce(log);
    while (!this.#isOver(session)) {
      const isKnown = this.#deps.clusterUuid() !== null;
      const read = await (isKnown ? readClusterAgain(session, once) : readCluster(session));
      if (read.status === 'ok') {
        const found = read.value;
        const isLost = found === undefined || (this.#hasJoined && this.#isAnother(found));
        if (!isLost) {
          this.#lost.found();
          return found;
        }
        this.#sayLost(session, found?.clusterUuid);
      }
      await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
    }
    return undefined;
  }

  #sayLost(session: CoordinatorSession, found: Uuid | undefined): void {
    const { log, cluster, clusterUuid } = this.#deps;
    const own = clusterUuid();
    if (own !== null) return this.#lost.say(session, own, found);
    if (!this.#saidThatItWaits) log.info(`waiting for a router to create the cluster "${cluster}"`);
    this.#saidThatItWaits = true;
  }

  #isOver(session: CoordinatorSession): boolean {
    return this.#stopped || session !== this.#deps.coordinator.session || session.state === 'lost';
  }
}
