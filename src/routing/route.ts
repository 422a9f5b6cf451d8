/**
 * Where a request for a key goes by one map, or why it has to wait for a newer one.
 *
 * Pure. It does not judge whether the node lives: a node that is not registered has no address, and
 * that is all it needs to know. A map that is behind leads to a refusal, not to wrong data (S23).
 */
import type { Epoch, MemberId, ShardId } from '../model/ids.js';
import { isLaterProcess, replicaOn } from '../model/shard-config.js';
import type { ShardMap } from '../model/shard-map.js';

export type WaitReason =
  /** The number of shards is not known yet. */
  | 'no-map'
  /** Nobody has told this shard's configuration yet. */
  | 'no-config'
  /** The shard is being created. */
  | 'creating'
  /** The primary is not registered: it crashed, or has not started. */
  | 'primary-away'
  /** The primary came back; the leader has not given it a new epoch yet. */
  | 'primary-restarted';

export type Route =
  | {
      readonly type: 'send';
      readonly shard: ShardId;
      readonly epoch: Epoch;
      readonly node: MemberId;
      readonly address: string;
    }
  | { readonly type: 'wait'; readonly shard: ShardId | undefined; readonly why: WaitReason };

export interface RouteSource {
  readonly map: ShardMap;
  /** HOST:PORT of a node, if anybody told. */
  addressOf(node: MemberId): string | undefined;
}

export function routeOf(source: RouteSource, key: Uint8Array): Route {
  const { map } = source;
  const shard = map.shardOf(key);
  if (shard === undefined) return { type: 'wait', shard, why: 'no-map' };
  const config = map.config(shard);
  if (config === undefined) return { type: 'wait', shard, why: 'no-config' };
  if (config.state === 'creating') return { type: 'wait', shard, why: 'creating' };
  const node = config.primary;
  const address = source.addressOf(node);
  if (address === undefined) return { type: 'wait', shard, why: 'primary-away' };
  const registered = map.nodes.get(node);
  const expected = replicaOn(config, node);
  // Another process than the configuration counts on will refuse until it has a new epoch. The same
  // one in a new session serves on.
  if (registered !== undefined && expected !== undefined && isLaterProcess(registered, expected)) {
    return { type: 'wait', shard, why: 'primary-restarted' };
  }
  return { type: 'send', shard, epoch: config.epoch, node, address };
}
