/**
 * How the shard map is made again from what storage nodes hold, when ZooKeeper has lost it.
 *
 * Pure, and no part of what a leader does: an operator asks for it, sees it, and confirms it. Two
 * sources, the first that there is for each shard:
 *   1. A configuration that some running node still knows. Nobody can have changed it since: that
 *      takes ZooKeeper. The newest is taken as it is, in an epoch above all ever promised.
 *   2. The replicas alone. Those whose logs end last hold every committed write, if one of the last
 *      isr is among them: an entry that is committed is in the log of each member, and a log that
 *      ends in a later epoch, or later in the same one, contains it (KIP-966's rule for a cluster
 *      that lost its controller). With fewer replicas than there should be, one may be missing.
 *
 * Upholds S1, every epoch is above all that any replica has promised; S6 and S19, a shard whose
 * in-sync replicas are away waits for them, unless the operator accepts the loss.
 */
import type { ClusterConfig } from '../model/cluster-config.js';
import type { Epoch, Incarnation, LeaderEpoch, ShardId, Uuid } from '../model/ids.js';
import type { HeldReplica, Inventory } from '../model/inspection.js';
import type { ReplicaPlace, ShardConfig } from '../model/shard-config.js';
import { slotRangeOf } from '../model/slot.js';

/** A configuration to write, but for its leader and nonce. */
export type PlannedConfig = Omit<ShardConfig, 'leaderEpoch' | 'nonce'>;

export interface PlannedShard {
  readonly shard: ShardId;
  readonly source: 'configuration' | 'replicas' | 'nothing';
  /** Undefined: its znode stays missing, and nobody serves it. */
  readonly config: PlannedConfig | undefined;
  /** What the operator has to know before: empty if all is well. */
  readonly doubt: string;
  /** Whether acknowledged writes may be missing if it is done like this. */
  readonly mayLose: boolean;
}

export interface RecoveryPlan {
  readonly cluster: ClusterConfig;
  /** Highest that anybody has heard of. */
  readonly leaderEpoch: LeaderEpoch;
  readonly shards: readonly PlannedShard[];
}

export interface RecoveryWish {
  /** If no node knows it any more. */
  readonly cluster?: Omit<ClusterConfig, 'clusterUuid'>;
  /** Serve what there is of a shard whose in-sync replicas do not answer. */
  readonly acceptsLoss: boolean;
}

/** There is no plan, and why: for the operator. */
export class NoPlanError extends Error {
  constructor(problem: string) {
    super(problem);
    this.name = 'NoPlanError';
  }
}

/** Of a registration that is not there any more: none is like it. */
const NO_INCARNATION = 0 as Incarnation;

/** @throws NoPlanError */
export function planRecovery(inventories: readonly Inventory[], wish: RecoveryWish): RecoveryPlan {
  const cluster = clusterOf(inventories, wish);
  const epochs = inventories.flatMap(({ leaderEpoch, configs }) => [
    leaderEpoch,
    ...configs.map(({ config }) => config.leaderEpoch),
  ]);
  const shards = Array.from({ length: cluster.shards }, (_, id) => {
    return planShard(id as ShardId, cluster, inventories, wish.acceptsLoss);
  });
  return { cluster, leaderEpoch: Math.max(0, ...epochs) as LeaderEpoch, shards };
}

function clusterOf(inventories: readonly Inventory[], wish: RecoveryWish): ClusterConfig {
  const named = inventories.filter(({ clusterUuid }) => clusterUuid !== null);
  const uuids = new Set(named.map(({ clusterUuid }) => clusterUuid));
  const [clusterUuid] = uuids;
  if (clusterUuid === undefined || clusterUuid === null) {
    throw new NoPlanError('none of these nodes has ever been in a cluster');
  }
  if (uuids.size > 1) {
    const each = named.map(({ node, clusterUuid: uuid }) => `${node} in ${uuid}`);
    throw new NoPlanError(`these nodes are of different clusters: ${each.join(', ')}`);
  }
  const known = inventories.find(({ cluster }) => cluster !== undefined)?.cluster;
  if (known !== undefined) return known;
  if (wish.cluster !== undefined) return { clusterUuid, ...wish.cluster };
  throw new NoPlanError(
    'all of these nodes were started again since, and know nothing of the cluster but their ' +
      'data: say what it was with --shards, --replicas and --min-isr',
  );
}

/** A replica, and the node that holds it. */
interface Copy {
  readonly node: Inventory;
  readonly held: HeldReplica;
}

