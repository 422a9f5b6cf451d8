/**
 * One server of the simulated ensemble: a copy of the tree that may lag behind what is committed,
 * and the watches of those who are connected to it.
 */
import type { Cancel, Clock } from '../../src/ports/clock.js';
import type { Result, Transaction } from '../../src/znode-tree/requests.js';
import type { Snapshot } from '../../src/znode-tree/snapshot.js';
import type { WatchEvent } from '../../src/znode-tree/watches.js';
import { WatchedTree } from '../../src/znode-tree/watched-tree.js';

export interface SimServerOptions {
  readonly clock: Clock;
  /** What it begins with. */
  readonly snapshot: Snapshot;
  /** Draws how long the next transaction takes to come here. */
  readonly lagMs: () => number;
  /** A watch fired. */
  readonly tell: (event: WatchEvent) => void;
}

type Applied = (result: Result) => void;

export class SimServer {
  readonly copy: WatchedTree;
  readonly #options: SimServerOptions;
  /** Committed and not yet applied here, with who waits for the result. */
  readonly #waiting: { readonly transaction: Transaction; readonly applied: Applied[] }[] = [];
  readonly #timers = new Set<Cancel>();
  #lastMs = 0;

  constructor(options: SimServerOptions) {
    this.#options = options;
    this.copy = new WatchedTree(options.snapshot);
  }

  /** A transaction was committed; `applied` is called when it is applied here, maybe at once. */
  append(transaction: Transaction, applied?: Applied): void {
    const { clock, lagMs } = this.#options;
    const now = clock.now();
    this.#waiting.push({ transaction, applied: applied === undefined ? [] : [applied] });
    this.#lastMs = Math.max(this.#lastMs, now + lagMs());
    if (this.#lastMs <= now && this.#waiting.length === 1) return this.#applyNext();
    const cancel = clock.after(this.#lastMs - now, () => {
      this.#timers.delete(cancel);
      this.#applyNext();
    });
    this.#timers.add(cancel);
  }

  /** Calls back when everything committed so far is applied here, maybe at once. */
  caughtUp(then: () => void): void {
    const last = this.#waiting.at(-1);
    if (last === undefined) then();
    else last.applied.push(then);
  }

  /** Applies nothing more. */
  stop(): void {
    for (const cancel of this.#timers) cancel();
    this.#waiting.length = 0;
  }

  #applyNext(): void {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    const { result, events } = this.copy.apply(next.transaction);
    for (const event of events) this.#options.tell(event);
    for (const applied of next.applied) applied(result);
  }
}
