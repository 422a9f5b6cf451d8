/**
 * What each node carries, and who should be given more: whoever carries least.
 *
 * Deterministic, so that the same cluster always looks the same: ties go to the first by name.
 * Primaries are balanced before replicas, because a primary does more work. The replicas of a shard
 * go to different nodes, and as far as there are any, to different zones and then to different
 * hosts; an empty label says nothing, and counts as a place of its own.
 */
import type { MemberId, ShardId } from '../model/ids.js';
import type { Labels, Registration } from '../model/registrations.js';
import type { ShardConfig } from '../model/shard-config.js';
import type { AliveNodes } from './lives.js';

/** Of a configuration, written or about to be. */
export type Carried = Pick<ShardConfig, 'shard' | 'primary' | 'replicas'>;

interface Load {
  replicas: number;
  primaries: number;
}

/** Numbers to compare one after the other; the lowest is the best. */
type Rank = readonly number[];

export class Loads {
  readonly #alive: AliveNodes;
  /** Alive and not leaving, by name: who may be given more. */
  readonly #open: readonly Registration[];
  readonly #carried = new Map<ShardId, Carried>();
  readonly #loads = new Map<MemberId, Load>();

  constructor(alive: AliveNodes, leaving: ReadonlySet<MemberId>) {
    this.#alive = alive;
    this.#open = [...alive.values()]
      .filter(({ id }) => !leaving.has(id))
      .sort((left, right) => (left.id < right.id ? -1 : 1));
  }

  /** Counts this shard so, and no more as before. */
  carry(shard: Carried): void {
    const before = this.#carried.get(shard.shard);
    if (before !== undefined) this.#count(before, -1);
    this.#carried.set(shard.shard, shard);
    this.#count(shard, 1);
  }

  /** Nodes that may be given more, by name. */
  get open(): readonly MemberId[] {
    return this.#open.map(({ id }) => id);
  }

  primariesOn(node: MemberId): number {
    return this.#load(node).primaries;
  }

  /** The nodes for one more shard, its primary first: as many as there are, `count` at most. */
  placeShard(count: number): readonly Registration[] {
    const primary = bestOf(this.#open, ({ id }) => {
      const { primaries, replicas } = this.#load(id);
      return [primaries, replicas];
    });
    const chosen = primary === undefined ? [] : [primary];
    while (chosen.length < count) {
      const next = this.placeReplica(chosen.map(({ id }) => id));
      if (next === undefined) break;
      chosen.push(next);
    }
    return chosen;
  }

  /** The node for one more replica of a shard that has some; undefined if there is none left. */
  placeReplica(beside: readonly MemberId[]): Registration | undefined {
    const others = beside.flatMap((id) => this.#alive.get(id)?.labels ?? []);
    const free = this.#open.filter(({ id }) => !beside.includes(id));
    return bestOf(free, ({ id, labels }) => {
      const { replicas, primaries } = this.#load(id);
      const shared = [sharing('zone', labels, others), sharing('host', labels, others)];
      return [...shared, replicas, primaries];
    });
  }

  /** Whom of these to make the shard's primary; one that is leaving only if all are. */
  choosePrimary(shard: ShardId, among: readonly MemberId[]): MemberId | undefined {
    const now = this.#carried.get(shard)?.primary;
    const open = new Set(this.open);
    return bestOf([...among].sort(), (node) => {
      const { primaries, replicas } = this.#load(node);
      return [open.has(node) ? 0 : 1, node === now ? primaries - 1 : primaries, replicas];
    });
  }

  #count({ primary, replicas }: Carried, by: 1 | -1): void {
    this.#load(primary).primaries += by;
    for (const { node } of replicas) this.#load(node).replicas += by;
  }

  #load(node: MemberId): Load {
    const known = this.#loads.get(node) ?? { replicas: 0, primaries: 0 };
    this.#loads.set(node, known);
    return known;
  }
}

/** How many of the others have the same label, and say so. */
function sharing(label: keyof Labels, own: Labels, others: readonly Labels[]): number {
  if (own[label] === '') return 0;
  return others.filter((other) => other[label] === own[label]).length;
}

/** The first of those with the lowest rank. */
function bestOf<T>(candidates: readonly T[], rankOf: (candidate: T) => Rank): T | undefined {
  let best: { readonly candidate: T; readonly rank: Rank } | undefined;
  for (const candidate of candidates) {
    const rank = rankOf(candidate);
    if (best === undefined || isLower(rank, best.rank)) best = { candidate, rank };
  }
  return best?.candidate;
}

function isLower(left: Rank, right: Rank): boolean {
  for (const [index, number] of left.entries()) {
    const other = right[index] ?? 0;
    if (number !== other) return number < other;
  }
  return false;
}
