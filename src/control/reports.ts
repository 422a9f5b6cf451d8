/**
 * What storage nodes said they hold: whether a replica exists and is sound, and which epoch it has
 * promised. So a successor is known to take over, and which epochs were used already.
 *
 * An epoch that any replica has promised belongs to somebody (S1). Reports tell of epochs that the
 * znode does not know when ZooKeeper's data was set back (bug B9): a new epoch goes above them all.
 */
import type { Epoch, Uuid } from '../model/ids.js';
import type { ReplicaEntry } from '../model/member-messages.js';
import { replicaOn, type ShardConfig } from '../model/shard-config.js';

export class Reports {
  /** Latest report per shard and store. A shard made anew is another one, whatever its number. */
  readonly #entries = new Map<Uuid, Map<Uuid, ReplicaEntry>>();

  add(entry: ReplicaEntry): void {
    const known = this.#entries.get(entry.shardUuid);
    if (known === undefined) {
      this.#entries.set(entry.shardUuid, new Map([[entry.store, entry]]));
    } else known.set(entry.store, entry);
  }

  /** Whether a store holds a replica of the shard durably. */
  has({ shardUuid }: ShardConfig, store: Uuid): boolean {
    const entry = this.#entries.get(shardUuid)?.get(store);
    return entry !== undefined && entry.epoch > 0 && entry.problem === undefined;
  }

  /** Why a replica should not be counted on, as its node says; undefined: it says nothing. */
  problemOf({ shardUuid }: ShardConfig, store: Uuid): string | undefined {
    return this.#entries.get(shardUuid)?.get(store)?.problem;
  }

  /** The epoch that a replica has promised; 0 if nothing is known of it. */
  promisedBy({ shardUuid }: ShardConfig, store: Uuid): number {
    return this.#entries.get(shardUuid)?.get(store)?.epoch ?? 0;
  }

  /** Whether the primary could not serve in the epoch of its configuration, or a member not ack. */
  isEpochUsed(config: ShardConfig): boolean {
    const entries = this.#entries.get(config.shardUuid);
    if (entries === undefined) return false;
    const place = replicaOn(config, config.primary);
    const primary = place && entries.get(place.store);
    // Promised before the primary's process began: that epoch belongs to an earlier life.
    if (primary !== undefined && primary.openedEpoch >= config.epoch) return true;
    return config.replicas.some(({ store }) => (entries.get(store)?.epoch ?? 0) > config.epoch);
  }

  /** The lowest epoch above the configuration's and everything reported of the shard. */
  unusedEpoch(config: ShardConfig): Epoch {
    let highest: number = config.epoch;
    for (const { epoch, openedEpoch } of this.#entries.get(config.shardUuid)?.values() ?? []) {
      highest = Math.max(highest, epoch, openedEpoch);
    }
    return (highest + 1) as Epoch;
  }
}
