/**
 * What should change in the shard map: the leader's decisions, and nothing else.
 *
 * Pure: no clock, no I/O, no randomness. The driver (`router/leadership.ts`) feeds what it saw and
 * carries out what `takeReady()` returns, every write fenced by the leaderEpoch (S17) and compared
 * with the version the decision was based on.
 *
 * It decides from the whole state, not from events: a successor that reads the same map decides the
 * same, and changes nothing that is right. Its rules, per shard:
 *   1. No configuration, and the placement is not complete: create one in state `creating`, once
 *      enough nodes are registered. When every shard has one, the placement is complete, for ever.
 *   2. `creating`, the placement is complete, and its primary reports the replica as durable:
 *      `active`.
 *   3. `creating`, and its primary is gone or another life or store: place it anew. Nothing can be
 *      lost, because a shard serves nothing before it is `active`.
 *   4. `active`, and its primary is registered in a new life with the same store, or reports that
 *      an earlier life used the epoch (ZooKeeper was set back): a new epoch above both (S1).
 *   5. `active`, and its primary is away or came back with another store: leave it. The data is on
 *      the old store; starting empty would lose it (S19).
 * A configuration that does not parse is never touched, and one that is missing although the
 * placement is complete is never made again: nodes may hold its data (S19).
 */
import { assert, unreachable } from '../model/assert.js';
import type { ClusterConfig } from '../model/cluster-config.js';
import type { Epoch, LeaderEpoch, MemberId, ShardId, Uuid } from '../model/ids.js';
import type { ReplicaEntry } from '../model/member-messages.js';
import type { PlacementState } from '../model/placement-record.js';
import type { Registration } from '../model/registrations.js';
import {
  replicaOn,
  type ShardConfig,
  type StoredShard,
  type VersionedConfig,
} from '../model/shard-config.js';
import { slotRangeOf } from '../model/slot.js';
import { Placement } from './placement.js';

export type ControllerInput =
  /** A shard's znode was read: at the start, and after a write that met something unexpected. */
  | { readonly type: 'shard-read'; readonly stored: StoredShard }
  /** Whether every shard has had a configuration at some time. Nothing is created before. */
  | { readonly type: 'placement-read'; readonly placement: PlacementState }
  /** A proposed write happened; this is what the znode holds now. */
  | { readonly type: 'written'; readonly written: VersionedConfig }
  /** A proposed write did not happen, for a reason that is not in the znode. Propose again. */
  | { readonly type: 'not-written'; readonly shard: ShardId }
  | { readonly type: 'nodes'; readonly nodes: readonly Registration[] }
  /** No node came or went for a while: the first placement may start. */
  | { readonly type: 'nodes-settled' }
  /** A node says which replicas it holds durably. */
  | { readonly type: 'reported'; readonly replicas: readonly ReplicaEntry[] };

/** A configuration to write. The driver adds a nonce and, for a new shard, its uuid. */
export interface ProposedWrite {
  /** Version of the znode the decision was based on; undefined = the znode must not exist. */
  readonly basedOn: number | undefined;
  readonly draft: Omit<ShardConfig, 'nonce' | 'shardUuid'>;
  readonly shardUuid: Uuid | undefined;
  readonly why: 'create' | 'activate' | 'place-anew' | 'new-life' | 'epoch-used';
}

export type ControllerEvent =
  | { readonly type: 'replica-lost'; readonly shard: ShardId; readonly node: MemberId }
  | { readonly type: 'shard-garbled'; readonly shard: ShardId }
  | { readonly type: 'shard-missing'; readonly shard: ShardId }
  /** One that was garbled or missing can be read again: somebody restored it. */
  | { readonly type: 'shard-restored'; readonly shard: ShardId };

export interface ControllerReady {
  readonly writes: readonly ProposedWrite[];
  /** Every shard has a configuration: record that the placement is complete. Said until it is. */
  readonly completesPlacement: boolean;
  /** Configurations that are new to the map, for every member to hear. */
  readonly changed: readonly VersionedConfig[];
  readonly events: readonly ControllerEvent[];
}

