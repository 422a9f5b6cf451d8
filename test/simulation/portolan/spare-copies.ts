/** Whether a shard can do without what one node holds of it: what no fault may take from it. */
import type { MemberId } from '../../../src/model/ids.js';
import { replicaOn, type ShardConfig } from '../../../src/model/shard-config.js';
import type { PortolanCluster } from './portolan-cluster.js';

/** Others are in sync, run and are sound: two of them, if there are as many. */
export function isElsewhere(cluster: PortolanCluster, config: ShardConfig, name: string): boolean {
  const { state, isr } = config;
  const others = isr.filter((node) => node !== name && isSound(cluster, config, node));
  return state === 'active' && others.length >= Math.max(1, Math.min(2, isr.length - 1));
}

/**
 * As its node sees it, which may know of damage that is not there any more. A disk that was set back
 * is not what the isr counts on, although it takes itself for that until its leader has seen it.
 */
function isSound(cluster: PortolanCluster, config: ShardConfig, node: MemberId): boolean {
  const { process, storage } = cluster.lifeOf(node);
  if (process.isDead || process.isPaused) return false;
  const place = replicaOn(config, node);
  if (place === undefined || !cluster.isOfPresentDisk(place)) return false;
  const replicas = [...(storage?.replicas() ?? [])];
  return replicas.some(({ body, problem }) => {
    return body.shardUuid === config.shardUuid && body.exists && problem === undefined;
  });
}
