/**
 * What of the shard map ZooKeeper has forgotten, because it was set back, and what of that is
 * settled: it knows the shard as it did, or has it in an epoch above all that were there, and all
 * its members in sync have what is committed. Until then no promise can be judged by what ZooKeeper
 * says, and storage nodes do not die: the only one that knows better might be among them.
 */
import type { ShardConfig } from '../../../src/model/shard-config.js';
import type { MapWatch } from './map-watch.js';

export class SetBackWatch {
  readonly #map: MapWatch;
  /** By shard, the newest configuration that there was. */
  readonly #forgotten = new Map<number, ShardConfig>();
  /** How often ZooKeeper was set back. */
  count = 0;

  constructor(map: MapWatch) {
    this.#map = map;
  }

  /** ZooKeeper is about to be. */
  begin(): void {
    this.count++;
    this.#map.look();
    for (const config of this.#map.configs) {
      if (config !== undefined) this.#forgotten.set(config.shard, config);
    }
    this.#map.forget();
  }

  get isSettled(): boolean {
    return this.#forgotten.size === 0;
  }

  /** Whether what ZooKeeper says of this shard can be gone by. */
  knows({ shard, epoch, nonce }: ShardConfig): boolean {
    const before = this.#forgotten.get(shard);
    return before === undefined || nonce === before.nonce || epoch > before.epoch;
  }

  isSettledOf({ shard }: ShardConfig): boolean {
    return !this.#forgotten.has(shard);
  }

  /** All its members in sync have what is committed. */
  settle({ shard }: ShardConfig): void {
    this.#forgotten.delete(shard);
  }
}