export class Controller {
  readonly #cluster: ClusterConfig;
  readonly #leaderEpoch: LeaderEpoch;
  readonly #stored = new Map<ShardId, StoredShard>();
  readonly #nodes = new Map<MemberId, Registration>();
  /** Latest report per shard and store. */
  readonly #reports = new Map<string, ReplicaEntry>();
  /** Shards with a write under way: one at a time each (S18). */
  readonly #writing = new Set<ShardId>();
  /** Replicas said to be lost, so that each is said once. */
  readonly #lost = new Set<string>();
  /** Shards said to be missing or garbled: nobody but an operator can restore them. */
  readonly #broken = new Set<ShardId>();
  #placement: PlacementState | 'unread' = 'unread';
  #settled = false;
  #changed: VersionedConfig[] = [];
  #events: ControllerEvent[] = [];

  constructor(cluster: ClusterConfig, leaderEpoch: LeaderEpoch) {
    this.#cluster = cluster;
    this.#leaderEpoch = leaderEpoch;
  }

  step(input: ControllerInput): void {
    switch (input.type) {
      case 'shard-read':
        return this.#onShardRead(input.stored);
      case 'placement-read':
        this.#placement = input.placement;
        return;
      case 'written':
        return this.#onWritten(input.written);
      case 'not-written':
        this.#writing.delete(input.shard);
        return;
      case 'nodes':
        return this.#onNodes(input.nodes);
      case 'nodes-settled':
        this.#settled = true;
        return;
      case 'reported':
        for (const entry of input.replicas) {
          this.#reports.set(reportKey(entry.shard, entry.store), entry);
        }
        return;
      default:
        return unreachable(input);
    }
  }

  /** Everything decided since the last call. Proposes nothing for a shard being written. */
  takeReady(): ControllerReady {
    const writes = this.#decide();
    for (const write of writes) this.#writing.add(write.draft.shard);
    const ready = {
      writes,
      completesPlacement: this.#placement === 'open' && this.#isEveryShardThere(),
      changed: this.#changed,
      events: this.#events,
    };
    this.#changed = [];
    this.#events = [];
    return ready;
  }

  /** Shards that are said to be missing or garbled: worth another look now and then. */
  get broken(): readonly ShardId[] {
    return [...this.#broken];
  }

  #onShardRead(stored: StoredShard): void {
    const shard = stored.type === 'config' ? stored.config.shard : stored.shard;
    this.#writing.delete(shard);
    this.#stored.set(shard, stored);
    if (stored.type === 'garbled') this.#sayBroken('shard-garbled', shard);
    if (stored.type !== 'config') return;
    this.#changed.push(stored);
    if (this.#broken.delete(shard)) this.#events.push({ type: 'shard-restored', shard });
  }

  #onWritten({ config, version }: VersionedConfig): void {
    const before = this.#stored.get(config.shard);
    if (before?.type === 'config') {
      assert(config.epoch >= before.config.epoch, 'S1', () => ({ before, config }));
    }
    this.#writing.delete(config.shard);
    this.#stored.set(config.shard, { type: 'config', config, version });
    this.#changed.push({ config, version });
  }

