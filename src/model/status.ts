/**
 * The state of a cluster, as `Cluster.Status`, the admin port and `portolan status` tell it. Plain
 * strings and numbers: it is read by programs that know nothing of our types.
 */

export interface ClusterStatus {
  readonly cluster: string;
  /** A leader acts, and every shard has a primary that is up and all replicas in sync. */
  readonly healthy: boolean;
  /** The candidate that holds the leaderEpoch; undefined between two leaders. */
  readonly leader: LeaderStatus | undefined;
  /** In election order; each watches the one before it, the first watches nobody. */
  readonly candidates: readonly CandidateStatus[];
  readonly nodes: readonly NodeStatus[];
  /** By id; those that were never placed are missing. */
  readonly shards: readonly ShardStatus[];
  /** What is wrong, in words, worst first. */
  readonly problems: readonly string[];
  /** False: leader and candidates are the last known ones. */
  readonly zookeeperConnected: boolean;
  /** Id of the router that answered. */
  readonly answeredBy: string;
}

export interface LeaderStatus {
  readonly id: string;
  /** Path of its znode below the cluster's root. */
  readonly znode: string;
  readonly leaderEpoch: number;
}

export interface CandidateStatus {
  readonly id: string;
  /** Name of its znode. */
  readonly znode: string;
  /** Name of the znode it watches; undefined for the first. */
  readonly watches: string | undefined;
  readonly address: string;
  /** Base URL of its admin HTTP port. */
  readonly admin: string;
}

/** A node that is registered, or that some shard counts on. */
export interface NodeStatus {
  readonly id: string;
  readonly state: 'up' | 'down';
  /** Empty if it is down, as are the labels. */
  readonly address: string;
  readonly host: string;
  readonly zone: string;
  /** Replicas on this node, and how many of them are primary. */
  readonly shards: number;
  readonly primaries: number;
  /** Milliseconds it is down, as far as the router that answered has seen; undefined: it is up. */
  readonly downForMs: number | undefined;
}

export interface ShardStatus {
  readonly id: number;
  /** First and last slot, both included. */
  readonly slots: readonly [first: number, last: number];
  readonly epoch: number;
  readonly primary: string;
  readonly isr: readonly string[];
  readonly learners: readonly string[];
  /** `creating` or `active`. */
  readonly state: string;
  /** Whether its primary serves it, as far as the router that answered can see. */
  readonly served: boolean;
  /** Replicas whose node is down. */
  readonly away: readonly string[];
  /** How far its learners are, as far as their primary has told. */
  readonly learning: readonly LearningStatus[];
  /** Replicas whose records are not what was written, or that are not where they should be. */
  readonly damaged: readonly DamagedStatus[];
}

export interface DamagedStatus {
  readonly node: string;
  /** In words. */
  readonly problem: string;
}

export interface LearningStatus {
  readonly node: string;
  /** `log`: it gets entries that it lacks; `snapshot`: all data; `nothing`: it does not answer. */
  readonly by: 'log' | 'snapshot' | 'nothing';
  /** Entries of the log that it holds, or bytes of data that were sent to it. */
  readonly done: number;
  /** Of so many; 0 = not known. */
  readonly total: number;
  /** Milliseconds since its primary first saw it out of sync. */
  readonly forMs: number;
}
