/** Whether a shard can do without what one node holds of it: what no fault may take from it. */
import type { MemberId } from '../../../src/model/ids.js';
import { type ReplicaPlace, replicaOn, type ShardConfig } from '../../../src/model/shard-config.js';
import { livesOn } from './disk-records.js';
import type { PortolanCluster } from './portolan-cluster.js';

/** Others are in sync, run and are sound: two of them, if there are as many. */
export function isElsewhere(cluster: PortolanCluster, config: ShardConfig, name: string): boolean {
  const { state, isr } = config;
  const others = isr.filter((node) => node !== name && isSound(cluster, config, node));
  return state === 'active' && others.length >= Math.max(1, Math.min(2, isr.length - 1));
}

/** Whether a node has the disk that a configuration counts on, not one from before that. */
export function hasItsDisk(cluster: PortolanCluster, { node, process }: ReplicaPlace): boolean {
  const disk = cluster.diskOf(node);
  if (disk === undefined) return false;
  return disk.restores === 0 || livesOn(disk).includes(process);
}

/**
 * As its node sees it, which may know of damage that is not there any more, but takes itself for in
 * sync with a disk that was set back, until its leader has seen that.
 */
function isSound(cluster: PortolanCluster, config: ShardConfig, node: MemberId): boolean {
  const { process, storage } = cluster.lifeOf(node);
  if (process.isDead || process.isPaused) return false;
  const place = replicaOn(config, node);
  if (place === undefined || !hasItsDisk(cluster, place)) return false;
  const replicas = [...(storage?.replicas() ?? [])];
  return replicas.some(({ body, problem }) => {
    return body.shardUuid === config.shardUuid && body.exists && problem === undefined;
  });
}
