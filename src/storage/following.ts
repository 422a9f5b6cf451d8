/**
 * How a storage node hears its leader: configurations and the table of nodes in, existing replicas
 * out.
 *
 * Upholds the node's half of S17: the highest leaderEpoch heard is durable before anything of that
 * leader is acted on, and a stream of a lower one is ended. So a leader that was paused, and wakes
 * up after its successor spoke, changes nothing here, not even after a restart of this node. A
 * leader of another cluster is never listened to; a configuration that cannot be of this cluster is
 * left out and named (S19).
 */
import type { LeaderEpoch, MemberId, Uuid } from '../model/ids.js';
import type {
  LeaderHello,
  LeaderMessage,
  MapUpdate,
  MemberMessage,
  ReplicaEntry,
} from '../model/member-messages.js';
import type { VersionedConfig } from '../model/shard-config.js';
import type { ShardMap } from '../model/shard-map.js';
import { slotRangeOf } from '../model/slot.js';
import type { Log } from '../ports/log.js';
import type { FollowHandler, Outgoing } from '../ports/network.js';
import type { ReplicaState } from '../replication/replica-state.js';
import type { Work } from './rounds.js';
import type { Store } from './store.js';

export interface FollowingDeps {
  readonly self: { readonly id: MemberId; readonly process: Uuid };
  readonly store: Store;
  readonly map: ShardMap;
  readonly submit: (work: Work) => void;
  readonly log: Log;
}

/** One leader's stream. */
interface Stream {
  readonly outgoing: Outgoing<MemberMessage>;
  readonly peer: string;
  leader: { readonly id: MemberId; readonly leaderEpoch: LeaderEpoch } | undefined;
  /** Updates that came before the leader's epoch was durable; undefined = it is. */
  early: MapUpdate[] | undefined;
}

export class Following {
  readonly #deps: FollowingDeps;
  /** Highest leaderEpoch heard. Invariant: durableLeaderEpoch <= leaderEpoch. */
  #leaderEpoch: LeaderEpoch;
  /** Highest one that is on stable storage, and may be acted on. */
  #durableLeaderEpoch: LeaderEpoch;
  #current: Stream | undefined;

  constructor(deps: FollowingDeps) {
    this.#deps = deps;
    this.#leaderEpoch = deps.store.leaderEpoch;
    this.#durableLeaderEpoch = deps.store.leaderEpoch;
  }

  readonly handler: FollowHandler = (outgoing, peer) => {
    const stream: Stream = { outgoing, peer, leader: undefined, early: [] };
    return {
      message: (message) => this.#onMessage(stream, message),
      drain: () => undefined, // Reports are few and small.
      closed: () => {
        if (this.#current === stream) this.#current = undefined;
      },
    };
  };

  /** Tells the leader of replicas that became durable. */
  report(states: readonly ReplicaState[]): void {
    if (this.#current === undefined || this.#current.early !== undefined) return;
    const { store: opened } = this.#deps;
    const { store } = opened.identity;
    const replicas = states.map((state): ReplicaEntry => {
      const { shard, shardUuid, promisedEpoch, lastSeq } = state;
      const openedEpoch = opened.openedEpoch(shardUuid);
      return { shard, shardUuid, store, epoch: promisedEpoch, openedEpoch, lastSeq };
    });
    this.#current.outgoing.write({ type: 'replicas', replicas });
  }

  #onMessage(stream: Stream, message: LeaderMessage): void {
    if (message.type === 'hello') return this.#onHello(stream, message);
    if (stream.leader === undefined) return this.#end(stream, 'it did not say hello first');
    if (stream !== this.#current) return; // Ended, or replaced by a newer leader's.
    if (stream.early !== undefined) stream.early.push(message);
    else this.#apply(message);
  }

  #onHello(stream: Stream, hello: LeaderHello): void {
    const { store, map, submit, log } = this.#deps;
    const { leader, leaderEpoch, clusterUuid } = hello;
    if (clusterUuid !== store.identity.clusterUuid) {
      return this.#end(stream, `it is of cluster ${clusterUuid}`);
    }
    // Of a restarted node that has not joined yet; once it has registered, it is told again.
    if (map.shardCount === 0) return this.#end(stream, 'this node has not joined yet');
    if (leaderEpoch < this.#leaderEpoch) {
      const heard = this.#leaderEpoch;
      stream.outgoing.write({ type: 'hello', ...this.#deps.self, leaderEpoch: heard });
      return this.#end(stream, `its leaderEpoch ${leaderEpoch} is below ${heard}`);
    }
    const before = this.#current;
    stream.leader = { id: leader, leaderEpoch };
    this.#current = stream;
    if (before !== undefined && before !== stream) before.outgoing.end();
    if (leaderEpoch === this.#durableLeaderEpoch) return this.#accept(stream);

    log.info('heard a new leader', { leader, leaderEpoch, before: this.#leaderEpoch });
    this.#leaderEpoch = leaderEpoch;
    submit({
      type: 'record',
      write: (batch) => store.writeLeaderEpoch(batch, leaderEpoch),
      done: () => {
        this.#durableLeaderEpoch = leaderEpoch;
        this.#accept(stream);
      },
    });
  }

  /** The leader's epoch is durable: answer it, and do what it has said so far. */
  #accept(stream: Stream): void {
    if (stream !== this.#current) return;
    const { self, store } = this.#deps;
    stream.outgoing.write({ type: 'hello', ...self, leaderEpoch: this.#leaderEpoch });
    const early = stream.early ?? [];
    stream.early = undefined;
    this.report([...store.replicas()]);
    for (const update of early) this.#apply(update);
  }

  #apply({ shards, nodes }: MapUpdate): void {
    const { map, submit, log } = this.#deps;
    if (nodes !== undefined) map.setNodes(nodes);
    for (const update of shards) {
      if (!this.#isOurs(update)) {
        log.error('left out a configuration that is not of this cluster', {
          shard: update.config.shard,
        });
      } else if (map.apply(update)) submit({ type: 'config', update });
    }
  }

  #isOurs({ config: { shard, slots } }: VersionedConfig): boolean {
    const { shardCount } = this.#deps.map;
    if (shard >= shardCount) return false;
    const [first, last] = slotRangeOf(shard, shardCount);
    return slots[0] === first && slots[1] === last;
  }

  #end(stream: Stream, reason: string): void {
    this.#deps.log.info('do not follow a leader', { peer: stream.peer, reason });
    if (this.#current === stream) this.#current = undefined;
    stream.outgoing.end();
  }
}
