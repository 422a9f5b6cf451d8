/**
 * Whether a healed cluster has become what it should be (L1, L2, L4, L5): one leader, every shard
 * served under a lease with all its replicas in sync, these with the same log, and no data of any
 * on its way.
 */
import type { ShardConfig } from '../../../src/model/shard-config.js';
import type { ShardReplica } from '../../../src/replication/shard-replica.js';
import type { ClusterPlan } from './plan.js';
import type { Life, PortolanCluster } from './portolan-cluster.js';

/** What is missing, in words; undefined if nothing is. */
export function whatIsMissing(
  cluster: PortolanCluster,
  configs: readonly (ShardConfig | undefined)[],
  { replicas }: ClusterPlan,
): string | undefined {
  const lives = [...cluster.lives];
  const away = lives.find(({ process, role }) => {
    return process.isDead || process.isPaused || role === undefined;
  });
  if (away !== undefined) return `${away.process.name} is not there`;
  const leaders = lives.filter(({ router }) => router?.counters.isLeading);
  if (leaders.length !== 1) return `L4: ${leaders.length} routers lead`;
  const open = [...cluster.disks].reduce((sum, disk) => sum + disk.openSnapshots, 0);
  if (open > 0) return `L5: ${open} snapshots are open`;
  for (const [shard, config] of configs.entries()) {
    const problem =
      config === undefined
        ? 'L1: it was never placed'
        : (whatShardMisses(lives, config, replicas) ?? whereLogsDiffer(lives, config));
    if (problem !== undefined) return `shard ${shard}: ${problem}`;
  }
  return undefined;
}

function whatShardMisses(
  lives: readonly Life[],
  config: ShardConfig,
  replicas: number,
): string | undefined {
  const { state, isr, learners, primary, epoch } = config;
  const life = lives.find(({ process }) => process.name === primary);
  const leading = life && replicaOf(life, config)?.primary;
  if (life === undefined || leading?.epoch !== epoch || !leading.isServing) {
    return `L1: ${primary} does not serve in epoch ${epoch}`;
  }
  if (life.process.clock.now() >= leading.leaseUntil) return `L1: ${primary} has no lease`;
  if (state !== 'active') return `L1: it is ${state}`;
  if (isr.length === replicas && learners.length === 0) return undefined;
  return `L2: ${isr.join()} are in sync, ${learners.join()} learn`;
}

function whereLogsDiffer(lives: readonly Life[], config: ShardConfig): string | undefined {
  const logs = config.isr.map((node) => {
    const life = lives.find(({ process }) => process.name === node);
    const replica = life && replicaOf(life, config);
    if (replica === undefined) return `${node} has none`;
    const { log, commitSeq, durableSeq } = replica.body;
    const { seq, chain } = log.last;
    return [seq, chain, log.appliedSeq, commitSeq, durableSeq].join(' ');
  });
  const isSame = new Set(logs).size === 1;
  const isAllApplied = /^(\d+) \S+ \1 \1 \1$/.test(logs[0] ?? '');
  return isSame && isAllApplied ? undefined : `L2: logs are ${logs.join(', ')}`;
}

function replicaOf({ storage }: Life, { shardUuid }: ShardConfig): ShardReplica | undefined {
  return [...(storage?.replicas() ?? [])].find(({ body }) => body.shardUuid === shardUuid);
}
