/** What a leader's proposed writes look like to ZooKeeper, and to whoever reads the log. */
import type { ProposedWrite } from '../control/controller-io.js';
import { encodeShardConfig, type ShardConfig } from '../model/shard-config.js';
import type { ShardMap } from '../model/shard-map.js';
import { shardZnode } from '../model/znodes.js';
import type { MultiOp } from '../ports/coordinator.js';

/** `basedOn`: the version the znode must have; undefined = it must not exist. */
export function writeOp(config: ShardConfig, basedOn: number | undefined): MultiOp {
  const path = shardZnode(config.shard);
  const data = encodeShardConfig(config);
  return basedOn === undefined
    ? { type: 'create', path, data, mode: 'persistent' }
    : { type: 'set', path, data, version: basedOn };
}

/** "12 create", "5 fail-over from s1, 3 hand-over from s2". `before`: without these writes. */
export function describeWrites(writes: readonly ProposedWrite[], before: ShardMap): string {
  const counts = new Map<string, number>();
  for (const { why, draft } of writes) {
    const changesPrimary = why === 'fail-over' || why === 'hand-over';
    const from = changesPrimary ? ` from ${before.config(draft.shard)?.primary}` : '';
    counts.set(`${why}${from}`, (counts.get(`${why}${from}`) ?? 0) + 1);
  }
  return [...counts].map(([what, count]) => `${count} ${what}`).join(', ');
}
