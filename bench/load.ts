/** The load itself: workers that each have one operation under way and then the next. */
import type { Gauge } from './gauge.js';
import { type Ledger, parseValue, valueOf } from './ledger.js';
import type { Op } from './options.js';
import type { Store } from './store.js';

export interface LoadShape {
  readonly op: Op;
  readonly inFlight: number;
  readonly valueBytes: number;
  /** From then on the store is closed, and nothing would be tried for long. */
  readonly ending: AbortSignal;
}

export class Load {
  readonly #store: Store;
  readonly #ledger: Ledger;
  readonly #shape: LoadShape;
  /** What is measured now; replaced when the warm-up ends. */
  gauge: Gauge;
  /** Reads that found something older than an acknowledged write, or nothing. */
  staleReads = 0;
  #running = false;
  #workers: Promise<void>[] = [];

  constructor(store: Store, ledger: Ledger, shape: LoadShape, gauge: Gauge) {
    this.#store = store;
    this.#ledger = ledger;
    this.#shape = shape;
    this.gauge = gauge;
  }

  /** After a stop, too. */
  start(): void {
    this.#running = true;
    this.gauge.goOn(performance.now());
    this.#workers = Array.from({ length: this.#shape.inFlight }, (_, worker) => this.#work(worker));
  }

  /** Waits for the operations under way. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#workers);
    this.gauge.finish(performance.now());
  }

  /** Writes every key once, so that reads find something. */
  async fill(): Promise<void> {
    const { keys } = this.#ledger;
    const { inFlight } = this.#shape;
    await Promise.all(
      Array.from({ length: inFlight }, async (_, worker) => {
        for (let key = worker; key < keys; key += inFlight) await this.#put(key);
      }),
    );
  }

  /** Reads every acknowledged write back; the number of those that are not there. */
  async countLost(): Promise<number> {
    const keys = [...this.#ledger.written()];
    let lost = 0;
    let next = 0;
    const verify = async (): Promise<void> => {
      for (let index = next++; index < keys.length; index = next++) {
        const key = keys[index] ?? 0;
        const found = await this.#store.get(this.#nameOf(key), 30_000);
        if (this.#ledger.isLost(key, found && parseValue(found))) lost++;
      }
    };
    await Promise.all(Array.from({ length: this.#shape.inFlight }, verify));
    return lost;
  }

  async #work(worker: number): Promise<void> {
    // A worker has its keys for itself: one writer per key.
    const { inFlight, op, ending } = this.#shape;
    const own = Math.max(1, Math.floor((this.#ledger.keys - worker - 1) / inFlight) + 1);
    for (let turn = 0; this.#running && !ending.aborted; turn++) {
      const key = (worker + inFlight * Math.floor(Math.random() * own)) % this.#ledger.keys;
      const { gauge } = this;
      const startMs = performance.now();
      try {
        if (op === 'put' || (op === 'mixed' && turn % 2 === 0)) await this.#put(key);
        else this.#check(key, await this.#store.get(this.#nameOf(key)));
        gauge.success(key, startMs, performance.now());
      } catch (error) {
        gauge.failed++;
        if (isUnknown(error)) gauge.unknown++;
      }
    }
  }

  #nameOf(key: number): Buffer {
    return this.#ledger.names[key] ?? Buffer.alloc(0);
  }

  async #put(key: number): Promise<void> {
    const write = this.#ledger.begin(key);
    await this.#store.put(this.#nameOf(key), valueOf(key, write, this.#shape.valueBytes));
    this.#ledger.acknowledge(key, write);
  }

  /** What a read found. */
  #check(key: number, value: Uint8Array | undefined): void {
    const found = value && parseValue(value);
    if (this.#ledger.isLost(key, found)) this.staleReads++;
    if (value !== undefined && found?.key !== key) {
      throw new Error('a read returned the value of another key');
    }
  }
}

/** An outcome that is unknown is a failure of its own kind: the write may be there. */
function isUnknown(error: unknown): boolean {
  return error instanceof Error && 'outcome' in error && error.outcome === 'unknown';
}
