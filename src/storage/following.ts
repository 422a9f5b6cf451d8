/**
 * How a storage node hears its leader: configurations, the table of nodes and hand-overs in;
 * existing replicas, and what primaries ask for, out.
 *
 * Upholds the node's half of S17: the highest leaderEpoch heard is durable before anything of that
 * leader is acted on, and a stream of a lower one is ended. So a leader that was paused, and wakes
 * up after its successor spoke, changes nothing here, not even after a restart of this node. A
 * leader of another cluster is never listened to; a configuration that cannot be of this cluster is
 * left out and named (S19). Before it has joined, a node listens to nobody, but says which process
 * is here now.
 *
 * A ping is answered at once, even while the leader's epoch is not durable yet: the answer only
 * says that this process runs, so nothing is acted on. If it waited for the disk, slow disks at a
 * change of leaders would make all nodes look dead to the new one at the same time.
 */
import { unreachable } from '../model/assert.js';
import type { LeaderEpoch, MemberId, ShardId, Uuid } from '../model/ids.js';
import type {
  HandOverOrder,
  LeaderHello,
  LeaderMessage,
  MapUpdate,
  MemberMessage,
  NodeWord,
  ReplicaEntry,
  SteppedDown,
} from '../model/member-messages.js';
import type { VersionedConfig } from '../model/shard-config.js';
import type { ShardMap } from '../model/shard-map.js';
import { slotRangeOf } from '../model/slot.js';
import type { Log } from '../ports/log.js';
import type { FollowHandler, Outgoing } from '../ports/network.js';
import type { Work } from './rounds.js';
import type { Store } from './store.js';

export interface FollowingDeps {
  readonly self: { readonly id: MemberId; readonly process: Uuid };
  readonly store: Store;
  readonly map: ShardMap;
  readonly submit: (work: Work) => void;
  /** Replicas that exist durably. */
  readonly held: () => readonly ReplicaEntry[];
  /** Called when configurations or nodes were heard. */
  readonly mapChanged: () => void;
  /** The leader asks for a hand-over. It waits for a `stepped-down` or a `hand-over-failed`. */
  readonly handOver: (order: HandOverOrder) => void;
  readonly log: Log;
}

/** One leader's stream. */
interface Stream {
  readonly outgoing: Outgoing<MemberMessage>;
  readonly peer: string;
  leader: { readonly id: MemberId; readonly leaderEpoch: LeaderEpoch } | undefined;
  /** What came before the leader's epoch was durable; undefined = it is. */
  early: (MapUpdate | HandOverOrder)[] | undefined;
}

export class Following {
  readonly #deps: FollowingDeps;
  /** Highest leaderEpoch heard. Invariant: durableLeaderEpoch <= leaderEpoch. */
  #leaderEpoch: LeaderEpoch;
  /** Highest one that is on stable storage, and may be acted on. */
  #durableLeaderEpoch: LeaderEpoch;
  #current: Stream | undefined;
  #isLeaving = false;
  /** What was said last of each shard whose primary stepped down here. */
  readonly #stepDowns = new Map<ShardId, SteppedDown>();

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

  /** Tells the leader, if there is one, of these replicas. Each new leader is told of all. */
  report(replicas: readonly ReplicaEntry[]): void {
    this.#write({ type: 'replicas', replicas });
  }

  /**
   * Tells the leader, if there is one whose epoch is durable here; lost otherwise. But every leader
   * has to know who is leaving and who stepped down: that is said again on each new stream, a
   * step-down until the map has a later epoch.
   */
  send(word: NodeWord): void {
    if (word.type === 'leaving') this.#isLeaving = true;
    if (word.type === 'stepped-down') this.#stepDowns.set(word.shard, word);
    this.#write(word);
  }

  #write(message: MemberMessage): void {
    if (this.#current?.early === undefined) this.#current?.outgoing.write(message);
  }

