/**
 * Reading the map straight from ZooKeeper: what a leader does, and every router before any leader
 * has spoken to it. Another router may read an old state; that is harmless, because a map never
 * goes back and a stale route is refused (S23). What does not parse is named in the log and left.
 */
import { unlessBad } from '../coordination/read-nodes.js';
import type { ErrorLog } from '../coordination/said-once.js';
import { isWithinReach, type LeaderEpoch, type ShardId } from '../model/ids.js';
import { decodePlacement, type PlacementState } from '../model/placement-record.js';
import { BadRecordError } from '../model/records.js';
import { decodeShardConfig, type StoredShard } from '../model/shard-config.js';
import { shardZnode, ZNODES } from '../model/znodes.js';
import type { CoordinatorSession } from '../ports/coordinator.js';

/** What a shard's znode holds, garbled if it must not be read; undefined without an answer. */
export async function readShard(
  session: CoordinatorSession,
  shard: ShardId,
  log: ErrorLog,
): Promise<StoredShard | undefined> {
  const path = shardZnode(shard);
  const read = await session.read(path);
  if (read.status === 'failed' && read.code === 'no-auth') {
    log.error(`${path} must not be read: ${read.message}. Look at its ACL`);
    return { type: 'garbled', shard };
  }
  if (read.status !== 'ok') return undefined;
  const znode = read.value;
  if (znode === undefined) return { type: 'absent', shard };
  const config = unlessBad(log, () => decodeShardConfig(shard, znode.data));
  if (config === undefined) return { type: 'garbled', shard };
  return { type: 'config', config, version: znode.stat.version };
}

/**
 * To the leader that holds a leaderEpoch, a shard is garbled, too, if it names one that leaders
 * cannot have counted up to.
 */
export function believed(stored: StoredShard, held: LeaderEpoch, log: ErrorLog): StoredShard {
  if (stored.type !== 'config' || isWithinReach(stored.config.leaderEpoch, held)) return stored;
  const { shard, leaderEpoch } = stored.config;
  const problem = `'leaderEpoch' is ${leaderEpoch}: nobody counts up to that from ${held}`;
  log.error(new BadRecordError(shardZnode(shard), problem).message);
  return { type: 'garbled', shard };
}

/**
 * Whether the shards were all created once; undefined if ZooKeeper did not answer. For whoever has
 * seen `/cluster` on this session.
 */
export async function readPlacement(
  session: CoordinatorSession,
  log: ErrorLog,
): Promise<{ readonly placement: PlacementState; readonly version: number } | undefined> {
  const read = await session.read(ZNODES.shards);
  if (read.status !== 'ok') return undefined;
  // It was there before `/cluster` was, so it was deleted, and with it shards that may hold data.
  if (read.value === undefined) return { placement: 'complete', version: 0 };
  const { data, stat } = read.value;
  // What does not parse allows nothing: no shard is created for it.
  const placement = unlessBad(log, () => decodePlacement(data)) ?? 'complete';
  return { placement, version: stat.version };
}
