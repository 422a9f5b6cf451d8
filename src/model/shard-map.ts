/**
 * The shard map as one process knows it: every shard's configuration and the registered nodes.
 *
 * It may be behind ZooKeeper; that is harmless, because a request routed by an old map is refused
 * and never served wrong data (S23). It never goes back: an older configuration is ignored.
 */
import type { ClusterConfig } from './cluster-config.js';
import type { MemberId, ShardId } from './ids.js';
import { LIMITS } from './limits.js';
import type { Registration } from './registrations.js';
import type { ShardConfig, VersionedConfig } from './shard-config.js';
import { shardOfSlot, slotOf } from './slot.js';

/** How the shards of the cluster are placed and replicated (of `ClusterConfig`). */
export type ReplicationTarget = Pick<
  ClusterConfig,
  'replicas' | 'minIsr' | 'leaseMs' | 'replaceAfterMs' | 'initialStorage'
>;

const UNKNOWN_TARGET: ReplicationTarget = {
  replicas: 1,
  minIsr: 1,
  leaseMs: LIMITS.leaseMsDefault,
  replaceAfterMs: LIMITS.replaceAfterMsDefault,
  initialStorage: 1,
};

export class ShardMap {
  readonly #shards = new Map<ShardId, VersionedConfig>();
  #nodes: ReadonlyMap<MemberId, Registration> = new Map();
  /** From `/cluster`; 0 = not known yet. */
  #shardCount = 0;
  /** From `/cluster`, with the shard count. */
  target: ReplicationTarget = UNKNOWN_TARGET;

  get shardCount(): number {
    return this.#shardCount;
  }

  set shardCount(count: number) {
    this.#shardCount = count;
  }

  /** Every configuration known, by shard id. */
  get shards(): ReadonlyMap<ShardId, VersionedConfig> {
    return this.#shards;
  }

  get nodes(): ReadonlyMap<MemberId, Registration> {
    return this.#nodes;
  }

  /** Undefined while the shard count is not known. */
  shardOf(key: Uint8Array): ShardId | undefined {
    return this.#shardCount === 0 ? undefined : shardOfSlot(slotOf(key), this.#shardCount);
  }

  config(shard: ShardId): ShardConfig | undefined {
    return this.#shards.get(shard)?.config;
  }

  /** Takes a configuration, unless the map holds this one or a newer one. */
  apply(update: VersionedConfig): boolean {
    const known = this.#shards.get(update.config.shard);
    if (known !== undefined && !isNewer(update, known)) return false;
    this.#shards.set(update.config.shard, update);
    return true;
  }

  /** Replaces the table of registered nodes. */
  setNodes(nodes: Iterable<Registration>): void {
    this.#nodes = new Map([...nodes].map((node) => [node.id, node]));
  }
}

/**
 * The znode's version orders the configurations of one shard. A higher epoch wins over it, for the
 * case that the znode was made again (its version restarts at 0; the epoch never does, S1).
 */
function isNewer(update: VersionedConfig, known: VersionedConfig): boolean {
  if (update.config.epoch !== known.config.epoch) return update.config.epoch > known.config.epoch;
  return update.version > known.version;
}
