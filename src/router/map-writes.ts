/** What a leader's proposed writes look like to ZooKeeper, and to whoever reads the log. */
import type { ProposedWrite } from '../control/controller-io.js';
import type { Why } from '../control/draft.js';
import type { MemberId } from '../model/ids.js';
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

/**
 * "12 create", "5 fail-over from s1, 3 expand with s2": what is done to how many shards, and on
 * account of whom. `before`: the map without these writes.
 */
export function describeWrites(writes: readonly ProposedWrite[], before: ShardMap): string {
  const counts = new Map<string, number>();
  for (const { why, draft } of writes) {
    const config = before.config(draft.shard);
    const account = config && ACCOUNTS[why]?.(draft, config);
    const what = `${why}${account ?? ''}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].map(([what, count]) => `${count} ${what}`).join(', ');
}

type Draft = ProposedWrite['draft'];

const fromPrimary = (_: Draft, { primary }: ShardConfig) => ` from ${primary}`;
const withoutMember = (draft: Draft, before: ShardConfig) => {
  return ` without ${missing(before.isr, draft.isr)}`;
};
const ofLearner = (draft: Draft, before: ShardConfig) => {
  return ` of ${missing(before.learners, draft.learners)}`;
};

/** Those that are about a node, and which one it is. */
const ACCOUNTS: Partial<Record<Why, (draft: Draft, before: ShardConfig) => string>> = {
  'fail-over': fromPrimary,
  'hand-over': fromPrimary,
  shrink: withoutMember,
  damaged: withoutMember,
  expand: (draft, before) => ` with ${missing(draft.isr, before.isr)}`,
  'add-learner': (draft, before) => ` on ${missing(draft.learners, before.learners)}`,
  'replace-learner': ofLearner,
  forget: ofLearner,
};

function missing(from: readonly MemberId[], to: readonly MemberId[]): string {
  return from.filter((node) => !to.includes(node)).join(' and ');
}
