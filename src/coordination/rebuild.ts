/**
 * Writes a cluster into a ZooKeeper that has lost it, or the shards of which it knows less than the
 * nodes do, because it was set back. May be interrupted and done again: `/cluster` comes last, with
 * the mark that the placement is complete, and before it is there nobody reads or changes anything
 * of it. What ZooKeeper knows as well as the nodes is never touched (S19).
 */
import { type ClusterConfig, encodeClusterConfig } from '../model/cluster-config.js';
import type { Epoch, LeaderEpoch, ShardId } from '../model/ids.js';
import { encodeLeaderRecord, NO_LEADER_YET } from '../model/leader-record.js';
import { encodeCompletePlacement } from '../model/placement-record.js';
import { BadRecordError } from '../model/records.js';
import { decodeShardConfig, encodeShardConfig, type ShardConfig } from '../model/shard-config.js';
import { shardZnode, ZNODES } from '../model/znodes.js';
import type { CoordinatorSession, MultiOp, Outcome } from '../ports/coordinator.js';
import { makeLayout, readCluster } from './cluster-layout.js';
import { writeOnce } from './compare-and-set.js';

/** Znodes written in one multi: well under the size bound of a request (rule Z8). */
const WRITES_PER_MULTI = 64;

export interface RebuiltShard {
  readonly config: ShardConfig;
  /** A znode with this epoch or a later one is left as it is. */
  readonly used: Epoch;
}

export interface Rebuilt {
  readonly cluster: ClusterConfig;
  /** Highest one ever heard of: the next leader's is above it. */
  readonly leaderEpoch: LeaderEpoch;
  readonly shards: readonly RebuiltShard[];
  readonly nonce: string;
}

/** ZooKeeper has another cluster of this name. */
export class ClusterExistsError extends Error {
  constructor({ clusterUuid }: ClusterConfig) {
    super(`ZooKeeper has another cluster of this name (${clusterUuid}): it is not overwritten`);
    this.name = 'ClusterExistsError';
  }
}

/**
 * Epochs of the shards as ZooKeeper knows them, undefined = not to be read; undefined if it has no
 * cluster at all.
 *
 * @throws ClusterExistsError if it has another one, BadRecordError if `/cluster` holds something
 *   else.
 */
export async function readEpochs(
  session: CoordinatorSession,
  cluster: ClusterConfig,
): Promise<Outcome<ReadonlyMap<ShardId, Epoch | undefined> | undefined>> {
  const found = await readCluster(session);
  if (found.status !== 'ok') return found;
  if (found.value === undefined) return { status: 'ok', value: undefined };
  if (found.value.clusterUuid !== cluster.clusterUuid) throw new ClusterExistsError(found.value);
  const epochs = new Map<ShardId, Epoch | undefined>();
  for (let id = 0; id < cluster.shards; id++) {
    const shard = id as ShardId;
    const read = await session.read(shardZnode(shard));
    if (read.status !== 'ok') return read;
    epochs.set(shard, read.value && epochIn(shard, read.value.data));
  }
  return { status: 'ok', value: epochs };
}

/**
 * Anything but `ok`: do it again, nothing is lost.
 *
 * @throws ClusterExistsError if there is another cluster of this name, BadRecordError if `/cluster`
 *   holds something else.
 */
export async function rebuildCluster(
  session: CoordinatorSession,
  { cluster, leaderEpoch, shards, nonce }: Rebuilt,
): Promise<Outcome<void>> {
  const found = await readCluster(session);
  if (found.status !== 'ok') return found;
  if (found.value !== undefined) {
    if (found.value.clusterUuid !== cluster.clusterUuid) throw new ClusterExistsError(found.value);
    return inParts(shards, (part) => settle(session, part));
  }
  const made = await makeLayout(session);
  if (made.status !== 'ok') return made;
  const leader = encodeLeaderRecord({ ...NO_LEADER_YET, leaderEpoch, nonce });
  const writes = [
    [ZNODES.leaderEpoch, leader] as const,
    ...shards.map(({ config }) => [shardZnode(config.shard), encodeShardConfig(config)] as const),
  ];
  const written = await inParts(writes, (part) => putAll(session, part));
  if (written.status !== 'ok') return written;
  return putAll(session, [
    [ZNODES.shards, encodeCompletePlacement(nonce)],
    [ZNODES.cluster, encodeClusterConfig(cluster)],
  ]);
}

/** Until the first that does not succeed. */
async function inParts<T>(
  all: readonly T[],
  write: (part: readonly T[]) => Promise<Outcome<void>>,
): Promise<Outcome<void>> {
  for (let at = 0; at < all.length; at += WRITES_PER_MULTI) {
    const written = await write(all.slice(at, at + WRITES_PER_MULTI));
    if (written.status !== 'ok') return written;
  }
  return { status: 'ok', value: undefined };
}

/** Beside a leader, which leaves outdated shards alone; one that changed one since is right. */
async function settle(
  session: CoordinatorSession,
  shards: readonly RebuiltShard[],
): Promise<Outcome<void>> {
  const ops: MultiOp[] = [];
  for (const { config, used } of shards) {
    const path = shardZnode(config.shard);
    const read = await session.read(path);
    if (read.status !== 'ok') return read;
    const epoch = read.value && epochIn(config.shard, read.value.data);
    if (epoch !== undefined && epoch >= used) continue;
    ops.push(putOp(path, encodeShardConfig(config), read.value?.stat.version));
  }
  return ops.length === 0 ? { status: 'ok', value: undefined } : writeOnce(session, ops);
}

/** All or none, over whatever an attempt before has left. */
async function putAll(
  session: CoordinatorSession,
  writes: readonly (readonly [path: string, data: Buffer])[],
): Promise<Outcome<void>> {
  const ops: MultiOp[] = [];
  for (const [path, data] of writes) {
    const read = await session.read(path);
    if (read.status !== 'ok') return read;
    ops.push(putOp(path, data, read.value?.stat.version));
  }
  return writeOnce(session, ops);
}

function putOp(path: string, data: Buffer, version: number | undefined): MultiOp {
  if (version === undefined) return { type: 'create', path, data, mode: 'persistent' };
  return { type: 'set', path, data, version };
}

function epochIn(shard: ShardId, data: Uint8Array): Epoch | undefined {
  try {
    return decodeShardConfig(shard, data).epoch;
  } catch (error) {
    if (!(error instanceof BadRecordError)) throw error;
    return undefined;
  }
}
