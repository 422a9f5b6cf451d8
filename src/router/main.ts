/**
 * The router role: serves every key from its copy of the map, stands for election, and leads when
 * elected. Everything it needs of the outside comes in through `RouterDeps`; `compose.ts` wires it.
 *
 * Start: listen (not ready), find ZooKeeper, make or read the cluster, read the map, be ready,
 * stand for election. Stop, in this order: not ready, leave the election, finish the calls under
 * way, end the session. With ZooKeeper away a router that has a map goes on serving.
 */
import { ensureCluster, readClusterAgain } from '../coordination/cluster-layout.js';
import { LostCluster } from '../coordination/lost-cluster.js';
import { readNodes } from '../coordination/read-nodes.js';
import type { ClusterConfig } from '../model/cluster-config.js';
import type { ShardId } from '../model/ids.js';
import type { CandidateRecord } from '../model/registrations.js';
import { ZNODES } from '../model/znodes.js';
import type { Clock } from '../ports/clock.js';
import type { Coordinator, CoordinatorSession } from '../ports/coordinator.js';
import type { Log } from '../ports/log.js';
import type { Dialer } from '../ports/network.js';
import type { Random } from '../ports/random.js';
import { Candidacy, type TakenOffice } from './candidacy.js';
import type { RouterConfig } from './config.js';
import type { LeaderFollower } from './follower.js';
import { Leadership } from './leadership.js';
import type { MapHolder } from './map-holder.js';
import { MapMemory } from './map-memory.js';
import { readShard } from './map-reader.js';
import { MapResync } from './map-resync.js';
import type { RouterCounters } from './metrics.js';
import { type ErrorLog, saidOnce } from '../coordination/said-once.js';

/** Pause after a step that ZooKeeper did not answer. */
const RETRY_MS = 200;

export interface RouterDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly coordinator: Coordinator;
  readonly dialer: Dialer;
  readonly map: MapHolder;
  readonly follower: LeaderFollower;
  readonly counters: Pick<RouterCounters, 'isLeading' | 'leaderships' | 'countChanges'>;
  /** Called once, when the router has a map and serves. */
  readonly ready: () => void;
  /** Called at most once, when it cannot go on; the reason is for the operator. */
  readonly failed: (reason: Error) => void;
}

export class Router {
  readonly #config: RouterConfig;
  readonly #deps: RouterDeps;
  readonly #candidacy: Candidacy;
  readonly #resync: MapResync;
  /** For what is read from ZooKeeper. */
  readonly #log: ErrorLog;
  readonly #lost: LostCluster;
  #cluster: ClusterConfig | undefined;
  #leadership: Leadership | undefined;
  readonly #memory: MapMemory;
  #stopped = false;

