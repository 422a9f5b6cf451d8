/**
 * Records that were read, kept for the next read: a look here costs a tenth of one into the data.
 *
 * Upholds S12. Each primary has a cache of its own and tells it of every write that it commits;
 * nothing else changes the data of a primary. So what is here is the newest that it knows to be
 * committed, whenever it is asked. (Whether it may be answered, which it may not before the barrier
 * of its epoch is committed, is asked afterwards, as of any read: S11, S13.)
 *
 * All caches of a node share one amount of memory, in two halves: when what was read or asked for
 * lately fills one of them, the rest is forgotten. That is nearly the order of last use, for
 * the price of a map (the algorithm of hashlru). Where few keys are read again, keeping them costs
 * a microsecond each for nothing.
 */
import type { StoredRecord } from './data-record.js';

/** What one record costs beside its bytes: its objects, and its place in a map. */
const OVERHEAD_BYTES = 400;
/** Larger values are not kept: reading them is copying them, for the most part. */
const VALUE_BYTES_MAX = 16 * 1024;

/** Null: there is nothing under this key. */
type Known = StoredRecord | null;

export interface ReadSettings {
  /** Bytes of records that were read lately, and of what keeping them costs. */
  readonly readBytesMax: number;
}

/** The memory that all caches of a node share. */
export class ReadMemory {
  readonly #settings: ReadSettings;
  readonly #caches = new Set<ReadCache>();
  /** Of what is young in all caches, or was when it was forgotten. */
  #youngBytes = 0;
  /** Reads that found what they looked for here, and that did not. */
  hits = 0;
  misses = 0;

  constructor(settings: ReadSettings) {
    this.#settings = settings;
  }

  /** Caches that are open. */
  get caches(): number {
    return this.#caches.size;
  }

  /** An empty cache. To be closed. */
  open(): ReadCache {
    const cache = new ReadCache(this);
    this.#caches.add(cache);
    return cache;
  }

  closed(cache: ReadCache): void {
    this.#caches.delete(cache);
  }

  took(bytes: number): void {
    this.#youngBytes += bytes;
    if (this.#youngBytes <= this.#settings.readBytesMax / 2) return;
    for (const cache of this.#caches) cache.age();
    this.#youngBytes = 0;
  }
}

/** Of one primary, by the latin1 text of the key. */
export class ReadCache {
  readonly #memory: ReadMemory;
  #young = new Map<string, Known>();
  #old = new Map<string, Known>();
  #isOpen = true;

  constructor(memory: ReadMemory) {
    this.#memory = memory;
  }

  /** Undefined: it is not known here. */
  find(key: string): Known | undefined {
    const young = this.#young.get(key);
    const known = young === undefined ? this.#old.get(key) : young;
    if (known === undefined) {
      this.#memory.misses++;
      return undefined;
    }
    this.#memory.hits++;
    if (young !== undefined) return young;
    this.#old.delete(key);
    this.keep(key, known);
    return known;
  }

  /** This is what the data holds, and nothing newer is committed. */
  keep(key: string, record: Known): void {
    const valueBytes = record?.value.length ?? 0;
    if (valueBytes > VALUE_BYTES_MAX || !this.#isOpen) return;
    this.#young.set(key, record);
    this.#memory.took(OVERHEAD_BYTES + key.length + valueBytes);
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
    this.#isOpen = false;
    this.#memory.closed(this);
    this.#young = new Map();
    this.#old = new Map();
  }
}
