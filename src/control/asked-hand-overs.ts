/**
 * The hand-overs that this leader asked primaries for, and how each ended: what rule 8 of
 * `controller.ts` remembers, so that none is asked for twice and the next waits for those before.
 */
import type { Epoch, MemberId, ShardId } from '../model/ids.js';
import { replicaOn, type ShardConfig } from '../model/shard-config.js';
import type { HandOver } from './controller-io.js';
import { lifeOf } from './lives.js';
import type { ClusterView } from './view.js';

interface Asked extends HandOver {
  readonly hasFailed: boolean;
}

export class AskedHandOvers {
  /** Latest one per shard; not again before it has failed and rested. */
  readonly #asked = new Map<ShardId, Asked>();
  /** Shards in the order in which one of theirs last failed, the latest last. */
  readonly #failed = new Set<ShardId>();

  add(handOver: HandOver): void {
    this.#asked.set(handOver.shard, { ...handOver, hasFailed: false });
  }

  failed(shard: ShardId, epoch: Epoch): void {
    const asked = this.#asked.get(shard);
    if (asked?.epoch !== epoch) return;
    this.#asked.set(shard, { ...asked, hasFailed: true });
    this.#failed.delete(shard);
    this.#failed.add(shard);
  }

  /** One that failed may be asked for again. */
  rested(shard: ShardId, epoch: Epoch): void {
    if (this.#asked.get(shard)?.epoch === epoch) this.#asked.delete(shard);
  }

  /** The one that was asked of the primary of this very epoch. */
  of({ shard, epoch }: ShardConfig): Asked | undefined {
    const asked = this.#asked.get(shard);
    return asked?.epoch === epoch ? asked : undefined;
  }

  /** To whom the primary of this very epoch is about to hand over, as far as is known. */
  successorOf(config: ShardConfig): MemberId | undefined {
    const asked = this.of(config);
    return asked?.hasFailed === false ? asked.to : undefined;
  }

  /**
   * Whether the map has the one that was asked for, and its successor, alive and sound, has not
   * said yet that it promised the new epoch. That is not the end of the pause, but the earliest
   * sign of it. It says so by itself, and if it cannot it is soon suspected, or damaged.
   */
  awaitsSuccessor(
    config: ShardConfig,
    { alive, reports }: Pick<ClusterView, 'alive' | 'reports'>,
  ): boolean {
    const asked = this.#asked.get(config.shard);
    const place = replicaOn(config, config.primary);
    if (place === undefined || asked?.to !== place.node) return false;
    if (lifeOf(place, alive) !== 'same') return false;
    if (reports.problemOf(config, place.store) !== undefined) return false;
    // Once it has, for good: how it comes to lead in later epochs is not of this hand-over.
    return reports.promisedBy(config, place.store) <= asked.epoch;
  }

  /** In the order in which they should be tried: those that failed last come last. */
  inTurn(configs: readonly ShardConfig[]): readonly ShardConfig[] {
    const order = [...this.#failed];
    const turnOf = ({ shard }: ShardConfig) => order.indexOf(shard);
    return configs.toSorted((left, right) => {
      return turnOf(left) - turnOf(right) || left.shard - right.shard;
    });
  }
}
