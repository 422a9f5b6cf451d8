/**
 * The replication of a storage node: its streams to others and from them, and what its replicas
 * want carried over them.
 */
import type { MemberId, ShardId, Uuid } from '../model/ids.js';
import type { ShardMap } from '../model/shard-map.js';
import type { Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Dialer, ReplicateHandler } from '../ports/network.js';
import type { Random } from '../ports/random.js';
import { CorruptRecordError } from '../replication/data-record.js';
import {
  isToPrimary,
  type AddressedMessage,
  type ReplicaMessage,
} from '../replication/messages.js';
import type { ShardReplica } from '../replication/shard-replica.js';
import { InstallReceiver } from './install-receiver.js';
import { InstallSender } from './install-sender.js';
import type { StoreIdentity } from './node-records.js';
import type { NodeSettings } from './replica-settings.js';
import type { Replicas } from './replicas.js';
import type { ReplicaStore } from './replica-store.js';
import type { Hello } from './replication-frame.js';
import { ReplicationInlet } from './replication-inlet.js';
import { ReplicationLinks } from './replication-links.js';
import type { PeerEvents } from './replication-peer.js';
import type { Rounds } from './rounds.js';
import { TurnedAway } from './turned-away.js';
import type { Wakefulness } from './wakefulness.js';

export interface ReplicationDeps {
  readonly self: { readonly node: MemberId; readonly process: Uuid };
  readonly store: ReplicaStore;
  /** What the data directory is. */
  readonly identity: () => StoreIdentity;
  readonly map: ShardMap;
  readonly replicas: Replicas;
  readonly rounds: Rounds;
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly random: Random;
  readonly wakefulness: Pick<Wakefulness, 'late'>;
  readonly log: Log;
  readonly settings: Pick<NodeSettings, 'beatMs' | 'tickMs'>;
  readonly failed: (error: unknown) => void;
}

export class Replication {
  readonly handler: ReplicateHandler;
  readonly #deps: ReplicationDeps;
  readonly #links: ReplicationLinks;
  readonly #inlet: ReplicationInlet;
  readonly #sender: InstallSender;
  readonly #receiver: InstallReceiver;
  readonly #turnedAway = new TurnedAway();
  #cancelTick: () => void = () => undefined;

