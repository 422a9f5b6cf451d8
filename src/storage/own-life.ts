/**
 * This process in the ancestry of its data directory, by which leaders tell whether a later one has
 * everything that this one acknowledged (`control/lives.ts`). It is on record before anybody may
 * count on it. That a configuration does is noted too, once: such lives are kept for longer than
 * those of a process that ended before anybody had seen it, however many of these there are.
 */
import type { Uuid } from '../model/ids.js';
import type { ShardConfig } from '../model/shard-config.js';
import { replicaOn } from '../model/shard-config.js';
import type { DiskBatch } from '../ports/disk.js';
import type { Store } from './store.js';

export interface OwnLifeDeps {
  readonly store: Store;
  readonly process: Uuid;
  /** Resolves when what is written into the batch is durable. */
  readonly record: (write: (batch: DiskBatch) => void) => Promise<void>;
}

export class OwnLife {
  readonly #deps: OwnLifeDeps;
  #begun: Promise<void> | undefined;
  #isOnRecord = false;
  #isCounted = false;

  constructor(deps: OwnLifeDeps) {
    this.#deps = deps;
  }

  /** Resolves when the directory has this process on record. */
  begin(): Promise<void> {
    const { store, process, record } = this.#deps;
    this.#begun ??= record((batch) => store.writeLife(batch, process)).then(() => {
      this.#isOnRecord = true;
    });
    return this.#begun;
  }

  /** Processes that a configuration may count on, the latest last. */
  get lives(): readonly Uuid[] {
    const { store, process } = this.#deps;
    return this.#isOnRecord ? [...store.ancestry, process] : store.ancestry;
  }

  /** What a replica here goes by now. */
  configured(config: ShardConfig | undefined): void {
    if (this.#isCounted || !this.#isOnRecord || config === undefined) return;
    const { store, process, record } = this.#deps;
    if (replicaOn(config, store.identity.node)?.process !== process) return;
    this.#isCounted = true;
    void record((batch) => store.writeCounted(batch));
  }
}
