/**
 * The inside of a storage node: a store, its replicas, and the handlers that the network calls.
 * No ZooKeeper and no sockets here, so tests drive a whole node with a fake disk.
 */
import type { Incarnation, MemberId, Uuid } from '../model/ids.js';
import { RefusedError } from '../model/refusals.js';
import { ShardMap } from '../model/shard-map.js';
import type { Clock } from '../ports/clock.js';
import type { Disk, DiskBatch } from '../ports/disk.js';
import type { Log } from '../ports/log.js';
import type { ExchangeHandler, FollowHandler, KvHandler } from '../ports/network.js';
import type { Replica } from '../replication/replica.js';
import type { ReplicaEvent } from '../replication/replica-io.js';
import type { Standing } from '../replication/standing.js';
import { directHandler } from './direct.js';
import { exchangeHandler } from './exchange.js';
import { Following } from './following.js';
import { Intake } from './intake.js';
import { StorageMetrics } from './metrics.js';
import { Reads } from './reads.js';
import { Replicas } from './replicas.js';
import { Rounds } from './rounds.js';
import type { Store } from './store.js';

export interface StorageNodeDeps {
  readonly disk: Disk;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Fresh at every start of the process. */
  readonly process: Uuid;
  readonly isDiskFull: () => boolean;
  /** The disk failed, or we have a bug: called once. Everything is refused from then on. */
  readonly failed: (error: unknown) => void;
}

export class StorageNode {
  readonly metrics: StorageMetrics;
  readonly map = new ShardMap();
  readonly exchange: ExchangeHandler;
  readonly kv: KvHandler;
  readonly follow: FollowHandler;
  readonly #deps: StorageNodeDeps;
  readonly #replicas: Replicas;
  readonly #rounds: Rounds;
  /** Shards that began or ended to be served since the log last said so. */
  #served = { begun: 0, ended: 0 };
  readonly #intake: Intake;

  constructor(deps: StorageNodeDeps, metrics = new StorageMetrics()) {
    this.#deps = deps;
    this.metrics = metrics;
    const { store, clock, log } = deps;
    const replicas = new Replicas(store, this.map);
    const reads = new Reads({ store, replicas, clock, failed: (error) => rounds.fail(error) });
    const rounds = new Rounds({
      ...deps,
      replicas,
      metrics,
      born: (states) => following.report(states),
      happened: (replica, events) => this.#say(replica, events),
      ended: () => reads.retryLater(),
      failed: (error) => {
        this.#intake.close('the disk of this node has failed');
        reads.refuseAll(new RefusedError('STOPPING', 'the disk of this node has failed'));
        deps.failed(error);
      },
    });
    const self: { id: MemberId; process: Uuid } = {
      id: store.identity.node,
      process: deps.process,
    };
    const submit = rounds.submit.bind(rounds);
    const following: Following = new Following({
      self,
      store,
      map: this.map,
      submit,
      // With one replica of each shard there is nobody to hand over to.
      handOver: ({ shard, epoch }) => following.send({ type: 'hand-over-failed', shard, epoch }),
      log,
    });
    this.#replicas = replicas;
    this.#rounds = rounds;
    this.#intake = new Intake({
      clock,
      metrics,
      map: this.map,
      isDiskFull: deps.isDiskFull,
      read: (read) => reads.submit(read),
      write: (write) => rounds.submit({ type: 'write', write }),
    });
    this.exchange = exchangeHandler(this.#intake, clock, log);
    this.kv = directHandler(this.#intake);
    this.follow = following.handler;
  }

  /** How many replicas are in each standing. */
  standings(): ReadonlyMap<Standing, number> {
    const counts = new Map<Standing, number>();
    for (const { standing } of this.#replicas.all()) {
      counts.set(standing, (counts.get(standing) ?? 0) + 1);
    }
    return counts;
  }

  /** This process is registered, and this is its life from now on. */
  registered(incarnation: Incarnation): void {
    this.#rounds.submit({ type: 'registered', incarnation });
  }

  /** The node knows its cluster: resolves when that is durable. */
  async join(clusterUuid: Uuid, shardCount: number): Promise<void> {
    const { store } = this.#deps;
    this.map.shardCount = shardCount;
    if (store.identity.clusterUuid === null) {
      await this.#record((batch) => store.writeClusterUuid(batch, clusterUuid));
    }
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

  #record(write: (batch: DiskBatch) => void): Promise<void> {
    return new Promise((done) => this.#rounds.submit({ type: 'record', write, done }));
  }

  #say({ shard }: Replica, events: readonly ReplicaEvent[]): void {
    const { log } = this.#deps;
    for (const event of events) {
      const { type, epoch } = event;
      if (type === 'created') log.debug('created a replica', { shard, epoch });
      else if (type === 'epoch-adopted') {
        log.debug('adopted an epoch', { shard, epoch, before: event.before });
      } else if (event.to === 'lost') {
        log.error('a replica is lost: this data directory does not have it', { shard, epoch });
      } else {
        log.debug(`shard ${shard} is ${WORDS[event.to]}`, { shard, epoch, was: event.from });
        if (event.to === 'serving') this.#countServed('begun');
        else if (event.from === 'serving') this.#countServed('ended');
      }
    }
  }

  /** One line for all the shards of a round: that they are served is news, not each. */
  #countServed(change: 'begun' | 'ended'): void {
    this.#served[change]++;
    if (this.#served.begun + this.#served.ended > 1) return;
    setImmediate(() => {
      const { begun, ended } = this.#served;
      this.#served = { begun: 0, ended: 0 };
      const served = this.standings().get('serving') ?? 0;
      this.#deps.log.info(`serving ${served} shards`, { begun, ended });
    });
  }
}

const WORDS: Readonly<Record<Standing, string>> = {
  unknown: 'not known',
  creating: 'being created here',
  serving: 'served here',
  elsewhere: 'served elsewhere',
  'awaiting-epoch': 'waiting for a new epoch',
  lost: 'lost',
};