  constructor(config: RouterConfig, deps: RouterDeps, record: CandidateRecord) {
    this.#config = config;
    this.#deps = deps;
    this.#log = saidOnce(deps.log);
    this.#lost = new LostCluster(config.cluster, deps.log);
    this.#memory = new MapMemory(deps.clock);
    this.#resync = new MapResync({
      clock: deps.clock,
      random: deps.random,
      isTold: () => this.isTold,
      read: () => this.#readAgain(),
    });
    this.#candidacy = new Candidacy(
      { self: config.id, record, ...deps },
      {
        lead: (session, office) => this.#lead(session, office),
        resign: () => this.#resign(),
        failed: deps.failed,
      },
    );
  }

  start(): void {
    const { coordinator, log, failed } = this.#deps;
    this.#deps.follower.onLeader(({ leaderEpoch }) => this.#candidacy.heard(leaderEpoch));
    coordinator.start({
      session: (session) => void this.#enter(session).catch(failed),
      unreachable: (problem) => log.warn(problem),
    });
  }

  /** Whether this router's map comes from a leader, itself included. */
  get isTold(): boolean {
    return this.#leadership !== undefined || this.#deps.follower.isTold;
  }

  /** Leaves the election; the calls under way are the composition root's to finish. */
  async withdraw(): Promise<void> {
    this.#stopped = true;
    this.#memory.disconnected();
    this.#resync.stop();
    await this.#candidacy.withdraw();
  }

  /** A new session: know the cluster, have a map, stand for election. */
  async #enter(session: CoordinatorSession): Promise<void> {
    session.on('state', (state) => {
      if (this.#stopped || session !== this.#deps.coordinator.session) return;
      if (state === 'connected') this.#memory.connected(session.timeoutMs);
      else this.#memory.disconnected();
    });
    this.#memory.connected(session.timeoutMs);
    const cluster = await this.#untilAnswered(session, () => this.#ensureCluster(session));
    if (cluster === undefined) return;
    this.#cluster = cluster;
    this.#deps.follower.clusterUuid = cluster.clusterUuid;
    this.#deps.map.setTarget(cluster);
    this.#deps.map.setShardCount(cluster.shards);
    const read = await this.#untilAnswered(session, () => this.#readMap(session, cluster));
    if (read === undefined) return;
    this.#deps.ready();
    this.#resync.start();
    this.#candidacy.enter(session);
  }

  async #ensureCluster(session: CoordinatorSession): Promise<ClusterConfig | undefined> {
    const { random, log } = this.#deps;
    if (this.#cluster !== undefined) return this.#findAgain(session, this.#cluster);
    const ensured = await ensureCluster(session, {
      clusterUuid: random.uuid(),
      ...this.#config.create,
    });
    if (ensured.status !== 'ok') return undefined;
    const { created, cluster } = ensured.value;
    if (created) log.info('created the cluster', { ...cluster });
    return cluster;
  }

  /**
   * A ZooKeeper that lost the cluster gets no new one from a router that knows the old one: nodes
   * hold its data (S19). One that another router made in its place, or that is behind the same
   * address now, must not mix with ours. Until ours is back this router serves from the map it has.
   */
  async #findAgain(
    session: CoordinatorSession,
    known: ClusterConfig,
  ): Promise<ClusterConfig | undefined> {
    const read = await readClusterAgain(session, this.#log);
    if (read.status !== 'ok') return undefined;
    const found = read.value?.clusterUuid;
    if (found === known.clusterUuid) {
      this.#lost.found();
      return read.value;
    }
    this.#lost.say(session, known.clusterUuid, found);
    return undefined;
  }

  /** Puts what ZooKeeper holds into the map; undefined if it did not answer. */
  async #readMap(session: CoordinatorSession, cluster: ClusterConfig): Promise<true | undefined> {
    const { map } = this.#deps;
    const shards = Array.from({ length: cluster.shards }, (_, id) => id as ShardId);
    const [names, stored] = await Promise.all([
      session.children(ZNODES.nodes),
      Promise.all(shards.map((shard) => readShard(session, shard, this.#log))),
    ]);
    // The parent is missing when ZooKeeper has lost the cluster: that tells nothing about nodes.
    if (names.status !== 'ok' || names.value === undefined) return undefined;
    if (stored.includes(undefined)) return undefined;
    const nodes = await readNodes(session, names.value, this.#log);
    if (nodes === undefined) return undefined;
    // The table of nodes has no version: what a leader tells is newer than what was read.
    if (!this.isTold) map.setNodes(nodes);
    map.applyConfigs(stored.filter((shard) => shard?.type === 'config'));
    this.#memory.read();
    return true;
  }

  /**
   * Nobody tells us anything: reads the map once more, and looks whether we stand for election. The
   * map stays as it is if ZooKeeper does not answer, or has lost it.
   */
  async #readAgain(): Promise<void> {
    this.#candidacy.look();
    const { session } = this.#deps.coordinator;
    const known = this.#cluster;
    if (session?.state !== 'connected' || known === undefined) return;
    const found = await this.#findAgain(session, known);
    if (found !== undefined) await this.#readMap(session, known);
  }

  /** What `read` gives, tried again while this session is in use; undefined once it is not. */
  async #untilAnswered<T>(
    session: CoordinatorSession,
    read: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    for (;;) {
      if (this.#stopped || session !== this.#deps.coordinator.session) return undefined;
      const answer = await read();
      if (answer !== undefined) return answer;
      await new Promise<void>((resolve) => this.#deps.clock.after(RETRY_MS, resolve));
    }
  }

  #lead(session: CoordinatorSession, { fence, candidate }: TakenOffice): void {
    const cluster = this.#cluster;
    if (cluster === undefined || this.#stopped) return;
    this.#deps.follower.leadOurselves(this.#config.id, fence.leaderEpoch);
    this.#leadership = new Leadership({ self: this.#config.id, ...this.#deps }, session, {
      fence,
      candidate,
      cluster,
      connectedAt: this.#memory.connectedAt,
      hasMemory: this.#memory.isTrusted,
      trusted: () => this.#memory.trusted(),
      over: (why) => this.#candidacy.abdicate(why),
      heard: (leaderEpoch) => this.#candidacy.heard(leaderEpoch),
    });
    this.#leadership.start();
    this.#deps.counters.isLeading = true;
    this.#deps.counters.leaderships++;
  }

  #resign(): void {
    this.#leadership?.stop();
    this.#leadership = undefined;
    this.#deps.counters.isLeading = false;
  }
}
