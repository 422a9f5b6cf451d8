/** A router in office over a coordination service in memory: the test is everybody else. */
import { encodeLeaderRecord, NO_LEADER_YET } from '../../src/model/leader-record.js';
import type { Incarnation, LeaderEpoch, MemberId, ShardId } from '../../src/model/ids.js';
import type { MemberMessage, ReplicaEntry } from '../../src/model/member-messages.js';
import { encodeCompletePlacement } from '../../src/model/placement-record.js';
import {
  encodeCandidateRecord,
  encodeNodeRecord,
  type Registration,
} from '../../src/model/registrations.js';
import { decodeShardConfig, encodeShardConfig } from '../../src/model/shard-config.js';
import type { ShardConfig, VersionedConfig } from '../../src/model/shard-config.js';
import { candidateZnode, nodeZnode, shardZnode, ZNODES } from '../../src/model/znodes.js';
import type { MultiOp } from '../../src/ports/coordinator.js';
import { Leadership } from '../../src/router/leadership.js';
import { MapHolder } from '../../src/router/map-holder.js';
import { RouterCounters } from '../../src/router/metrics.js';
import { clusterOf, configOf, nodeOf, reportOf } from './configs.js';
import { nothing, ok } from './coordinator-checks.js';
import { FakeClock } from './fake-clock.js';
import { FollowDialer, type FollowStream } from './follow-dialer.js';
import { MemoryService, type MemorySession } from './memory-coordinator.js';
import { CountingRandom, MemoryLog, settle } from './storage-harness.js';

/** Of {@link clusterOf}. */
const SHARDS = 6;

interface OfficeOptions {
  readonly shards?: number;
  readonly initialStorage?: number;
  readonly replicas?: number;
  /** What this leader takes the version of `/leader/epoch` to be; the true one otherwise. */
  readonly fenceVersion?: number;
  /** When its connection to ZooKeeper was made; long ago otherwise. */
  readonly connectedAt?: number;
  /** Whether it knew the map before that. */
  readonly hasMemory?: boolean;
}

/** The znodes of a cluster, and the hand that changes them from outside. */
export class ClusterZnodes {
  readonly service = new MemoryService();
  /** Whoever else writes: nodes, other routers, the operator. */
  readonly other: MemorySession = this.service.connect('/c');

  /** As a router leaves it that has just taken the leaderEpoch, before any shard is made. */
  static async make(): Promise<ClusterZnodes> {
    const made = new ClusterZnodes();
    const { other } = made;
    for (const path of [ZNODES.election, ZNODES.leader, ZNODES.nodes, ZNODES.shards]) {
      ok(await other.create(path, nothing, 'persistent'));
    }
    const nobody = encodeLeaderRecord(NO_LEADER_YET);
    ok(await other.create(ZNODES.leaderEpoch, nobody, 'persistent'));
    for (let version = 0; version < 3; version++) await made.takeLeaderEpoch();
    return made;
  }

  /** Another router takes office. */
  async takeLeaderEpoch(): Promise<void> {
    const version = await this.versionOf(ZNODES.leaderEpoch);
    ok(await this.other.set(ZNODES.leaderEpoch, encodeLeaderRecord(NO_LEADER_YET), version));
  }

  async versionOf(path: string): Promise<number> {
    return ok(await this.other.read(path))!.stat.version;
  }

  /** Registers a node, in a new life if it is there already. */
  async register(id: string, life = 1, store = id): Promise<Registration> {
    const record = nodeOf(id, life, store);
    const path = nodeZnode(record.id);
    if (ok(await this.other.read(path)) !== undefined) await this.remove(path);
    ok(await this.other.create(path, encodeNodeRecord(record), 'ephemeral'));
    const { czxid } = ok(await this.other.read(path))!.stat;
    return { ...record, incarnation: czxid as Incarnation };
  }

  /** Makes a router stand for election; the name of its znode. */
  async stand(id: string): Promise<string> {
    const record = { id: id as MemberId, address: `${id}:7000`, admin: '' };
    const prefix = candidateZnode(`${id}-c_`);
    const data = encodeCandidateRecord(record);
    const path = ok(await this.other.create(prefix, data, 'ephemeral-sequential'));
    return path.slice(path.lastIndexOf('/') + 1);
  }

  async remove(path: string): Promise<void> {
    ok(await this.other.remove(path, await this.versionOf(path)));
  }

  /** Creates or overwrites the znode of a shard, as another router would. */
  async put(config: ShardConfig): Promise<void> {
    const path = shardZnode(config.shard);
    const data = encodeShardConfig(config);
    if (ok(await this.other.read(path)) === undefined) {
      ok(await this.other.create(path, data, 'persistent'));
    } else ok(await this.other.set(path, data, await this.versionOf(path)));
  }

  /** Puts every shard on this node, active unless said otherwise. */
  async place(node: Registration, change: Partial<ShardConfig> = {}): Promise<ShardConfig[]> {
    const configs = Array.from({ length: SHARDS }, (_, shard) => configOf(shard, node, change));
    for (const config of configs) await this.put(config);
    return configs;
  }

  /** Registers a node on which every shard is active. */
  async activeOn(id: string) {
    const node = await this.register(id);
    const configs = await this.place(node);
    await this.completePlacement();
    return { node, configs };
  }

  async completePlacement(): Promise<void> {
    const version = await this.versionOf(ZNODES.shards);
    ok(await this.other.set(ZNODES.shards, encodeCompletePlacement('by hand'), version));
  }