function planShard(
  shard: ShardId,
  cluster: ClusterConfig,
  inventories: readonly Inventory[],
  acceptsLoss: boolean,
): PlannedShard {
  const known = inventories
    .flatMap(({ configs }) => configs)
    .filter(({ config }) => config.shard === shard)
    .sort((left, right) => {
      return right.config.epoch - left.config.epoch || right.version - left.version;
    });
  const all = inventories.flatMap((node) =>
    node.replicas.filter((held) => held.shard === shard).map((held): Copy => ({ node, held })),
  );
  const [newest] = known;
  const shardUuid = newest?.config.shardUuid ?? uuidOf(all);
  const copies = all.filter(({ held }) => held.shardUuid === shardUuid);
  const used = [...known.map(({ config }) => config.epoch), ...copies.map((c) => c.held.epoch)];
  const epoch = (Math.max(0, ...used) + 1) as Epoch;
  if (newest !== undefined) return asConfigured(newest.config, epoch, copies, acceptsLoss);
  if (shardUuid !== undefined) return asHeld(shard, shardUuid, epoch, { copies, cluster });
  const doubt = 'no node knows or holds it: its znode stays missing, and it is not served';
  return { shard, source: 'nothing', config: undefined, doubt, mayLose: true };
}

/** Which shard it is that has this number: the one that was written to in the latest epoch. */
function uuidOf(copies: readonly Copy[]): Uuid | undefined {
  return latestFirst(copies)[0]?.held.shardUuid;
}

function asConfigured(
  config: ShardConfig,
  epoch: Epoch,
  copies: readonly Copy[],
  acceptsLoss: boolean,
): PlannedShard {
  const { shard, isr, primary } = config;
  const replicas = config.replicas.map((place) => ({ ...place, incarnation: NO_INCARNATION }));
  const planned: PlannedConfig = { ...config, replicas, epoch, leaseReleased: false };
  const source = 'configuration';
  const answering = latestFirst(copies).filter(({ node, held }) => {
    const place = config.replicas.find((one) => one.node === node.node);
    return place?.store === node.store && held.problem === undefined;
  });
  const inSync = answering.filter(({ node }) => isr.includes(node.node));
  const next = inSync.find(({ node }) => node.node === primary) ?? inSync[0];
  if (next !== undefined) {
    const to = next.node.node;
    const doubt = to === primary ? '' : `primary ${primary} does not answer: ${to} takes over`;
    return { shard, source, config: { ...planned, primary: to }, doubt, mayLose: false };
  }
  const away = `none of its in-sync replicas (${isr.join(', ')}) answers with sound data`;
  const [best] = answering;
  if (!acceptsLoss || best === undefined) {
    return { shard, source, config: planned, doubt: `${away}: it waits for them`, mayLose: false };
  }
  const to = best.node.node;
  const learners = config.replicas.map(({ node }) => node).filter((node) => node !== to);
  const lost = { ...planned, primary: to, isr: [to], learners };
  const doubt = `${away}: ${to} serves what it has, up to ${best.held.lastSeq}`;
  return { shard, source, config: lost, doubt, mayLose: true };
}

function asHeld(
  shard: ShardId,
  shardUuid: Uuid,
  epoch: Epoch,
  { copies, cluster }: { readonly copies: readonly Copy[]; readonly cluster: ClusterConfig },
): PlannedShard {
  const source = 'replicas';
  const sound = latestFirst(copies).filter(({ held }) => held.problem === undefined);
  const [best] = sound;
  if (best === undefined) {
    const doubt = 'all replicas that answer are damaged: its znode stays missing';
    return { shard, source, config: undefined, doubt, mayLose: true };
  }
  const isLatest = ({ held }: Copy) => {
    return held.lastEpoch === best.held.lastEpoch && held.lastSeq === best.held.lastSeq;
  };
  const isr = sound.filter(isLatest).map(({ node }) => node.node);
  const places = copies.map(placeOf);
  const missing = cluster.replicas - sound.length;
  const config: PlannedConfig = {
    shard,
    slots: slotRangeOf(shard, cluster.shards),
    shardUuid,
    state: 'active',
    epoch,
    primary: best.node.node,
    isr,
    learners: places.map(({ node }) => node).filter((node) => !isr.includes(node)),
    replicas: places,
    leaseReleased: false,
    pending: null,
  };
  const doubt =
    missing > 0
      ? `${missing} of its ${cluster.replicas} replicas do not answer with sound data: if all ` +
        'that were in sync are among them, acknowledged writes are missing'
      : '';
  return { shard, source, config, doubt, mayLose: missing > 0 };
}

/** In its present life, which is another one to the leader that reads it. */
function placeOf({ node: { node, store, process, generation } }: Copy): ReplicaPlace {
  return { node, store, incarnation: NO_INCARNATION, process, generation };
}

/** Whose log ends last comes first; ties by name. */
function latestFirst(copies: readonly Copy[]): readonly Copy[] {
  return [...copies].sort((left, right) => {
    return (
      right.held.lastEpoch - left.held.lastEpoch ||
      right.held.lastSeq - left.held.lastSeq ||
      (left.node.node < right.node.node ? -1 : 1)
    );
  });
}
