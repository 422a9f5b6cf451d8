/**
 * Shards whose znodes are not what they should be, and which of them the operator was told of: only
 * an operator can restore them. They are looked at again now and then, and said to be well.
 *
 * Pure.
 */
import type { ShardId } from '../model/ids.js';
import type { ControllerEvent } from './controller-io.js';

export type BrokenEvent = Extract<
  ControllerEvent,
  { readonly type: 'shard-missing' | 'shard-garbled' | 'shard-outdated' }
>;

export class BrokenShards {
  /** What was said of each; undefined: nothing yet, the next look decides. */
  readonly #said = new Map<ShardId, BrokenEvent['type'] | undefined>();

  /** Worth another look now and then. */
  get all(): readonly ShardId[] {
    return [...this.#said.keys()];
  }

  get outdated(): readonly ShardId[] {
    return [...this.#said].flatMap(([shard, said]) => (said === 'shard-outdated' ? [shard] : []));
  }

  /** Something seems to be wrong with it, but what was read may be older than what was heard. */
  doubt(shard: ShardId): void {
    if (!this.#said.has(shard)) this.#said.set(shard, undefined);
  }

  isDoubted(shard: ShardId): boolean {
    return this.#said.has(shard);
  }

  /** What to tell the operator of it: each thing once. */
  found(event: BrokenEvent): readonly ControllerEvent[] {
    if (this.#said.get(event.shard) === event.type) return [];
    this.#said.set(event.shard, event.type);
    return [event];
  }

  /** It is well. What to tell the operator of that, if anything was said before. */
  restored(shard: ShardId): readonly ControllerEvent[] {
    const said = this.#said.get(shard);
    this.#said.delete(shard);
    return said === undefined ? [] : [{ type: 'shard-restored', shard }];
  }
}
