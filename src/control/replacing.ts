/**
 * What becomes of replicas that were replaced: rule 11 of `controller.ts`. That they are replaced
 * follows from rule 9, which does not count the replicas of nodes that are gone for long.
 */
import type { ShardConfig } from '../model/shard-config.js';
import { type Decision, revised } from './draft.js';
import { eligibleFor } from './failover.js';
import type { ClusterView } from './view.js';

/**
 * Rule 11: learners that are not needed are forgotten. None of the isr: each of its members holds
 * every committed write and may be the last that comes back; and no learner while one of them is
 * away or damaged, because its data may be wanted yet. A primary that has asked for the learner
 * meanwhile asked on top of a configuration that is over (S7).
 */
export function forgotten(config: ShardConfig, view: ClusterView): Decision | undefined {
  const { isr, learners, replicas } = config;
  if (learners.length === 0 || isr.length < view.cluster.replicas) return undefined;
  // Alive and sound, each of them.
  if (eligibleFor(config, view).length < isr.length) return undefined;
  const inSync = replicas.filter(({ node }) => isr.includes(node));
  return revised(config, 'forget', { learners: [], replicas: inSync });
}