  #onMessage(stream: Stream, message: LeaderMessage): void {
    if (message.type === 'hello') return this.#onHello(stream, message);
    if (stream.leader === undefined) return this.#end(stream, 'it did not say hello first');
    if (stream !== this.#current) return; // Ended, or replaced by a newer leader's.
    if (message.type === 'progress') return; // For routers.
    if (message.type === 'ping') {
      const { process } = this.#deps.self;
      stream.outgoing.write({ type: 'pong', number: message.number, process });
    } else if (stream.early !== undefined) stream.early.push(message);
    else this.#act(message);
  }

  #onHello(stream: Stream, hello: LeaderHello): void {
    const { store, map, submit, log } = this.#deps;
    const { leader, leaderEpoch, clusterUuid } = hello;
    const joined = store.identity.clusterUuid;
    if (joined !== null && clusterUuid !== joined) {
      return this.#end(stream, `it is of cluster ${clusterUuid}`);
    }
    // Of a restarted node that has not joined yet; once it has registered, it is told again. That
    // it is there at all tells the leader that the process before has ended.
    if (joined === null || map.shardCount === 0) {
      return this.#turnAway(stream, 'this node has not joined yet');
    }
    if (leaderEpoch < this.#leaderEpoch) {
      return this.#turnAway(stream, `its leaderEpoch ${leaderEpoch} is below ${this.#leaderEpoch}`);
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
    const { self, held } = this.#deps;
    stream.outgoing.write({ type: 'hello', ...self, leaderEpoch: this.#leaderEpoch });
    const early = stream.early ?? [];
    stream.early = undefined;
    this.report(held());
    for (const message of early) this.#act(message);
    this.#repeat();
  }

  #repeat(): void {
    if (this.#isLeaving) this.#write({ type: 'leaving' });
    for (const word of this.#stepDowns.values()) {
      const config = this.#deps.map.config(word.shard);
      const isPresent = config?.shardUuid === word.shardUuid && config.epoch <= word.epoch;
      if (isPresent) this.#write(word);
      else this.#stepDowns.delete(word.shard);
    }
  }

  #act(message: MapUpdate | HandOverOrder): void {
    switch (message.type) {
      case 'map':
        return this.#apply(message);
      case 'hand-over':
        return this.#deps.handOver(message);
      default:
        return unreachable(message);
    }
  }

  #apply({ shards, nodes }: MapUpdate): void {
    const { map, submit, mapChanged, log } = this.#deps;
    if (nodes !== undefined) map.setNodes(nodes);
    for (const update of shards) {
      if (!this.#isOurs(update)) {
        log.error('left out a configuration that is not of this cluster', {
          shard: update.config.shard,
        });
      } else {
        // An older one says that somebody is behind, maybe ZooKeeper: for the replica to judge. A
        // primary hears that this is over, too.
        const known = map.shards.get(update.config.shard)?.config;
        const isLed = known?.primary === this.#deps.self.id;
        const isNews = map.apply(update) || known?.nonce !== update.config.nonce;
        if (isNews || isLed) submit({ type: 'config', update });
      }
    }
    mapChanged();
  }

  #isOurs({ config: { shard, slots } }: VersionedConfig): boolean {
    const { shardCount } = this.#deps.map;
    if (shard >= shardCount) return false;
    const [first, last] = slotRangeOf(shard, shardCount);
    return slots[0] === first && slots[1] === last;
  }

  /** It is told who we are, and which leader we have heard of. */
  #turnAway(stream: Stream, reason: string): void {
    const { self } = this.#deps;
    stream.outgoing.write({ type: 'hello', ...self, leaderEpoch: this.#leaderEpoch });
    this.#end(stream, reason);
  }

  #end(stream: Stream, reason: string): void {
    this.#deps.log.info('do not follow a leader', { peer: stream.peer, reason });
    if (this.#current === stream) this.#current = undefined;
    stream.outgoing.end();
  }
}
