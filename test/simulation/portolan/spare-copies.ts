/** Whether a shard can do without what one node holds of it: what no fault may take from it. */
import type { ShardConfig } from '../../../src/model/shard-config.js';
import type { PortolanCluster } from './portolan-cluster.js';

/** Others are in sync, run and are sound: two of them, if there are as many. */
export function isElsewhere(cluster: PortolanCluster, config: ShardConfig, name: string): boolean {
  const { state, isr } = config;
  const others = isr.filter((node) => node !== name && isSound(cluster, config, node));
  return state === 'active' && others.length >= Math.max(1, Math.min(2, isr.length - 1));
}

/** As its node sees it, which may know of damage that is not there any more. */
function isSound(cluster: PortolanCluster, { shardUuid }: ShardConfig, node: string): boolean {
  const { process, storage } = cluster.lifeOf(node);
  if (process.isDead || process.isPaused) return false;
  const replicas = [...(storage?.replicas() ?? [])];
  return replicas.some(({ body, problem }) => {
    return body.shardUuid === shardUuid && body.exists && problem === undefined;
  });
}
