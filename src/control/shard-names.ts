/** How shards and nodes are named to people: short even for thousands. */
import type { ShardId } from '../model/ids.js';

/** Ranges named at most. */
const NAMED_MAX = 8;

/** "shard 4", "shards 0-3, 8", "1365 shards (2, 5, 8, ...)". */
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
export function compareNames(left: string, right: string): number {
  return left.localeCompare(right, 'en', { numeric: true });
}
