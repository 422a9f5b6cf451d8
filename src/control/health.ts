/** Whether a cluster is well, and if not, what is wrong: in the words an operator reads. */
import type { MemberId, ShardId } from '../model/ids.js';
import type { DamagedNotice } from '../model/member-messages.js';
import { replicaOn } from '../model/shard-config.js';
import type { ShardMap } from '../model/shard-map.js';
import type { NodeStatus } from '../model/status.js';
import { type Unreachable, whatDamageMeans, whyUnsafe, whyUnserved } from './shard-health.js';
import { compareNames, nameShards } from './shard-names.js';

/** Every node that is registered or that some shard counts on, by name. */
export function nodesOf(map: ShardMap): readonly NodeStatus[] {
  const counts = new Map<MemberId, { shards: number; primaries: number }>();
  for (const id of map.nodes.keys()) counts.set(id, { shards: 0, primaries: 0 });
  for (const { config } of map.shards.values()) {
    for (const { node } of config.replicas) {
      const count = counts.get(node) ?? { shards: 0, primaries: 0 };
      count.shards++;
      if (node === config.primary) count.primaries++;
      counts.set(node, count);
    }
  }
  return [...counts]
    .sort(([left], [right]) => compareNames(left, right))
    .map(([id, count]) => {
      const node = map.nodes.get(id);
      return {
        id,
        state: node === undefined ? 'down' : 'up',
        address: node?.address ?? '',
        host: node?.labels.host ?? '',
        zone: node?.labels.zone ?? '',
        downForMs: undefined,
        ...count,
      };
    });
}

/** What is known beside the map. */
export interface Signs {
  /** Nodes that whoever asks cannot connect to; one that has just died is still registered. */
  readonly unreachable?: Unreachable;
  readonly damaged?: readonly DamagedNotice[];
  /** Shards whose znodes are older than what replicas have promised. */
  readonly outdated?: readonly ShardId[];
}

const NOBODY: Unreachable = new Map();

/** What is wrong, worst first; empty if the cluster is well. */
export function problemsOf(
  map: ShardMap,
  leader: string | undefined,
  { unreachable = NOBODY, damaged = [], outdated = [] }: Signs = {},
): readonly string[] {
  const problems: string[] = [];
  if (map.shardCount === 0)
    problems.push('this router has not read the cluster from ZooKeeper yet');
  const unserved = new Map<string, ShardId[]>();
  const unsafe = new Map<string, ShardId[]>();
  const wait = whyNotPlaced(map);
  if (wait !== undefined) problems.push(wait);
  for (let id = 0; id < map.shardCount && wait === undefined; id++) {
    const shard = id as ShardId;
    const config = map.config(shard);
    const why = whyUnserved(map, config, unreachable);
    const lack = whyUnsafe(map, config, unreachable);
    if (why !== undefined) unserved.set(why, [...(unserved.get(why) ?? []), shard]);
    else if (lack !== undefined) unsafe.set(lack, [...(unsafe.get(lack) ?? []), shard]);
  }
  // Those that lack most first.
  const lacking = [...unsafe].sort(([left], [right]) => compareNames(left, right));
  for (const [why, shards] of [...unserved, ...lacking]) {
    problems.push(`${nameShards(shards)}: ${why}`);
  }
  if (outdated.length > 0) {
    const what =
      'ZooKeeper was set back, and its znodes are older than what replicas have promised';
    const settle =
      "they are served as long as nothing of them fails; 'portolan recover' settles them";
    problems.push(`${nameShards(outdated)}: ${what}; ${settle}`);
  }
  problems.push(...damagesOf(map, damaged));
  if (leader === undefined) problems.push('no router leads: the shard map cannot change');
  return problems;
}

/** One line per situation, with one of the many things that may be wrong with its replicas. */
function damagesOf(map: ShardMap, damaged: readonly DamagedNotice[]): readonly string[] {
  const situations = new Map<string, { readonly shards: ShardId[]; readonly problem: string }>();
  for (const { shard, node, problem } of damaged.toSorted((a, b) => a.shard - b.shard)) {
    const config = map.config(shard);
    if (config === undefined || replicaOn(config, node) === undefined) continue;
    const what = whatDamageMeans(config, node);
    const known = situations.get(what);
    if (known === undefined) situations.set(what, { shards: [shard], problem });
    else known.shards.push(shard);
  }
  return [...situations].map(([what, { shards, problem }]) => {
    return `${nameShards(shards)}: ${what} (${problem})`;
  });
}

/** Why a new cluster has no shards at all; undefined if it has, or could have. */
function whyNotPlaced({ shards, nodes, target, shardCount }: ShardMap): string | undefined {
  const missing = target.initialStorage - nodes.size;
  if (shardCount === 0 || shards.size > 0 || missing <= 0) return undefined;
  const wants = `shards are placed when ${target.initialStorage} storage nodes are registered`;
  return `${wants}, there ${nodes.size === 1 ? 'is' : 'are'} ${nodes.size}: start ${missing} more`;
}
