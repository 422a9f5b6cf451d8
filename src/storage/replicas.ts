/**
 * The replicas of this node, one core per shard it has heard of, and what their refusals add: the
 * hint that repairs the caller's map.
 *
 * Nothing here waits. Inputs come from the rounds only, so configurations and writes have one
 * order; reads ask for admission at any time.
 */
import type { Epoch, Incarnation, ShardId } from '../model/ids.js';
import { RefusedError } from '../model/refusals.js';
import type { VersionedConfig } from '../model/shard-config.js';
import type { ShardMap } from '../model/shard-map.js';
import { Replica } from '../replication/replica.js';
import type { Refusal } from '../replication/replica-io.js';
import { refusalOf } from '../replication/refusal.js';
import type { Store } from './store.js';

export class Replicas {
  readonly #store: Store;
  readonly #map: ShardMap;
  readonly #byShard = new Map<ShardId, Replica>();
  readonly #lives = new Set<Incarnation>();

  constructor(store: Store, map: ShardMap) {
    this.#store = store;
    this.#map = map;
  }

  get(shard: ShardId): Replica | undefined {
    return this.#byShard.get(shard);
  }

  all(): Iterable<Replica> {
    return this.#byShard.values();
  }

  /** The replica that a configuration is about: what the store holds of it, or one to be. */
  of({ config: { shard, shardUuid } }: VersionedConfig): Replica {
    const known = this.#byShard.get(shard);
    if (known?.shardUuid === shardUuid) return known;
    const { identity } = this.#store;
    const replica = new Replica({
      shard,
      shardUuid,
      self: { node: identity.node, store: identity.store },
      lives: this.#lives,
      stored: this.#store.replica(shardUuid),
      openedEpoch: this.#store.openedEpoch(shardUuid),
    });
    this.#byShard.set(shard, replica);
    return replica;
  }

  /** This process has one more life; those before it stay its own. */
  addLife(incarnation: Incarnation): void {
    this.#lives.add(incarnation);
  }

  readAdmission(shard: ShardId, epoch: Epoch | undefined): 'now' | 'later' | Refusal {
    const replica = this.#byShard.get(shard);
    if (replica !== undefined) return replica.readAdmission(epoch);
    return this.unheardOf(shard, epoch);
  }

  /** Why a shard without a replica core is refused. */
  unheardOf(shard: ShardId, epoch: Epoch | undefined): Refusal {
    return (
      refusalOf(shard, 'unknown', undefined, epoch) ?? { code: 'NODE_BEHIND', message: 'unknown' }
    );
  }

  /** The refusal with the newest configuration this node has heard, and where its primary is. */
  refused(shard: ShardId, { code, message }: Refusal): RefusedError {
    const known = this.#map.shards.get(shard);
    const hint = known && {
      ...known,
      address: this.#map.nodes.get(known.config.primary)?.address,
    };
    return new RefusedError(code, message, { hint });
  }
}
