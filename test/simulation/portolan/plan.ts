/**
 * What a seed runs: the shape of its cluster, how its nodes are set up, its load, and which faults
 * befall it. All of it is drawn from the seed, so that rare combinations come up by themselves: a
 * short log, a small window and few nodes make situations common that take days in production.
 */
import { NODE_TUNING, type NodeTuning } from '../../../src/storage/replica-settings.js';
import { drawProfile, type FaultProfile } from '../fault-profile.js';
import type { Prng } from '../prng.js';
import type { NetworkSettings } from '../sim-network.js';
import { type FaultChances, NO_FAULTS } from '../sim-zookeeper-options.js';
import type { RangeMs } from '../sim-zookeeper-pipe.js';

export interface LoadPlan {
  readonly clients: number;
  readonly keys: number;
  /** Between two operations of a client, on average. */
  readonly thinkMs: number;
  /** Share of gets, of deletes, and of writes that have a condition. */
  readonly gets: number;
  readonly deletes: number;
  readonly conditions: number;
  /** Share of operations that go to a storage node directly. */
  readonly direct: number;
  /** At least so long is every value. */
  readonly valueBytes: number;
}

export interface ZooKeeperPlan {
  readonly sessionTimeoutMs: number;
  readonly lagMs: RangeMs;
  /** Of each request, during the phase of faults. */
  readonly chances: FaultChances;
}

export interface ClusterPlan {
  readonly routers: number;
  readonly nodes: number;
  readonly shards: number;
  readonly replicas: number;
  readonly minIsr: number;
  readonly leaseMs: number;
  readonly tuning: NodeTuning;
}

export interface SeedPlan {
  readonly cluster: ClusterPlan;
  readonly load: LoadPlan;
  readonly zooKeeper: ZooKeeperPlan;
  readonly network: Partial<NetworkSettings>;
  readonly faults: FaultProfile;
  /** Of the phase of faults, in milliseconds of true time. */
  readonly faultsMs: number;
  /** A clock's rate stays within 1 +- this. */
  readonly driftMax: number;
}

/**
 * Two clocks that are off by this in opposite directions differ by less than the 2 % that leases
 * allow for (`replication/lease.ts`).
 */
const DRIFT_MAX = 0.0098;
const GAP_MS = { least: 300, most: 6_000 };
const LENGTH_MS = { least: 20, most: 4_000 };

/** A few of them are more than what an install sends at a time. */
const LARGE_VALUE_BYTES = 60_000;

/**
 * Members come back to a ZooKeeper that was set back when their sessions are over, and an operator
 * has to see what it does not know.
 */
const SET_BACK_TIMEOUTS = 2;
const SETTLED_MS = 6_000;
const SLOW_THINK_MS = 300;

export interface PlanOptions {
  readonly withFaults: boolean;
}

export function drawPlan(root: Prng, { withFaults }: PlanOptions): SeedPlan {
  const prng = root.fork('plan');
  const cluster = drawCluster(prng.fork('cluster'));
  const hasFaults = withFaults && !prng.chance(0.03);
  const faults = hasFaults
    ? drawProfile(prng, { gapMs: GAP_MS, lengthMs: LENGTH_MS })
    : { rates: {}, script: undefined };
  const isSetBack = faults.script?.name === 'coordination-set-back';
  const load = drawLoad(prng.fork('load'));
  const zooKeeper = drawZooKeeper(prng.fork('zookeeper'), hasFaults);
  const setBackMs = isSetBack ? SET_BACK_TIMEOUTS * zooKeeper.sessionTimeoutMs + SETTLED_MS : 0;
  return {
    cluster,
    // As much of it in all as others have.
    load: isSetBack ? { ...load, thinkMs: SLOW_THINK_MS } : load,
    zooKeeper,
    network: drawNetwork(prng.fork('network')),
    faults,
    faultsMs: prng.range(2_000, 6_000) + setBackMs,
    driftMax: hasFaults ? DRIFT_MAX : 0,
  };
}

function drawCluster(prng: Prng): ClusterPlan {
  const nodes = prng.chance(0.7) ? 3 : 4;
  const replicas = prng.pick([3, 3, 3, 3, 3, 3, 2, 2, 1]);
  return {
    routers: prng.chance(0.6) ? 2 : 3,
    nodes,
    shards: 1 + prng.int(3),
    replicas,
    minIsr: prng.chance(0.75) ? Math.min(2, replicas) : 1,
    leaseMs: prng.pick([300, 600, 600, 1_500]),
    tuning: drawTuning(prng),
  };
}

/** Some as they are, some so small that every bound is met. */
function drawTuning(prng: Prng): NodeTuning {
  const keepEntries = prng.pick([2, 8, 50, NODE_TUNING.keepEntries]);
  return {
    ...NODE_TUNING,
    windowEntries: prng.pick([1, 1, 2, 4]),
    catchUpEntries: prng.pick([2, 8, NODE_TUNING.catchUpEntries]),
    catchUpNodeEntries: prng.pick([1, 4, NODE_TUNING.catchUpNodeEntries]),
    keepEntries,
    tailEntries: prng.pick([0, 2, NODE_TUNING.tailEntries]),
    installsMax: keepEntries > 50 ? NODE_TUNING.installsMax : 1,
    keepBytes: keepEntries > 50 ? NODE_TUNING.keepBytes : keepEntries * 150,
    trimEntries: keepEntries > 50 ? NODE_TUNING.trimEntries : prng.pick([1, 4]),
    trimMax: keepEntries > 50 ? NODE_TUNING.trimMax : prng.pick([4, 16]),
    tailBytes: prng.pick([300, NODE_TUNING.tailBytes]),
    readBytesMax: prng.fork('reads').pick([0, 3_000, NODE_TUNING.readBytesMax]),
  };
}

function drawLoad(prng: Prng): LoadPlan {
  return {
    clients: 2 + prng.int(4),
    keys: 2 + prng.int(8),
    thinkMs: prng.pick([20, 60, 150]),
    gets: prng.range(0.2, 0.7),
    deletes: prng.range(0, 0.3),
    conditions: prng.range(0, 0.6),
    direct: prng.chance(0.3) ? 0.2 : 0,
    valueBytes: prng.chance(0.05) ? LARGE_VALUE_BYTES : 0,
  };
}

/** Now and then streams that take hardly anything at a time. */
function drawNetwork(prng: Prng): Partial<NetworkSettings> {
  return prng.chance(0.2) ? { unreadBytesMax: 300 } : {};
}

function drawZooKeeper(prng: Prng, hasFaults: boolean): ZooKeeperPlan {
  const chance = () => (prng.chance(0.5) ? 0 : 0.05 * prng.fraction() ** 3);
  const chances: FaultChances = {
    'not-connected': chance(),
    before: chance(),
    after: chance(),
    'stall-before': chance() / 4,
    'stall-after': chance() / 4,
  };
  return {
    sessionTimeoutMs: prng.pick([2_000, 4_000, 6_000]),
    lagMs: { min: 0, max: prng.pick([0, 5, 100, 1_000]) },
    chances: hasFaults && prng.chance(0.5) ? chances : NO_FAULTS,
  };
}
