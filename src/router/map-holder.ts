/**
 * The live map of a router: one object that everything reads, and that tells whoever waits when it
 * changed. It takes news from the leader, from ZooKeeper and from the hints of refusals alike,
 * because the map itself ignores what is older than what it holds.
 */
import type { Epoch, MemberId, ShardId, Uuid } from '../model/ids.js';
import type {
  DamagedNotice,
  LearnerProgress,
  MapUpdate,
  ProgressReport,
  UsedEpoch,
} from '../model/member-messages.js';
import type { RefusalHint } from '../model/refusals.js';
import type { Registration } from '../model/registrations.js';
import type { VersionedConfig } from '../model/shard-config.js';
import { type ReplicationTarget, ShardMap } from '../model/shard-map.js';

export class MapHolder {
  readonly map = new ShardMap();
  /** How far learners are, what is damaged and what is outdated, as the leader last told. */
  learners: readonly LearnerProgress[] = [];
  damaged: readonly DamagedNotice[] = [];
  outdated: readonly ShardId[] = [];
  /** By shard, the highest epoch known to be promised of those that ZooKeeper knew less of. */
  readonly used = new Map<Uuid, Epoch>();
  /** Addresses learned from hints, for nodes that the table does not know yet. */
  readonly #hinted = new Map<MemberId, string>();
  readonly #listeners = new Set<() => void>();

  applyProgress({ learners, damaged, outdated, used }: ProgressReport): void {
    this.learners = learners;
    this.damaged = damaged;
    this.outdated = outdated;
    this.applyUsed(used);
  }

  /** It stays so: a promise is never taken back. */
  applyUsed(used: Iterable<UsedEpoch>): void {
    for (const { shardUuid, epoch } of used) {
      if (epoch > (this.used.get(shardUuid) ?? 0)) this.used.set(shardUuid, epoch);
    }
  }

  setShardCount(count: number): void {
    if (this.map.shardCount === count) return;
    this.map.shardCount = count;
    this.#changed();
  }

  setTarget(target: ReplicationTarget): void {
    this.map.target = target;
    this.#changed();
  }

  /** Replaces the table of registered nodes. */
  setNodes(nodes: Iterable<Registration>): void {
    this.map.setNodes(nodes);
    this.#hinted.clear();
    this.#changed();
  }

  /** Takes those that are newer than what the map holds. */
  applyConfigs(configs: Iterable<VersionedConfig>): void {
    let changed = false;
    for (const { config, version } of configs) {
      if (this.map.apply({ config, version })) changed = true;
    }
    if (changed) this.#changed();
  }

  applyUpdate({ shards, nodes }: MapUpdate): void {
    if (nodes !== undefined) this.setNodes(nodes);
    this.applyConfigs(shards);
  }

  /** Whether the hint was news. */
  applyHint({ config, version, address }: RefusalHint): boolean {
    const { primary } = config;
    const newAddress =
      address !== undefined &&
      !this.map.nodes.has(primary) &&
      this.#hinted.get(primary) !== address;
    if (newAddress) this.#hinted.set(primary, address);
    const newConfig = this.map.apply({ config, version });
    if (newAddress || newConfig) this.#changed();
    return newAddress || newConfig;
  }

  /** HOST:PORT of a node; undefined if it is not registered and no hint named it. */
  addressOf(node: MemberId): string | undefined {
    return this.map.nodes.get(node)?.address ?? this.#hinted.get(node);
  }

  /** Calls back after every change until the result is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
