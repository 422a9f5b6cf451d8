/**
 * The inside of a storage node: a store, its replicas, and the handlers that the network calls.
 * No ZooKeeper and no sockets here, so tests drive a whole node with a fake disk.
 */
import type { ClusterConfig } from '../model/cluster-config.js';
import type { Epoch, MemberId, ShardId, Uuid } from '../model/ids.js';
import type { HandOverOrder } from '../model/member-messages.js';
import { RefusedError } from '../model/refusals.js';
import { ShardMap } from '../model/shard-map.js';
import type { Clock } from '../ports/clock.js';
import type { Disk, DiskBatch } from '../ports/disk.js';
import type { Log } from '../ports/log.js';
import type {
  Dialer,
  ExchangeHandler,
  FollowHandler,
  KvHandler,
  ReplicateHandler,
} from '../ports/network.js';
import type { Random } from '../ports/random.js';
import type { ReplicaEvent } from '../replication/outbox.js';
import type { ReadMemory } from '../replication/read-cache.js';
import type { ShardReplica } from '../replication/shard-replica.js';
import type { ReplicaStanding } from '../replication/standing.js';
import { directHandler } from './direct.js';
import { exchangeHandler } from './exchange.js';
import { Following } from './following.js';
import { GarbageRemoval } from './garbage.js';
import { Inspection } from './inspection.js';
import { Intake } from './intake.js';
import { Keeping } from './keeping.js';
import { StorageMetrics } from './metrics.js';
import { OwnLife } from './own-life.js';
import { Progress } from './progress.js';
import { Reads } from './reads.js';
import { type NodeSettings, nodeSettings, type NodeTuning } from './replica-settings.js';
import { Replicas } from './replicas.js';
import type { DamagedReplica } from './replica-recovery.js';
import type { ReplicaStore } from './replica-store.js';
import { Replication } from './replication.js';
import { Rounds, type RoundsHooks } from './rounds.js';
import type { Store } from './store.js';
import { Wakefulness } from './wakefulness.js';

export interface StorageNodeDeps {
  readonly disk: Disk;
  readonly store: Store;
  readonly replicaStore: ReplicaStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly dialer: Dialer;
  readonly log: Log;
  /** Undefined: as `replica-settings.ts` has it. */
  readonly tuning?: NodeTuning;
  /** Fresh at every start of the process. */
  readonly process: Uuid;
  readonly isDiskFull: () => boolean;
  /** The disk failed, or we have a bug: called once. Everything is refused from then on. */
  readonly failed: (error: unknown) => void;
}

/** How many replicas that were set aside are kept. */
export interface SetAside {
  readonly kept: number;
  /** Since these nothing of their shards was in sync here: each may be the only copy. */
  readonly withoutSuccessor: number;
}

export class StorageNode {
  readonly metrics: StorageMetrics;
  readonly map = new ShardMap();
  readonly #settings: NodeSettings;
  readonly exchange: ExchangeHandler;
  readonly kv: KvHandler;
  readonly follow: FollowHandler;
  readonly replicate: ReplicateHandler;
  readonly inspection: Inspection;
  readonly #deps: StorageNodeDeps;
  readonly #replicas: Replicas;
  readonly #reads: Reads;
  readonly #rounds: Rounds;
  readonly #replication: Replication;
  readonly #following: Following;
  readonly #garbage: GarbageRemoval;
  readonly #keeping: Keeping;
  readonly #progress: Progress;
  /** What it has joined. */
  #cluster: ClusterConfig | undefined;
  readonly #life: OwnLife;
  /** Whom to tell, once `leave` was called. */
  #leaving: { readonly moved: () => void; readonly done: () => void } | undefined;
  /** Shards that began or ended to be served since the log last said so. */
  #served = { begun: 0, ended: 0 };
  readonly #intake: Intake;

