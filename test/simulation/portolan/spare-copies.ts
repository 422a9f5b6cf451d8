/** Whether a shard can do without what one node holds of it: what no fault may take from it. */
import type { ShardConfig } from '../../../src/model/shard-config.js';
import type { PortolanCluster } from './portolan-cluster.js';

/** Others are in sync and run: two of them, if there are as many. */
export function isElsewhere(
  cluster: PortolanCluster,
  { state, isr }: ShardConfig,
  name: string,
): boolean {
  const others = isr.filter((node) => {
    const process = cluster.processOf(node);
    return node !== name && !process.isDead && !process.isPaused;
  });
  return state === 'active' && others.length >= Math.max(1, Math.min(2, isr.length - 1));
}
