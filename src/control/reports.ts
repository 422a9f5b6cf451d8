/**
 * What storage nodes said they hold: whether a replica exists and is sound, whether anything is in
 * it, and which epoch it has promised. So a successor is known to take over, and which epochs were
 * used already.
 *
 * An epoch that any replica has promised belongs to somebody (S1), and was written to ZooKeeper
 * before it was promised. One above the configuration's tells that ZooKeeper's data was set back
 * (bug B9): whom the configuration names may not be whom clients have been served by since.
 */
import type { Epoch, ShardId, Uuid } from '../model/ids.js';
import type { Lead, ReplicaEntry } from '../model/member-messages.js';
import { replicaOn, type ShardConfig } from '../model/shard-config.js';

export class Reports {
  /** Latest report per shard and store. A shard made anew is another one, whatever its number. */
  readonly #entries = new Map<Uuid, Map<Uuid, ReplicaEntry>>();
  /** Numbers of shards of which any replica holds something, or leads. */
  readonly #served = new Set<ShardId>();
  /** By shard, the highest epoch that a primary was refused for. */
  readonly #met = new Map<Uuid, Epoch>();

  add(entry: ReplicaEntry): void {
    if (entry.lastSeq > 0 || entry.lead !== undefined) this.#served.add(entry.shard);
    const known = this.#entries.get(entry.shardUuid);
    if (known === undefined) {
      this.#entries.set(entry.shardUuid, new Map([[entry.store, entry]]));
    } else known.set(entry.store, entry);
  }

  /** A primary was told that a replica has promised this epoch. */
  met(shardUuid: Uuid, promised: Epoch): void {
    if (promised > (this.#met.get(shardUuid) ?? 0)) this.#met.set(shardUuid, promised);
  }

  /** Whether any shard of this number has been active, this one or one before it. */
  hasAnyServed(shard: ShardId): boolean {
    return this.#served.has(shard);
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

  /** What the primary of this epoch goes by, as far as it has said so. */
  leadOf(config: ShardConfig): Lead | undefined {
    const place = replicaOn(config, config.primary);
    const primary = place && this.#entries.get(config.shardUuid)?.get(place.store);
    return primary?.epoch === config.epoch ? primary.lead : undefined;
  }

  /** Whether the primary's process cannot serve in this epoch: it was an earlier life's. */
  isEpochUsed(config: ShardConfig): boolean {
    const place = replicaOn(config, config.primary);
    const primary = place && this.#entries.get(config.shardUuid)?.get(place.store);
    return primary !== undefined && primary.openedEpoch >= config.epoch;
  }

  /** The highest epoch that any replica of the shard is known to have promised; 0 = none is. */
  highestEpoch({ shardUuid }: ShardConfig): number {
    let highest: number = this.#met.get(shardUuid) ?? 0;
    for (const { epoch, openedEpoch } of this.#entries.get(shardUuid)?.values() ?? []) {
      highest = Math.max(highest, epoch, openedEpoch);
    }
    return highest;
  }
}
