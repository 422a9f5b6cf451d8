/**
 * Removes what the store marked as garbage, in the background: data that an install replaced, and
 * installs that were given up.
 *
 * It goes through the node's own batches, some deletes at a time, so that there is still one writer
 * and one fsync. The mark goes last, so a restart begins again with whatever is left. Upholds S19:
 * each batch asserts that no replica lies under the prefix.
 */
import type { Disk, DiskBatch } from '../ports/disk.js';
import { prefixKeys, type ReplicaPrefix } from './keys.js';
import type { ReplicaStore } from './replica-store.js';

export interface GarbageDeps {
  readonly disk: Pick<Disk, 'scan'>;
  readonly store: ReplicaStore;
  /** Adds to the next batch of the node; resolves when that is durable. */
  readonly write: (fill: (batch: DiskBatch) => void) => Promise<void>;
}

/** Keys removed with one batch. */
const CHUNK_KEYS = 256;
/** Bytes read, values included, before a chunk ends. */
const CHUNK_BYTES = 1024 * 1024;

export class GarbageRemoval {
  readonly #deps: GarbageDeps;
  #isStopped = false;
  #running: Promise<void> | undefined;

  constructor(deps: GarbageDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves when there is no garbage, or after {@link stop}. To be called again whenever there may
   * be more; while it runs, that adds nothing.
   *
   * @throws StorageFailure, and what `write` throws
   */
  run(): Promise<void> {
    this.#running ??= this.#removeAll().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Ends with the chunk that is being removed. For good. */
  stop(): void {
    this.#isStopped = true;
  }

  async #removeAll(): Promise<void> {
    const { store } = this.#deps;
    while (!this.#isStopped) {
      const prefix = store.nextGarbage();
      if (prefix === undefined) return;
      await this.#empty(prefix);
    }
  }

  async #empty(prefix: ReplicaPrefix): Promise<void> {
    const { store, write } = this.#deps;
    // Batches that an install had begun are done when this one is: the scan below sees them.
    await write((batch) => store.markGarbage(batch, prefix));
    let { from } = prefixKeys(prefix, prefix + 1);
    while (!this.#isStopped) {
      const keys = await this.#chunk(prefix, from);
      await write((batch) => {
        store.assertGarbage(prefix);
        for (const key of keys) batch.remove(key);
        if (keys.length === 0) store.unmarkGarbage(batch, prefix);
      });
      const last = keys.at(-1);
      if (last === undefined) return;
      // Not from the beginning again: LevelDB would pass over everything that was deleted.
      from = Buffer.concat([last, Buffer.of(0)]);
    }
  }

  /** The first keys under a prefix from `from` on. */
  async #chunk(prefix: ReplicaPrefix, from: Buffer): Promise<readonly Buffer[]> {
    const keys: Buffer[] = [];
    let byteCount = 0;
    const { to } = prefixKeys(prefix, prefix + 1);
    for await (const [key, value] of this.#deps.disk.scan(from, to)) {
      keys.push(key);
      byteCount += key.length + value.length;
      if (keys.length === CHUNK_KEYS || byteCount >= CHUNK_BYTES) break;
    }
    return keys;
  }
}