  constructor(deps: ReplicationDeps) {
    this.#deps = deps;
    const { store, rounds, map, replicas, self } = deps;
    const submit = rounds.submit.bind(rounds);
    this.#sender = new InstallSender({
      ...deps,
      damaged: (replica, error, from) => rounds.damaged(replica, error, from),
      installFailed: ({ body: { shard, shardUuid } }, node, attachNumber) => {
        const input = { type: 'install-failed', node, attachNumber } as const;
        submit({ type: 'replica', shard, shardUuid, input });
      },
      send: (to, record) => this.#links.send(to, record),
    });
    this.#links = new ReplicationLinks(
      {
        ...deps,
        hello: () => this.#hello(),
        events: this.#events,
      },
      self.node,
      map,
    );
    this.#receiver = new InstallReceiver({
      ...{ store, submit },
      isAwaited: (from, { shard, shardUuid, number }) => {
        const replica = replicas.get(shard);
        return replica?.body.shardUuid === shardUuid && replica.awaitsInstall(from, number);
      },
    });
    this.#inlet = new ReplicationInlet({
      ...deps,
      grants: replicas.grants,
      hello: () => this.#hello(),
      installs: this.#receiver,
      submit,
      callerDown: (node) => rounds.stepNow({ type: 'caller-down', node }),
    });
    this.handler = this.#inlet.handler;
  }

  start(): void {
    this.#tickLater();
  }

  /** The map has changed: other streams may be needed. */
  mapChanged(): void {
    this.#links.sync();
  }

  send(shardUuid: Uuid, messages: readonly AddressedMessage[]): void {
    /** Who lacks an entry: what follows it would be no continuation of their logs (S8). */
    const lacking = new Set<MemberId>();
    for (const { to, shard, message: partial } of messages) {
      if (partial.type === 'prepare' && lacking.has(to)) continue;
      const message = this.#whole(shard, shardUuid, { to, message: partial });
      if (message === undefined) {
        lacking.add(to);
        continue;
      }
      const record = { type: 'replica', shard, shardUuid, message } as const;
      if (isToPrimary(message)) this.#inlet.send(to, record);
      else this.#links.send(to, record);
    }
  }

  /** Bytes of a shard's data that were sent to this node; undefined if none are being sent. */
  sentBytes(shard: ShardId, to: MemberId): number | undefined {
    return this.#sender.sentBytes(shard, to);
  }

  install(replica: ShardReplica, to: MemberId): void {
    this.#sender.begin(replica, to);
  }

  /** This node is about to stop: primaries should not wait for its replicas when it has. */
  leave(): void {
    this.#inlet.leave();
  }

  stop(): void {
    this.#cancelTick();
    this.#links.close();
    this.#sender.stop();
  }

  readonly #events: PeerEvents = {
    up: (identity) => {
      const { replicas, rounds } = this.#deps;
      replicas.sessions.up(identity);
      rounds.submit({ type: 'all', input: { type: 'session-up', node: identity.node } });
    },
    down: (node, gone) => {
      const { replicas, rounds } = this.#deps;
      replicas.sessions.down(node);
      this.#sender.abandon(node);
      rounds.stepNow({ type: 'session-down', node, gone });
    },
    leaving: (node) => {
      const { replicas, rounds } = this.#deps;
      replicas.sessions.leaving(node);
      rounds.submit({ type: 'all', input: { type: 'session-up', node } });
    },
    answered: (node, sentAt) => this.#deps.replicas.claims.answered(node, sentAt),
    heard: (node, record, isStale) => {
      if (record.type === 'dataAck') {
        if (!this.#sender.acknowledged(node, record)) return;
        const { shard, shardUuid } = record;
        const input = { type: 'install-progress', node } as const;
        return this.#deps.rounds.submit({ type: 'replica', shard, shardUuid, input, isStale });
      }
      if (record.type !== 'replica') return;
      const { shard, shardUuid, message } = record;
      const input = { type: 'message', from: node, message } as const;
      const { rounds } = this.#deps;
      if (message.type === 'detached') {
        this.#turnedAway.turned(node, shardUuid, message);
        return rounds.turnedAwayNow(shard, shardUuid, input);
      }
      const hasTurnedAway = this.#turnedAway.heard(node, shardUuid, message);
      const isVoid = () => isStale() || hasTurnedAway();
      rounds.submit({ type: 'replica', shard, shardUuid, input, isStale: isVoid });
    },
  };

  /**
   * An entry that was applied long ago has its bytes on disk only. Undefined: they are damaged, and
   * this replica has to go; whoever waits for the entry gets it from its successor, or all data.
   */
  #whole(
    shard: ShardId,
    shardUuid: Uuid,
    { to, message }: { readonly to: MemberId; readonly message: ReplicaMessage },
  ): ReplicaMessage | undefined {
    if (message.type !== 'prepare' || message.entry.bytes !== undefined) return message;
    const { store, rounds } = this.#deps;
    try {
      return { ...message, entry: store.entry(shardUuid, message.entry) };
    } catch (error) {
      if (!(error instanceof CorruptRecordError)) throw error;
      rounds.damagedLogNow({ shard, shardUuid }, error, to);
      return undefined;
    }
  }

  /** Undefined before this life has joined: it does not know how long a promise holds (S14). */
  #hello(): Hello | undefined {
    const { identity, map, self } = this.#deps;
    const { store, clusterUuid } = identity();
    if (clusterUuid === null || map.shardCount === 0) return undefined;
    return { type: 'hello', ...self, store, clusterUuid };
  }

  #tickLater(): void {
    const { clock, rounds, settings, wakefulness } = this.#deps;
    const dueAt = clock.now() + settings.tickMs;
    this.#cancelTick = clock.after(settings.tickMs, () => {
      wakefulness.late(clock.now() - dueAt);
      rounds.submit({ type: 'all', input: { type: 'tick' } });
      this.#sender.look();
      this.#receiver.look();
      this.#tickLater();
    });
  }
}
