/**
 * Log entries that a dead node misses, counted where they are: at the ends of the logs of the nodes
 * that live. Operations would be another number, because one entry may seal several writes.
 */
import { askInventory } from '../src/grpc/inspection-client.js';

const ANSWER_MS = 2_000;

export class MissedEntries {
  readonly #nodes: readonly string[];
  readonly #before: ReadonlyMap<number, number>;

  private constructor(nodes: readonly string[], before: ReadonlyMap<number, number>) {
    this.#nodes = nodes;
    this.#before = before;
  }

  /**
   * Counts from now on.
   *
   * @param nodes HOST:PORT of every storage node that lives.
   */
  static async begin(nodes: readonly string[]): Promise<MissedEntries> {
    return new MissedEntries(nodes, await logEnds(nodes));
  }

  /** Of all shards together. */
  async count(): Promise<number> {
    let missed = 0;
    for (const [shard, end] of await logEnds(this.#nodes)) {
      missed += end - (this.#before.get(shard) ?? 0);
    }
    return missed;
  }
}

/** The newest entry of each shard's log on any of the nodes. */
async function logEnds(nodes: readonly string[]): Promise<ReadonlyMap<number, number>> {
  const inventories = await Promise.all(nodes.map((node) => askInventory(node, ANSWER_MS)));
  const ends = new Map<number, number>();
  for (const { shard, lastSeq } of inventories.flatMap(({ replicas }) => replicas)) {
    ends.set(shard, Math.max(lastSeq, ends.get(shard) ?? 0));
  }
  return ends;
}