  constructor(deps: StorageNodeDeps, metrics = new StorageMetrics()) {
    this.#deps = deps;
    this.#settings = nodeSettings(this.map, deps.tuning);
    this.#life = new OwnLife({ ...deps, record: (write) => this.#record(write) });
    this.metrics = metrics;
    const { replicaStore: store, clock, log, disk } = deps;
    this.#replicas = this.#makeReplicas();
    const replicas = this.#replicas;
    const { claims } = replicas;
    const wakefulness = new Wakefulness({ clock, log, claims, settings: this.#settings });
    this.#reads = new Reads({
      store,
      replicas,
      clock,
      wakefulness,
      damaged: (replica, error) => this.#rounds.damaged(replica, error),
      failed: (error) => this.#rounds.fail(error),
    });
    this.#rounds = new Rounds({ ...deps, wakefulness, replicas, metrics, hooks: this.#hooks() });
    this.#replication = this.#makeReplication(wakefulness);
    this.#following = this.#makeFollowing();
    const write = (fill: (batch: DiskBatch) => void) => this.#record(fill);
    this.#garbage = new GarbageRemoval({ disk, store, write });
    this.#keeping = new Keeping({ ...deps, store, replicas, write });
    this.#progress = new Progress({
      self: this.#self.node,
      clock,
      replicas: () => replicas.all(),
      sentBytes: (shard, to) => this.#replication.sentBytes(shard, to),
      tell: (report) => this.#following.send(report),
    });
    this.#intake = new Intake({
      clock,
      metrics,
      map: this.map,
      isDiskFull: deps.isDiskFull,
      read: (read) => this.#reads.submit(read),
      write: (write) => this.#rounds.submit({ type: 'write', write }),
    });
    this.exchange = exchangeHandler(this.#intake, clock, log);
    this.kv = directHandler(this.#intake);
    this.follow = this.#following.handler;
    this.replicate = this.#replication.handler;
    this.inspection = this.#makeInspection();
    this.#replication.start();
    this.#progress.start();
  }

  /** One per shard that this node holds or has heard of. */
  replicas(): Iterable<ShardReplica> {
    return this.#replicas.all();
  }

  /** What was read lately. */
  get readMemory(): ReadMemory {
    return this.#replicas.readMemory;
  }

  /** How many replicas are in each standing. */
  standings(): ReadonlyMap<ReplicaStanding, number> {
    const counts = new Map<ReplicaStanding, number>();
    for (const { standing } of this.#replicas.all()) {
      counts.set(standing, (counts.get(standing) ?? 0) + 1);
    }
    return counts;
  }

  /** Shards that are served here. */
  get served(): number {
    return [...this.#replicas.all()].filter(({ primary }) => primary?.isServing).length;
  }

  /** Replicas that are kept here without being used, and why. */
  get damaged(): readonly DamagedReplica[] {
    return this.#deps.replicaStore.damaged();
  }

  setAside(): SetAside {
    const kept = this.damaged.filter(({ at }) => at !== undefined);
    const alone = kept.filter(({ hasSuccessor }) => !hasSuccessor);
    return { kept: kept.length, withoutSuccessor: alone.length };
  }

  /** The disk is full: what was set aside goes, as far as it may. */
  makeRoom(): void {
    this.#keeping.makeRoom();
  }

  /** The node knows its cluster: resolves when that is durable. */
  async join(cluster: ClusterConfig): Promise<void> {
    const { clusterUuid, shards } = cluster;
    const { store } = this.#deps;
    this.#cluster = cluster;
    this.map.target = cluster;
    this.map.shardCount = shards;
    const isNew = store.identity.clusterUuid === null;
    if (isNew) await this.#record((batch) => store.writeClusterUuid(batch, clusterUuid));
    await this.#life.begin();
  }

  /**
   * Asks the leader to let others lead the shards that are led here, and the primaries of others to
   * go on without the replicas here. Resolves when that is so, as far as enough are in sync without
   * this node; never, if nobody leads. `moved`: a shard is not led here any more.
   */
  leave(moved: () => void): Promise<void> {
    this.#following.send({ type: 'leaving' });
    return new Promise((done) => {
      this.#leaving = { moved, done };
      this.#checkLeft();
    });
  }

  /** Ends its streams to other nodes. */
  stop(): void {
    this.#replication.stop();
    this.#progress.stop();
    this.#garbage.stop();
  }

  /** Takes no more calls. */
  close(): void {
    this.#intake.close('this node is stopping');
  }

  /** Resolves when every call that was taken is answered, and the answers are on their way. */
  async idle(): Promise<void> {
    await this.#intake.idle();
    // Streams send at the end of the turn in which they were answered.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** The last word in the store before it is closed. Never resolves if the disk fails. */
  async markClean(): Promise<void> {
    await this.#record((batch) => this.#deps.store.writeCleanMarker(batch));
  }

  get #self(): { readonly node: MemberId; readonly process: Uuid } {
    return { node: this.#deps.store.identity.node, process: this.#deps.process };
  }

  #makeReplicas(): Replicas {
    const { store, replicaStore, clock } = this.#deps;
    const { map } = this;
    return new Replicas({
      store: replicaStore,
      directory: store.identity.store,
      map,
      self: this.#self,
      settings: this.#settings,
      startedAt: clock.now(),
    });
  }

  #makeReplication(wakefulness: Wakefulness): Replication {
    const { store, replicaStore } = this.#deps;
    return new Replication({
      ...this.#deps,
      store: replicaStore,
      identity: () => store.identity,
      self: this.#self,
      replicas: this.#replicas,
      rounds: this.#rounds,
      map: this.map,
      settings: this.#settings,
      wakefulness,
      failed: (error) => this.#rounds.fail(error),
    });
  }

  #makeInspection(): Inspection {
    return new Inspection({
      ...this.#deps,
      replicas: this.#replicas,
      map: this.map,
      cluster: () => this.#cluster,
      lives: () => this.#life.lives,
      damaged: (replica, error, from) => this.#rounds.damaged(replica, error, from),
      failed: (error) => this.#rounds.fail(error),
    });
  }

  #makeFollowing(): Following {
    const { store, process, log } = this.#deps;
    return new Following({
      self: { id: store.identity.node, process },
      store,
      map: this.map,
      submit: (work) => this.#rounds.submit(work),
      held: () => this.#replicas.reports(),
      mapChanged: () => this.#replication.mapChanged(),
      handOver: (order) => this.#handOver(order),
      log,
    });
  }

  #hooks(): RoundsHooks {
    return {
      promised: (entries) => this.#following.report(entries),
      send: (shardUuid, messages) => this.#replication.send(shardUuid, messages),
      ask: (request) => this.#following.send({ type: 'request', request }),
      handOver: ({ body: { shard, shardUuid } }, outcome) => {
        const isOver = outcome.type === 'stepped-down';
        this.#following.send(isOver ? { ...outcome, shard, shardUuid } : { ...outcome, shard });
      },
      install: (replica, to) => this.#replication.install(replica, to),
      happened: (replica, events) => this.#say(replica, events),
      configured: (replica) => {
        this.#life.configured(replica.config);
        this.#keeping.configured(replica);
      },
      ended: () => {
        this.#reads.retryLater();
        this.#removeGarbage();
        this.#checkLeft();
      },
      failed: (error) => {
        const reason = 'the disk of this node has failed';
        this.#intake.close(reason);
        this.#reads.refuseAll(new RefusedError('STOPPING', reason));
        this.#replication.stop();
        this.#deps.failed(error);
      },
    };
  }

  #record(write: (batch: DiskBatch) => void): Promise<void> {
    return new Promise((done) => this.#rounds.submit({ type: 'record', write, done }));
  }

  #say(replica: ShardReplica, events: readonly ReplicaEvent[]): void {
    const { log } = this.#deps;
    const { body, config } = replica;
    const { shard } = body;
    const epoch = config?.epoch;
    for (const { type, ...fields } of events) {
      this.metrics.countEvent(type);
      if (type === 'serving') this.#countServed('begun');
      if (type === 'damaged') {
        log.error('a replica is damaged: it has to be learnt anew', { shard, ...fields });
      } else if (type === 'set-aside') {
        log.warn('a damaged replica was set aside, and is learnt anew', { shard, ...fields });
      } else if (type === 'peer-knows-more') {
        log.error('a learner has committed writes that its primary lacks: they are set aside', {
          shard,
          ...fields,
        });
      } else if (type === 'peer-diverged') {
        log.error('a replica differs from its primary: it gets all data anew', {
          shard,
          ...fields,
        });
      } else if (type !== 'standing-changed') log.debug(type, { shard, ...fields });
    }
    for (const event of events) {
      if (event.type === 'standing-changed') this.#sayStanding(event, { shard, epoch });
    }
    const isLost = events.some((event) => event.type === 'standing-changed' && event.to === 'lost');
    if (isLost || events.some(({ type }) => type === 'damaged')) {
      this.#following.report([this.#replicas.report(replica)]);
    }
  }

  #sayStanding(
    { from, to }: { readonly from: ReplicaStanding; readonly to: ReplicaStanding },
    fields: { readonly shard: ShardId; readonly epoch: Epoch | undefined },
  ): void {
    const { log } = this.#deps;
    if (to === 'lost') log.error('a replica is lost: this data directory does not have it', fields);
    else log.debug(`shard ${fields.shard} is ${WORDS[to]}`, { ...fields, was: from });
    if (from !== 'primary') return;
    this.#countServed('ended');
    this.#leaving?.moved();
  }

  #checkLeft(): void {
    if (this.#leaving === undefined || this.#hasSpare('primary', 1)) return;
    // Not sooner: what the leader has to write for this would hold up the hand-overs.
    this.#replication.leave();
    if (!this.#hasSpare('secondary', this.#settings.minIsr)) this.#leaving.done();
  }

  /** Whether some replica of that standing has more than so many in sync, itself included. */
  #hasSpare(standing: ReplicaStanding, atLeast: number): boolean {
    return [...this.#replicas.all()].some((replica) => {
      return replica.standing === standing && (replica.config?.isr.length ?? 1) > atLeast;
    });
  }

  #removeGarbage(): void {
    if (this.#deps.replicaStore.nextGarbage() === undefined) return;
    void this.#garbage.run().catch((error: unknown) => this.#rounds.fail(error));
  }

  #handOver({ shard, shardUuid, epoch, to }: HandOverOrder): void {
    if (this.#replicas.get(shard)?.body.shardUuid !== shardUuid) {
      const why = 'this node has no such replica';
      return this.#following.send({ type: 'hand-over-failed', shard, epoch, why });
    }
    this.#rounds.submit({
      type: 'replica',
      shard,
      shardUuid,
      input: { type: 'hand-over', epoch, to },
    });
  }

  /** One line for all the shards of a round: that they are served is news, not each. */
  #countServed(change: 'begun' | 'ended'): void {
    this.#served[change]++;
    if (this.#served.begun + this.#served.ended > 1) return;
    setImmediate(() => {
      const { begun, ended } = this.#served;
      this.#served = { begun: 0, ended: 0 };
      this.#deps.log.info(`serving ${this.served} shards`, { begun, ended });
    });
  }
}

const WORDS: Readonly<Record<ReplicaStanding, string>> = {
  unknown: 'not known',
  creating: 'being created here',
  primary: 'led here',
  secondary: 'followed here',
  learner: 'learned here',
  elsewhere: 'served elsewhere',
  'awaiting-epoch': 'waiting for a new epoch',
  lost: 'lost',
};
