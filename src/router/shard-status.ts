/** The shards as a router tells an operator of them. */
import { type Unreachable, whyUnserved } from '../control/shard-health.js';
import type { DamagedNotice, LearnerProgress } from '../model/member-messages.js';
import type { ShardConfig } from '../model/shard-config.js';
import type { DamagedStatus, LearningStatus, ShardStatus } from '../model/status.js';
import type { MapHolder } from './map-holder.js';

/** By id; those that were never placed are missing. */
export function shardStatuses(
  { map, learners, damaged }: MapHolder,
  unreachable: Unreachable,
): readonly ShardStatus[] {
  return [...map.shards.values()]
    .map(({ config }) => config)
    .sort((left, right) => left.shard - right.shard)
    .map((config) => {
      const { shard, slots, epoch, primary, isr, state, replicas } = config;
      const served = whyUnserved(map, config, unreachable) === undefined;
      const away = replicas.map(({ node }) => node).filter((node) => !map.nodes.has(node));
      const learning = learningOf(config, learners);
      return {
        ...{ id: shard, slots, epoch, primary, isr, learners: config.learners },
        ...{ state, served, away, learning },
        damaged: damagedOf(config, damaged),
      };
    });
}

function damagedOf(
  { shard, replicas }: ShardConfig,
  told: readonly DamagedNotice[],
): readonly DamagedStatus[] {
  return told
    .filter((notice) => notice.shard === shard)
    .filter(({ node }) => replicas.some((place) => place.node === node))
    .map(({ node, problem }) => ({ node, problem }));
}

/** What was said before the shard changed says nothing of it now. */
function learningOf(
  { shard, epoch, learners }: ShardConfig,
  told: readonly LearnerProgress[],
): readonly LearningStatus[] {
  return told
    .filter((learner) => learner.shard === shard && learner.epoch === epoch)
    .filter(({ node }) => learners.includes(node))
    .map(({ node, by, done, total, forMs }) => ({ node, by, done, total, forMs }));
}
