/** A controller over a tree of shard znodes that accepts every write. */
import { expect } from 'vitest';
import type {
  ControllerEvent,
  ControllerInput,
  HandOver,
  ProposedWrite,
} from '../../src/control/controller-io.js';
import { Controller } from '../../src/control/controller.js';
import type { ClusterConfig } from '../../src/model/cluster-config.js';
import type { Epoch, LeaderEpoch, MemberId, ShardId } from '../../src/model/ids.js';
import type { ChangeRequest } from '../../src/model/member-messages.js';
import type { PlacementState } from '../../src/model/placement-record.js';
import type { Registration } from '../../src/model/registrations.js';
import type { ShardConfig, VersionedConfig } from '../../src/model/shard-config.js';
import { clusterOf, configOf, placeOf, reportsOf, uuidOf } from './configs.js';

export const LEADER_EPOCH = 7 as LeaderEpoch;

export class ControlHarness {
  readonly cluster: ClusterConfig;
  readonly controller: Controller;
  readonly znodes = new Map<ShardId, VersionedConfig>();
  readonly events: ControllerEvent[] = [];
  handOvers: readonly HandOver[] = [];
  nonce = 0;
  placement: PlacementState = 'open';

  /** Of a leader that whoever lives has had the time to register with; or not, if it just began. */
  constructor(
    cluster = clusterOf(),
    stored: readonly ShardConfig[] = [],
    { hasJustBegun = false } = {},
  ) {
    this.cluster = cluster;
    this.controller = new Controller(cluster, LEADER_EPOCH);
    for (const config of stored) this.znodes.set(config.shard, { config, version: 3 });
    if (stored.length === cluster.shards) this.placement = 'complete';
    this.controller.step({ type: 'placement-read', placement: this.placement });
    for (let id = 0; id < cluster.shards; id++) {
      const shard = id as ShardId;
      const znode = this.znodes.get(shard);
      this.controller.step({
        type: 'shard-read',
        stored: znode ? { type: 'config', ...znode } : { type: 'absent', shard },
      });
    }
    if (!hasJustBegun) this.complete();
  }

  step(input: ControllerInput): this {
    this.controller.step(input);
    return this;
  }

  /** These are registered, and have nothing to say that was not said. */
  nodes(...nodes: Registration[]): this {
    this.step({ type: 'nodes', nodes });
    for (const { id, process } of nodes) {
      this.step({ type: 'spoken', node: id }).step({ type: 'accounted', process });
    }
    return this;
  }

  settle(): this {
    return this.step({ type: 'nodes-settled' });
  }

  /** Whoever lives has had the time to register. */
  complete(): this {
    return this.step({ type: 'zookeeper-trusted' });
  }

  suspect({ id, process }: Registration): this {
    return this.step({ type: 'suspected', node: id, process });
  }

  hear({ id, process }: Registration): this {
    return this.step({ type: 'heard', node: id, process });
  }

  reportAll(): this {
    const replicas = [...this.znodes.values()].flatMap(({ config }) => reportsOf(config));
    return this.step({ type: 'reported', replicas });
  }

  /** The primary of shard 0 asks, knowing the configuration as it is unless said otherwise. */
  request(change: ChangeRequest['change'], as: Partial<ChangeRequest> = {}): this {
    const { config, version } = this.znodes.get(0 as ShardId)!;
    const { shard, shardUuid, epoch } = config;
    const request = { shard, shardUuid, epoch, basedOn: version, change, ...as };
    return this.step({ type: 'requested', request });
  }

  stepDown(shard: number, to?: MemberId, epoch = this.config(shard).epoch): this {
    return this.step({ type: 'stepped-down', shard: shard as ShardId, epoch, to });
  }

  /** Carries out what is proposed now; returns it. */
  run(): readonly ProposedWrite[] {
    const { writes, handOvers, events } = this.controller.takeReady();
    this.handOvers = handOvers;
    for (const write of writes) this.#apply(write);
    this.events.push(...events);
    if (this.placement === 'open') this.#completePlacement();
    return writes;
  }

  /** Why each is written, as the rules have it. */
  runWhy(): readonly string[] {
    return this.run().map(({ why }) => why);
  }

  #completePlacement(): void {
    const { writes, completesPlacement } = this.controller.takeReady();
    expect(writes).toEqual([]);
    if (!completesPlacement) return;
    expect(this.znodes.size).toBe(this.cluster.shards);
    this.placement = 'complete';
    this.controller.step({ type: 'placement-read', placement: 'complete' });
  }

  #apply({ draft, basedOn, shardUuid }: ProposedWrite): void {
    const before = this.znodes.get(draft.shard);
    expect(before?.version).toBe(basedOn);
    const config = {
      ...draft,
      shardUuid: shardUuid ?? uuidOf(`minted-${draft.shard}`),
      nonce: `${this.nonce++}`,
    };
    const version = basedOn === undefined ? 0 : basedOn + 1;
    this.znodes.set(draft.shard, { config, version });
    this.controller.step({ type: 'written', written: { config, version } });
  }

  config(shard: number): ShardConfig {
    return this.znodes.get(shard as ShardId)!.config;
  }

  primaries(): Map<MemberId, number> {
    const counts = new Map<MemberId, number>();
    for (const { config } of this.znodes.values()) {
      counts.set(config.primary, (counts.get(config.primary) ?? 0) + 1);
    }
    return counts;
  }
}

/** A shard on several nodes: all in sync, the first one its primary, unless said otherwise. */
export function sharedBy(
  shard: number,
  nodes: readonly Registration[],
  change: Partial<ShardConfig> = {},
): ShardConfig {
  return configOf(shard, nodes[0]!, {
    epoch: 4 as Epoch,
    isr: nodes.map(({ id }) => id),
    replicas: nodes.map(placeOf),
    leaseReleased: true,
    ...change,
  });
}
