/**
 * Where new shards go: to the registered node that has the fewest primaries, then the fewest
 * replicas, then the first by name. Deterministic, so that the same cluster always looks the same,
 * and balanced to within one shard when all nodes start empty.
 */
import type { MemberId } from '../model/ids.js';
import type { ShardConfig } from '../model/shard-config.js';

export interface NodeLoad {
  replicas: number;
  primaries: number;
}

/** What each node carries by these configurations; nodes that carry nothing are listed too. */
export function loadOf(
  nodes: Iterable<MemberId>,
  configs: Iterable<ShardConfig>,
): Map<MemberId, NodeLoad> {
  const loads = new Map<MemberId, NodeLoad>();
  const load = (node: MemberId): NodeLoad => {
    const known = loads.get(node) ?? { replicas: 0, primaries: 0 };
    loads.set(node, known);
    return known;
  };
  for (const node of nodes) load(node);
  for (const config of configs) {
    for (const replica of config.replicas) load(replica.node).replicas++;
    load(config.primary).primaries++;
  }
  return loads;
}

/** Chooses nodes one shard after the other, keeping count of what it gave to whom. */
export class Placement {
  readonly #loads: ReadonlyMap<MemberId, NodeLoad>;
  /** Nodes that may be chosen, by name. */
  readonly #eligible: readonly MemberId[];

  constructor(eligible: Iterable<MemberId>, configs: Iterable<ShardConfig>) {
    this.#eligible = [...eligible].sort();
    this.#loads = loadOf(this.#eligible, configs);
  }

  /** The node for the primary of one more shard; undefined if there is no node. */
  place(): MemberId | undefined {
    let best: MemberId | undefined;
    for (const node of this.#eligible) {
      if (best === undefined || this.#carriesLess(node, best)) best = node;
    }
    if (best === undefined) return undefined;
    const load = this.#loadOf(best);
    load.primaries++;
    load.replicas++;
    return best;
  }

  #carriesLess(left: MemberId, right: MemberId): boolean {
    const a = this.#loadOf(left);
    const b = this.#loadOf(right);
    return a.primaries !== b.primaries ? a.primaries < b.primaries : a.replicas < b.replicas;
  }

  #loadOf(node: MemberId): NodeLoad {
    return this.#loads.get(node) ?? { replicas: 0, primaries: 0 };
  }
}
