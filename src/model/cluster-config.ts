/**
 * What a cluster is and never ceases to be: the znode `/cluster`, written once by its creator.
 *
 * Worked example (one line in ZooKeeper; "…" shortens 32 hex digits):
 * {"format":2,"slotRule":"crc16-xmodem-tag","clusterUuid":"b1…","shards":64,"replicas":3,
 *  "minIsr":2,"leaseMs":600,"replaceAfterMs":300000,"initialStorage":3}
 */
import { isCount, isUuid, type Uuid } from './ids.js';
import { LIMITS } from './limits.js';
import { encodeRecord, RecordReader } from './records.js';
import { ZNODES } from './znodes.js';

const FORMAT = 2;
const SLOT_RULE = 'crc16-xmodem-tag';

export interface ClusterConfig {
  readonly clusterUuid: Uuid;
  readonly shards: number;
  /** Replicas each shard should have. */
  readonly replicas: number;
  /**
   * Members the in-sync set must have for a write to be committed, 1 to `replicas`. Higher: an
   * acknowledged write survives more losses, and writes wait sooner; reads go on either way.
   */
  readonly minIsr: number;
  /**
   * Milliseconds a primary may serve reads on one beat that a replica answered. Every node counts
   * on the others to take the same, so it is never taken from a node's own flags (S14).
   */
  readonly leaseMs: number;
  /**
   * Milliseconds until the replicas of a storage node that is away, or a learner that is silent or
   * does not come forward, are replaced on other nodes; 0 = never.
   */
  readonly replaceAfterMs: number;
  /** Storage nodes to wait for before the shards are first placed, so that all get their part. */
  readonly initialStorage: number;
}

export function encodeClusterConfig(config: ClusterConfig): Buffer {
  return encodeRecord({ format: FORMAT, slotRule: SLOT_RULE, ...config });
}

/** @throws BadRecordError if the znode holds something else. */
export function decodeClusterConfig(bytes: Uint8Array): ClusterConfig {
  const record = new RecordReader(ZNODES.cluster, bytes);
  record.format(FORMAT);
  record.field('slotRule', `"${SLOT_RULE}"`, (rule): rule is string => rule === SLOT_RULE);
  const replicas = record.field('replicas', 'a count', isPositive);
  return {
    clusterUuid: record.field('clusterUuid', 'a uuid', isUuid),
    shards: record.field(
      'shards',
      `a count from 1 to ${LIMITS.shardsMax}`,
      (count): count is number => isCount(count, 1) && count <= LIMITS.shardsMax,
    ),
    replicas,
    minIsr: record.field(
      'minIsr',
      `a count from 1 to ${replicas}`,
      (count): count is number => isCount(count, 1) && count <= replicas,
    ),
    leaseMs: record.optional(
      'leaseMs',
      `a count from ${LIMITS.leaseMsMin} to ${LIMITS.leaseMsMax}`,
      (count): count is number => {
        return isCount(count, LIMITS.leaseMsMin) && count <= LIMITS.leaseMsMax;
      },
      LIMITS.leaseMsDefault, // Of clusters that were made before it could be chosen.
    ),
    replaceAfterMs: record.optional(
      'replaceAfterMs',
      `a count up to ${LIMITS.replaceAfterMsMax}`,
      (count): count is number => isCount(count) && count <= LIMITS.replaceAfterMsMax,
      LIMITS.replaceAfterMsDefault,
    ),
    initialStorage: record.field('initialStorage', 'a count', isPositive),
  };
}

function isPositive(value: unknown): value is number {
  return isCount(value, 1);
}
