/**
 * The limits every entry point enforces. Router and storage node check the same numbers, so that
 * neither depends on the other's care. Beyond a limit: a clear refusal and nothing applied.
 */
import { isCount, type ShardId } from './ids.js';

export const LIMITS = {
  /** Bytes of a key. Small, because a key is held in memory by routers and log indexes. */
  keyBytesMin: 1,
  keyBytesMax: 1024,
  /** Bytes of a value, 1 MiB. Larger ones would make other shards wait behind one write. */
  valueBytesMax: 1024 * 1024,
  /** Bytes of one gRPC message in either direction. */
  messageBytesMax: 4 * 1024 * 1024,
  /** Slots are fixed by the slot rule; shards divide them. */
  shardsMax: 4096,
  shardsDefault: 64,
  /** Milliseconds a call may take when its caller set no deadline, and at the most. */
  callMsDefault: 5_000,
  callMsMax: 60_000,
  /**
   * Milliseconds of a read lease. A dead primary is replaced no sooner than one ends; with a
   * shorter one reads wait whenever a node is late.
   */
  leaseMsMin: 100,
  leaseMsMax: 60_000,
  leaseMsDefault: 600,
  /**
   * Milliseconds a storage node is away until its replicas are replaced. Sooner: a longer restart
   * costs a copy of all its data.
   */
  replaceAfterMsDefault: 300_000,
  replaceAfterMsMax: 7 * 24 * 3_600_000,
  /** Bytes of requests a router or a node holds at once; more is refused as OVERLOADED. */
  queuedBytesMax: 64 * 1024 * 1024,
  /** Calls a router or a node holds at once, whatever their size. */
  queuedCallsMax: 16_384,
  /** Bytes of one request to ZooKeeper, half of its own default bound (rule Z8). */
  znodeRequestBytesMax: 512 * 1024,
} as const;

/** Whether some cluster can have this shard. */
export function isShardId(shard: number): shard is ShardId {
  return isCount(shard) && shard < LIMITS.shardsMax;
}