  /** Data of `/shards` itself. */
  async placement(): Promise<string> {
    return ok(await this.other.read(ZNODES.shards))!.data.toString();
  }

  async stored(shard: number): Promise<VersionedConfig | undefined> {
    const znode = ok(await this.other.read(shardZnode(shard as ShardId)));
    if (znode === undefined) return undefined;
    const config = decodeShardConfig(shard as ShardId, znode.data);
    return { config, version: znode.stat.version };
  }

  /** The shards that have a znode, in order. */
  async shards(): Promise<number[]> {
    const names = ok(await this.other.children(ZNODES.shards))!;
    return names.map(Number).sort((a, b) => a - b);
  }
}

/** More than any test needs. */
const MULTIS_MAX = 100;
const LONG_AGO_MS = 1e6;

export class LeaderUnderTest {
  readonly cluster: ClusterZnodes;
  readonly session: MemorySession;
  readonly clock = new FakeClock();
  readonly log = new MemoryLog();
  readonly dialer = new FollowDialer();
  readonly map = new MapHolder();
  readonly counters = new RouterCounters();
  /** Every multi that was sent, in order. */
  readonly multis: (readonly MultiOp[])[] = [];
  readonly over: string[] = [];
  readonly heard: number[] = [];
  trusts = false;
  readonly leaderEpoch = 7 as LeaderEpoch;
  readonly fenceVersion: number;
  readonly candidate: string;
  readonly leadership: Leadership;
  /** Registered nodes that answer nothing. */
  readonly mute = new Set<string>();
  /** Those that do not say what they hold before the test has them say it. */
  readonly reticent = new Set<string>();

  private constructor(cluster: ClusterZnodes, candidate: string, options: Required<OfficeOptions>) {
    this.cluster = cluster;
    this.candidate = candidate;
    this.fenceVersion = options.fenceVersion;
    this.session = cluster.service.connect('/c');
    const send = this.session.multi.bind(this.session);
    this.session.multi = (ops) => {
      this.multis.push(ops);
      // One that writes for ever is to fail its test, not to keep it from ending.
      return this.multis.length > MULTIS_MAX ? new Promise(() => undefined) : send(ops);
    };
    const { clock, log, dialer, map } = this;
    const nodeAt = (address: string) => {
      return [...map.map.nodes.values()].find((known) => known.address === address);
    };
    dialer.processAt = (address) => {
      const node = nodeAt(address);
      return node && !this.mute.has(node.id) ? node.process : undefined;
    };
    dialer.holdsNothing = (address) => {
      const node = nodeAt(address);
      return node !== undefined && !this.mute.has(node.id) && !this.reticent.has(node.id);
    };
    const self = 'r1' as MemberId;
    const random = new CountingRandom();
    const { shards, initialStorage, replicas } = options;
    const { counters } = this;
    const deps = { self, clock, random, log, dialer, map, counters };
    this.leadership = new Leadership(deps, this.session, {
      fence: { leaderEpoch: this.leaderEpoch, version: this.fenceVersion },
      candidate,
      connectedAt: options.connectedAt,
      hasMemory: options.hasMemory,
      trusted: () => (this.trusts = true),
      cluster: clusterOf({ shards, initialStorage, replicas }),
      over: (why) => {
        this.over.push(why);
        this.leadership.stop();
      },
      heard: (leaderEpoch) => {
        this.heard.push(leaderEpoch);
        if (leaderEpoch > this.leaderEpoch) this.leadership.stop();
      },
    });
  }

  /** Leads, and has seen everything that was there. */
  static async start(
    cluster: ClusterZnodes,
    options: OfficeOptions = {},
    before: (leader: LeaderUnderTest) => void = () => undefined,
  ): Promise<LeaderUnderTest> {
    const candidate = await cluster.stand('r1');
    const fenceVersion = await cluster.versionOf(ZNODES.leaderEpoch);
    const connectedAt = -LONG_AGO_MS;
    const office = { fenceVersion, connectedAt, hasMemory: false };
    const defaults = { shards: SHARDS, initialStorage: 1, replicas: 1, ...office };
    const leader = new LeaderUnderTest(cluster, candidate, { ...defaults, ...options });
    leader.map.setShardCount(options.shards ?? SHARDS);
    before(leader);
    leader.leadership.start();
    await settle();
    return leader;
  }

  /** Lets time pass, and then everything happen that needs none. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await settle();
  }

  /** The stream to a member that is open now. */
  streamTo(address: string): FollowStream {
    const open = this.dialer.openTo(address);
    if (open.length !== 1) throw new Error(`${open.length} streams to ${address}`);
    return open[0]!;
  }

  /** A node says which of these shards it holds. */
  async report(node: Registration, configs: readonly ShardConfig[]): Promise<void> {
    const replicas: ReplicaEntry[] = configs.map(reportOf);
    await this.hear(node, { type: 'replicas', replicas });
  }

  /** A process greets the leader on the stream to its node. */
  greet({ id, address, process }: Registration): void {
    const { leaderEpoch } = this;
    this.streamTo(address).events.message({ type: 'hello', id, process, leaderEpoch });
  }

  /** A node says something, and the leader decides on it. */
  async hear({ address }: Registration, ...said: MemberMessage[]): Promise<void> {
    for (const message of said) this.streamTo(address).events.message(message);
    await this.pass(0);
  }

  /** Of each multi, the paths it changes. */
  changes(): string[][] {
    return this.multis.map((ops) => {
      return ops.flatMap(({ type, path }) => (type === 'check' ? [] : [path]));
    });
  }
}
