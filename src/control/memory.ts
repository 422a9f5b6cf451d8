/**
 * What a leader knows of shards beside what ZooKeeper has: what its router had heard before it led,
 * what it had read before, and what primaries said that they go by. ZooKeeper may know less, if it
 * was set back.
 *
 * Pure. Of each shard one configuration is remembered, and one lead of each origin.
 */
import type { Epoch, MemberId, ShardId, Uuid } from '../model/ids.js';
import type { Lead } from '../model/member-messages.js';
import type { ShardConfig, StoredShard, VersionedConfig } from '../model/shard-config.js';

interface EpochOfShard {
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
  readonly epoch: Epoch;
}

export class Memory {
  /** The latest configurations that were known. */
  readonly #configs = new Map<ShardId, VersionedConfig>();
  /** Of those that were later than ZooKeeper's within its epoch, what their primaries go by. */
  readonly #remembered = new Leads();
  /** What primaries said when they asked. */
  readonly #said = new Leads();
  #setBacks = 0;

  /** How often less was read of a shard than was known; each time once. */
  get setBacks(): number {
    return this.#setBacks;
  }

  /** This router had heard of it before it led. */
  add(known: VersionedConfig): void {
    const { shard, shardUuid, state } = known.config;
    const before = this.#configs.get(shard);
    const hasServed = before?.config.state === 'active' && state === 'creating';
    const isOfShard = before?.config.shardUuid === shardUuid;
    if (hasServed || (isOfShard && isEarlier(known, before))) return;
    this.#configs.set(shard, known);
  }

  /**
   * A znode was read, where this had been read or written before. What was known of the same shard
   * until now: that, or else what is remembered.
   */
  compare(stored: StoredShard, before: StoredShard | undefined): VersionedConfig | undefined {
    const shard = stored.type === 'config' ? stored.config.shard : stored.shard;
    if (before?.type === 'config') this.add(before);
    const known = before?.type === 'config' ? before : this.#configs.get(shard);
    if (stored.type === 'absent' && before?.type !== 'absent' && known !== undefined) {
      this.#setBacks++;
    }
    if (stored.type !== 'config' || known?.config.shardUuid !== stored.config.shardUuid) {
      return undefined;
    }
    if (isEarlier(stored, known) || isInPlaceOf(stored, known)) this.#onEarlier(stored, known);
    return known;
  }

  /** A primary says what it goes by. */
  said(of: EpochOfShard, lead: Lead): void {
    this.#said.set(of, lead);
  }

  /**
   * What the primary of this epoch goes by: what it said last, by itself or with what it holds
   * (`reported`), unless a later configuration is remembered, which it may not have heard of. Who
   * asks is a primary by what its leader had heard: not of a shard that is being created.
   */
  leadOf(config: ShardConfig, reported: Lead | undefined): Lead | undefined {
    const said = config.state === 'active' ? this.#said.of(config) : undefined;
    return later(later(said, reported), this.#remembered.of(config));
  }

  /** Whether any shard of this number has been active. */
  hasAnyServed(shard: ShardId): boolean {
    return this.#configs.get(shard)?.config.state === 'active';
  }

  /** Nodes that had replicas of a shard of this number. */
  nodesOf(shard: ShardId): readonly MemberId[] {
    return this.#configs.get(shard)?.config.replicas.map(({ node }) => node) ?? [];
  }

  #onEarlier({ config }: VersionedConfig, known: VersionedConfig): void {
    this.#setBacks++;
    const { version } = known;
    const { epoch, primary, isr, nonce, state } = known.config;
    // Should the epoch have been used twice, an empty replica is not made what the other one was.
    const isSame = config.state === 'active' || primary === config.primary;
    if (epoch !== config.epoch || state !== 'active' || !isSame) return;
    // As its primary would say.
    this.#remembered.set(known.config, { version, nonce, inSync: isr });
  }
}

/** What primaries go by, the latest of each shard. */
class Leads {
  readonly #of = new Map<ShardId, EpochOfShard & { readonly lead: Lead }>();

  /** The later epoch counts; in one epoch what was said last, unless it was known to be earlier. */
  set({ shard, shardUuid, epoch }: EpochOfShard, lead: Lead): void {
    const known = this.#of.get(shard);
    const isOfShard = known?.shardUuid === shardUuid;
    if (isOfShard && known.epoch > epoch) return;
    if (isOfShard && known.epoch === epoch && known.lead.version > lead.version) return;
    this.#of.set(shard, { shard, shardUuid, epoch, lead });
  }

  of({ shard, shardUuid, epoch }: EpochOfShard): Lead | undefined {
    const known = this.#of.get(shard);
    return known?.shardUuid === shardUuid && known.epoch === epoch ? known.lead : undefined;
  }
}

/** The one of the later configuration; of the same version the first. */
function later(lead: Lead | undefined, other: Lead | undefined): Lead | undefined {
  if (lead === undefined || other === undefined) return lead ?? other;
  return other.version > lead.version ? other : lead;
}

/** Both are of one shard. */
function isEarlier(one: VersionedConfig, other: VersionedConfig): boolean {
  const [epoch, otherEpoch] = [one.config.epoch, other.config.epoch];
  return epoch < otherEpoch || (epoch === otherEpoch && one.version < other.version);
}

/** The same version, written a second time. */
function isInPlaceOf(one: VersionedConfig, other: VersionedConfig): boolean {
  const isSameVersion = one.config.epoch === other.config.epoch && one.version === other.version;
  return isSameVersion && one.config.nonce !== other.config.nonce;
}