  #onNodes(nodes: readonly Registration[]): void {
    this.#nodes.clear();
    for (const node of nodes) this.#nodes.set(node.id, node);
  }

  #decide(): readonly ProposedWrite[] {
    const placement = new Placement(this.#nodes.keys(), this.#settledConfigs());
    const writes: ProposedWrite[] = [];
    for (let id = 0; id < this.#cluster.shards; id++) {
      const shard = id as ShardId;
      if (this.#writing.has(shard)) continue;
      const stored = this.#stored.get(shard);
      if (stored === undefined || stored.type === 'garbled') continue; // Unread, or not ours.
      const write =
        stored.type === 'absent' ? this.#create(shard, placement) : this.#revise(stored, placement);
      if (write !== undefined) writes.push(write);
    }
    return writes;
  }

  /** Rule 1. */
  #create(shard: ShardId, placement: Placement): ProposedWrite | undefined {
    if (this.#placement === 'complete') this.#sayBroken('shard-missing', shard);
    if (!this.#mayPlace()) return undefined;
    const slots = slotRangeOf(shard, this.#cluster.shards);
    const draft = this.#placed(placement, { shard, slots, epoch: 1 as Epoch });
    return draft && { basedOn: undefined, draft, shardUuid: undefined, why: 'create' };
  }

  /** Rules 2 to 5. */
  #revise(stored: VersionedConfig, placement: Placement): ProposedWrite | undefined {
    const { config, version } = stored;
    const { node, place, sameStore, sameLife } = this.#primaryOf(config);
    const write = (why: ProposedWrite['why'], change: ProposedWrite['draft'] | undefined) =>
      change && { basedOn: version, draft: change, shardUuid: config.shardUuid, why };

    if (config.state === 'creating') {
      if (!sameLife) {
        return write(
          'place-anew',
          this.#placed(placement, { ...config, epoch: next(config.epoch) }),
        );
      }
      if (this.#placement !== 'complete' || this.#reported(config, place.store) === undefined) {
        return undefined;
      }
      return write('activate', this.#draft({ ...config, state: 'active' }));
    }
    if (node === undefined) return undefined; // Away.
    if (!sameStore) {
      this.#sayLost(config);
      return undefined;
    }
    const report = this.#reported(config, place.store);
    const isUsed =
      report !== undefined && (report.epoch > config.epoch || report.openedEpoch >= config.epoch);
    if (sameLife && !isUsed) return undefined; // All is well.
    const replicas = [{ ...place, incarnation: node.incarnation }];
    const promised = report?.epoch ?? config.epoch;
    const epoch = next(promised > config.epoch ? promised : config.epoch);
    const why = sameLife ? 'epoch-used' : 'new-life';
    return write(why, this.#draft({ ...config, epoch, replicas }));
  }

  /** The primary as configured and as registered now, and whether these are the same. */
  #primaryOf(config: ShardConfig) {
    const node = this.#nodes.get(config.primary);
    const place = replicaOn(config, config.primary);
    // The decoder refused anything else.
    assert(place !== undefined, 'the primary has a place', () => ({ config }));
    const sameStore = node?.store === place.store;
    return {
      node,
      place,
      sameStore,
      sameLife: sameStore && node.incarnation === place.incarnation,
    };
  }

  /** Enough nodes for a first placement that is fair to all of them. */
  #mayPlace(): boolean {
    const areNodesThere = this.#settled && this.#nodes.size >= this.#cluster.initialStorage;
    return this.#placement === 'open' && areNodesThere;
  }

  /** A draft with its one replica on the node that carries least. */
  #placed(
    placement: Placement,
    shape: Pick<ShardConfig, 'shard' | 'slots' | 'epoch'>,
  ): ProposedWrite['draft'] | undefined {
    const primary = placement.place();
    const node = primary && this.#nodes.get(primary);
    if (node === undefined) return undefined;
    return this.#draft({
      shard: shape.shard,
      slots: shape.slots,
      epoch: shape.epoch,
      state: 'creating',
      primary: node.id,
      isr: [node.id],
      learners: [],
      replicas: [{ node: node.id, store: node.store, incarnation: node.incarnation }],
      pending: null,
    });
  }

  #draft(config: Omit<ShardConfig, 'nonce' | 'shardUuid' | 'leaderEpoch'>): ProposedWrite['draft'] {
    const { shard, slots, state, epoch, primary, isr, learners, replicas, pending } = config;
    const leaderEpoch = this.#leaderEpoch;
    return { shard, slots, state, epoch, primary, isr, learners, replicas, pending, leaderEpoch };
  }

  /** What the store last reported of this shard; undefined if nothing, or of another shard. */
  #reported({ shard, shardUuid }: ShardConfig, store: Uuid): ReplicaEntry | undefined {
    const report = this.#reports.get(reportKey(shard, store));
    return report?.shardUuid === shardUuid ? report : undefined;
  }

  /** A znode that does not parse is there too. */
  #isEveryShardThere(): boolean {
    const there = [...this.#stored.values()].filter(({ type }) => type !== 'absent');
    return there.length === this.#cluster.shards;
  }

  #sayBroken(type: 'shard-missing' | 'shard-garbled', shard: ShardId): void {
    if (this.#broken.has(shard)) return;
    this.#broken.add(shard);
    this.#events.push({ type, shard });
  }

  #sayLost({ shard, primary }: ShardConfig): void {
    const replica = `${shard}@${primary}`;
    if (this.#lost.has(replica)) return;
    this.#lost.add(replica);
    this.#events.push({ type: 'replica-lost', shard, node: primary });
  }

  /** Configurations that stay where they are: what the nodes carry when placing the others. */
  *#settledConfigs(): Iterable<ShardConfig> {
    for (const stored of this.#stored.values()) {
      if (stored.type !== 'config') continue;
      const { config } = stored;
      if (config.state === 'active' || this.#primaryOf(config).sameLife) yield config;
    }
  }
}

function reportKey(shard: ShardId, store: Uuid): string {
  return `${shard}/${store}`;
}

function next(epoch: Epoch): Epoch {
  return (epoch + 1) as Epoch;
}
