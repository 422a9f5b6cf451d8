/** What a replica keeps on disk about itself, beside its data. */
import type { Epoch, Seq, ShardId, Uuid } from '../model/ids.js';

export interface ReplicaState {
  readonly shard: ShardId;
  readonly shardUuid: Uuid;
  /**
   * Highest epoch this replica acted in. Invariant: never decreases, and is durable before the
   * first answer in that epoch (S2, S3).
   */
  readonly promisedEpoch: Epoch;
  /** Highest position ever assigned. Invariant: never decreases (S22). */
  readonly lastSeq: Seq;
}
