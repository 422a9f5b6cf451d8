/**
 * The ZooKeeper layout of one cluster, below its root `/portolan/<cluster>`. These names are a
 * contract: an operator with `zkCli` sees who leads, which nodes live and where every shard is.
 */
import type { MemberId, ShardId } from './ids.js';

export const ZNODES = {
  /** Ephemeral sequential children `<guid>-c_<10 digits>`: one candidate router each. */
  election: '/election',
  /** Persistent: the leaderEpoch and who holds it. Every write of a leader checks its version. */
  leader: '/leader',
  leaderEpoch: '/leader/epoch',
  /** Ephemeral children named by node id: one registered storage node each. */
  nodes: '/nodes',
  /** Says whether all its children were created; these, named by shard id, are persistent. */
  shards: '/shards',
  /** Persistent: what never changes. */
  cluster: '/cluster',
  /** Persistent children: long-running work of the leader. */
  jobs: '/jobs',
} as const;

/** What follows the guid in a candidate's name; ZooKeeper appends ten digits. */
export const CANDIDATE_PREFIX = 'c_';

export function clusterRoot(cluster: string): string {
  return `/portolan/${cluster}`;
}

export function nodeZnode(node: MemberId): string {
  return `${ZNODES.nodes}/${node}`;
}

export function shardZnode(shard: ShardId): string {
  return `${ZNODES.shards}/${shard}`;
}

export function candidateZnode(name: string): string {
  return `${ZNODES.election}/${name}`;
}
