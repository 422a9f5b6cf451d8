/**
 * Writes a cluster into a ZooKeeper that has lost it. May be interrupted and done again: `/cluster`
 * comes last, with the mark that the placement is complete, and before it is there nobody reads or
 * changes anything of it. A cluster that is there is never touched (S19).
 */
import { type ClusterConfig, encodeClusterConfig } from '../model/cluster-config.js';
import type { LeaderEpoch } from '../model/ids.js';
import { encodeLeaderRecord, NO_LEADER_YET } from '../model/leader-record.js';
import { encodeCompletePlacement } from '../model/placement-record.js';
import { encodeShardConfig, type ShardConfig } from '../model/shard-config.js';
import { shardZnode, ZNODES } from '../model/znodes.js';
import type { CoordinatorSession, MultiOp, Outcome } from '../ports/coordinator.js';
import { writeOnce } from './compare-and-set.js';
import { makeLayout, readCluster } from './cluster-layout.js';

/** Znodes written in one multi: well under the size bound of a request (rule Z8). */
const WRITES_PER_MULTI = 64;

export interface Rebuilt {
  readonly cluster: ClusterConfig;
  /** Highest one ever heard of: the next leader's is above it. */
  readonly leaderEpoch: LeaderEpoch;
  readonly configs: readonly ShardConfig[];
  readonly nonce: string;
}

/** ZooKeeper has a cluster of this name: there is nothing to rebuild. */
export class ClusterExistsError extends Error {
  constructor(cluster: ClusterConfig) {
    super(`ZooKeeper has this cluster (${cluster.clusterUuid}): it is not overwritten`);
    this.name = 'ClusterExistsError';
  }
}

/**
 * Anything but `ok`: do it again, nothing is lost.
 *
 * @throws ClusterExistsError, BadRecordError if `/cluster` holds something else.
 */
export async function rebuildCluster(
  session: CoordinatorSession,
  { cluster, leaderEpoch, configs, nonce }: Rebuilt,
): Promise<Outcome<void>> {
  const found = await readCluster(session);
  if (found.status !== 'ok') return found;
  if (found.value !== undefined) throw new ClusterExistsError(found.value);
  const made = await makeLayout(session);
  if (made.status !== 'ok') return made;
  const leader = encodeLeaderRecord({ ...NO_LEADER_YET, leaderEpoch, nonce });
  const writes = [
    [ZNODES.leaderEpoch, leader] as const,
    ...configs.map((config) => [shardZnode(config.shard), encodeShardConfig(config)] as const),
  ];
  for (let at = 0; at < writes.length; at += WRITES_PER_MULTI) {
    const written = await putAll(session, writes.slice(at, at + WRITES_PER_MULTI));
    if (written.status !== 'ok') return written;
  }
  return putAll(session, [
    [ZNODES.shards, encodeCompletePlacement(nonce)],
    [ZNODES.cluster, encodeClusterConfig(cluster)],
  ]);
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
    ops.push(
      read.value === undefined
        ? { type: 'create', path, data, mode: 'persistent' }
        : { type: 'set', path, data, version: read.value.stat.version },
    );
  }
  return writeOnce(session, ops);
}
