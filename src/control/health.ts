/** Whether a cluster is well, and if not, what is wrong: in the words an operator reads. */
import type { MemberId, ShardId } from '../model/ids.js';
import { replicaOn, type ShardConfig } from '../model/shard-config.js';
import type { ReplicationTarget, ShardMap } from '../model/shard-map.js';
import type { NodeStatus } from '../model/status.js';

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
        ...count,
      };
    });
}

const NOBODY: ReadonlyMap<MemberId, string> = new Map();

/**
 * What is wrong, worst first; empty if the cluster is well. `unreachable`: nodes that whoever asks
 * cannot connect to, and why; one that has just died is still registered.
 */
export function problemsOf(
  map: ShardMap,
  leader: string | undefined,
  unreachable = NOBODY,
): readonly string[] {
  const problems: string[] = [];
  if (map.shardCount === 0)
    problems.push('this router has not read the cluster from ZooKeeper yet');
  const unserved = new Map<string, ShardId[]>();
  const unsafe = new Map<string, ShardId[]>();
  for (let id = 0; id < map.shardCount; id++) {
    const shard = id as ShardId;
    const config = map.config(shard);
    const why = whyUnserved(map, config, unreachable);
    const lack = whyUnsafe(config, map.target);
    if (why !== undefined) unserved.set(why, [...(unserved.get(why) ?? []), shard]);
    else if (lack !== undefined) unsafe.set(lack, [...(unsafe.get(lack) ?? []), shard]);
  }
  // Those that lack most first.
  const lacking = [...unsafe].sort(([left], [right]) => compareNames(left, right));
  for (const [why, shards] of [...unserved, ...lacking]) {
    problems.push(`${nameShards(shards)}: ${why}`);
  }
  if (leader === undefined) problems.push('no router leads: the shard map cannot change');
  return problems;
}

/** Why nobody serves a shard; undefined if its primary does. Agrees with `routing/route.ts`. */
export function whyUnserved(
  map: ShardMap,
  config: ShardConfig | undefined,
  unreachable = NOBODY,
): string | undefined {
  if (config === undefined)
    return 'no configuration: not placed yet, or its znode is missing or unreadable';
  const node = map.nodes.get(config.primary);
  if (node === undefined) return `primary ${config.primary} is down`;
  const place = replicaOn(config, config.primary);
  if (place?.store !== node.store) {
    const what = `primary ${config.primary} came back with another data directory`;
    return `${what}; start it with its old one`;
  }
  if (config.state === 'creating') return 'being created';
  if (node.incarnation > place.incarnation) {
    const what = `primary ${config.primary} restarted and has no new epoch yet`;
    return `${what}; if that lasts, the leader's log says why`;
  }
  const problem = unreachable.get(config.primary);
  return problem && `primary ${config.primary} is registered, but cannot be reached: ${problem}`;
}

/** What a shard that is served lacks; undefined if all the replicas it should have are in sync. */
function whyUnsafe(
  config: ShardConfig | undefined,
  { replicas, minIsr }: ReplicationTarget,
): string | undefined {
  const inSync = config?.isr.length ?? 0;
  if (inSync >= replicas) return undefined;
  const what = `${inSync} of ${replicas} replicas in sync`;
  return inSync < minIsr ? `${what}, less than the ${minIsr} that writes need: writes wait` : what;
}

/** Ranges named at most. */
const NAMED_MAX = 8;

/** "shard 4", "shards 0-3, 8", "1365 shards (2, 5, 8, ...)": short even for thousands. */
export function nameShards(shards: readonly ShardId[]): string {
  const ranges = rangesOf(shards);
  if (ranges.length > NAMED_MAX) {
    return `${shards.length} shards (${ranges.slice(0, NAMED_MAX).join(', ')}, ...)`;
  }
  return `shard${shards.length === 1 ? '' : 's'} ${ranges.join(', ')}`;
}

/** Ascending numbers as "0-3", "8". */
function rangesOf(shards: readonly ShardId[]): readonly string[] {
  const ranges: string[] = [];
  let first = shards[0];
  let last = first;
  const close = () => ranges.push(first === last ? `${first}` : `${first}-${last}`);
  for (const shard of shards.slice(1)) {
    if (last !== undefined && shard === last + 1) {
      last = shard;
      continue;
    }
    close();
    first = shard;
    last = shard;
  }
  close();
  return ranges;
}

/** `s2` before `s10`. */
function compareNames(left: string, right: string): number {
  return left.localeCompare(right, 'en', { numeric: true });
}
