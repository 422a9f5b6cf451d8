/** What a replica is by the newest configuration that its node has heard. */
export type ReplicaStanding =
  /** No configuration was heard yet: nothing is done on a guess. */
  | 'unknown'
  /** Exists, or is about to; the shard serves nothing yet. */
  | 'creating'
  | 'primary'
  | 'secondary'
  | 'learner'
  /** Has no part in the configuration. */
  | 'elsewhere'
  /** Named as primary in a configuration that does not count on this life or state of it. */
  | 'awaiting-epoch'
  /** The configuration counts on data that this store does not have. */
  | 'lost';
