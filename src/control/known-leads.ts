/**
 * What is known of configurations that are later than ZooKeeper's, of the same epoch: from what
 * primaries said, and from what the leader itself had read.
 *
 * Pure.
 */
import type { Epoch, ShardId, Uuid } from '../model/ids.js';
import type { Lead } from '../model/member-messages.js';

interface EpochOfShard {
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
  readonly epoch: Epoch;
}

export class KnownLeads {
  readonly #known = new Map<ShardId, EpochOfShard & { readonly lead: Lead }>();

  /** The later epoch counts; in one epoch what was said last, unless it was known to be earlier. */
  set({ shard, shardUuid, epoch }: EpochOfShard, lead: Lead): void {
    const known = this.#known.get(shard);
    const isOfShard = known?.shardUuid === shardUuid;
    if (isOfShard && known.epoch > epoch) return;
    if (isOfShard && known.epoch === epoch && known.lead.version > lead.version) return;
    this.#known.set(shard, { shard, shardUuid, epoch, lead });
  }

  of({ shard, shardUuid, epoch }: EpochOfShard): Lead | undefined {
    const known = this.#known.get(shard);
    return known?.shardUuid === shardUuid && known.epoch === epoch ? known.lead : undefined;
  }
}
