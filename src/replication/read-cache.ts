/**
 * Records that were read, kept for the next read: a look here costs a tenth of one into the data.
 *
 * Upholds S12. Each primary has a cache of its own, from its first read to its end, and tells it of
 * every write that it commits; nothing else changes the data of a primary. So what is here is what
 * is committed, whenever it is asked. (Whether it may be answered is asked afterwards, as of any
 * read: S13.)
 *
 * All caches of a node share one amount of memory, in two generations: when what was read or asked
 * for lately fills a half of it, the rest is forgotten. That is nearly the order of last use, for
 * the price of a map (2Q, Johnson and Shasha, VLDB 1994, has the idea of two queues).
 */
import type { StoredRecord } from './data-record.js';

/** What one record costs beside its bytes: its objects, and its place in a map. */
const OVERHEAD_BYTES = 400;
/** Larger values are not kept: reading them is copying them, for the most part. */
const VALUE_BYTES_MAX = 16 * 1024;

/** Null: there is nothing under this key. */
type Known = StoredRecord | null;

/** The memory that all caches of a node share. */
export class ReadMemory {
  readonly #bytesMax: number;
  readonly #caches = new Set<ReadCache>();
  /** Of what is young in all caches, or was when it was forgotten. */
  #youngBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** An empty cache. To be closed. */
  open(): ReadCache {
    const cache: ReadCache = new ReadCache({
      took: (bytes) => this.#take(bytes),
      closed: () => this.#caches.delete(cache),
    });
    this.#caches.add(cache);
    return cache;
  }

  #take(bytes: number): void {
    this.#youngBytes += bytes;
    if (this.#youngBytes <= this.#bytesMax / 2) return;
    for (const cache of this.#caches) cache.age();
    this.#youngBytes = 0;
  }
}

interface Owner {
  readonly took: (bytes: number) => void;
  readonly closed: () => void;
}

/** Of one primary, by the latin1 text of the key. */
export class ReadCache {
  readonly #owner: Owner;
  #young = new Map<string, Known>();
  #old = new Map<string, Known>();

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  /** Undefined: it is not known here. */
  find(key: string): Known | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.keep(key, old);
    return old;
  }

  /** This is what the data holds, and nothing newer is committed. */
  keep(key: string, record: Known): void {
    const valueBytes = record?.value.length ?? 0;
    if (valueBytes > VALUE_BYTES_MAX) return;
    this.#young.set(key, record);
    this.#owner.took(OVERHEAD_BYTES + key.length + valueBytes);
  }

  /** A write of this key is committed. */
  forget(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  /** What is young grows old, and what was old is forgotten. */
  age(): void {
    this.#old = this.#young;
    this.#young = new Map();
  }

  /** Forgets everything; nothing is kept here any more. */
  close(): void {
    this.#owner.closed();
    this.#young = new Map();
    this.#old = new Map();
  }
}
