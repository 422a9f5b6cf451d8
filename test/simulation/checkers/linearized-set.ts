/**
 * Which operations a search has put in order so far, with a hash that is kept up to date.
 *
 * Zobrist hashing: each operation has a random number, and the hash of a set is the exclusive or of
 * its numbers, so adding and removing cost the same. A hash only finds candidates; what is compared,
 * exactly, are snapshots.
 */

const WORD_BITS = 32;
const FULL_WORD = -1;
const HASH_SEED = 0x9e3779b9;

export class LinearizedSet {
  /** Bits of the required operations, in the order of their calls. */
  readonly #required: Int32Array;
  readonly #optional: Int32Array;
  readonly #requiredCount: number;
  readonly #zobristHigh: Int32Array;
  readonly #zobristLow: Int32Array;
  #high = 0;
  #low = 0;
  /** Words of `#required` before this one are full. */
  #firstOpen = 0;
  /** Words of `#required` from this one on are empty. */
  #end = 0;

  /** Members 0 to `required` - 1 are the required operations, the next ones the optional ones. */
  constructor({ required, optional }: { readonly required: number; readonly optional: number }) {
    this.#requiredCount = required;
    this.#required = new Int32Array(Math.ceil(required / WORD_BITS));
    this.#optional = new Int32Array(Math.ceil(optional / WORD_BITS));
    const next = xorshift(HASH_SEED);
    this.#zobristHigh = Int32Array.from({ length: required + optional }, next);
    this.#zobristLow = Int32Array.from({ length: required + optional }, next);
  }

  add(member: number): void {
    this.#toggle(member);
    if (member >= this.#requiredCount) return;
    this.#end = Math.max(this.#end, Math.floor(member / WORD_BITS) + 1);
    while (this.#required[this.#firstOpen] === FULL_WORD) this.#firstOpen++;
  }

  remove(member: number): void {
    this.#toggle(member);
    if (member >= this.#requiredCount) return;
    this.#firstOpen = Math.min(this.#firstOpen, Math.floor(member / WORD_BITS));
    while (this.#end > 0 && this.#required[this.#end - 1] === 0) this.#end--;
  }

  /** A number below 2^53 that is likely to be another one for another set or state. */
  hashWith(state: number): number {
    const high = this.#high ^ Math.imul(state + 1, 0x85ebca6b);
    const low = this.#low ^ Math.imul(state + 1, 0xc2b2ae35);
    return (high & 0x1f_ffff) * 2 ** WORD_BITS + (low >>> 0);
  }

  /**
   * The set and the state, equal in every element for equal ones only. Short however long the
   * history is: operations are put in order roughly as they were called, so what lies between the
   * full words and the empty ones is about as wide as there are clients.
   */
  snapshot(state: number): Int32Array {
    const from = Math.min(this.#firstOpen, this.#end);
    const width = this.#end - from;
    const snapshot = new Int32Array(2 + width + this.#optional.length);
    snapshot[0] = state;
    snapshot[1] = from;
    snapshot.set(this.#required.subarray(from, this.#end), 2);
    snapshot.set(this.#optional, 2 + width);
    return snapshot;
  }

  #toggle(member: number): void {
    const isRequired = member < this.#requiredCount;
    const words = isRequired ? this.#required : this.#optional;
    const bit = isRequired ? member : member - this.#requiredCount;
    words[Math.floor(bit / WORD_BITS)]! ^= 1 << (bit % WORD_BITS);
    this.#high ^= this.#zobristHigh[member]!;
    this.#low ^= this.#zobristLow[member]!;
  }
}

/** The sets and states a search has been at. */
export class VisitedSets {
  readonly #byHash = new Map<number, Int32Array[]>();

  /** False if it was there already. */
  add(set: LinearizedSet, state: number): boolean {
    const hash = set.hashWith(state);
    const snapshot = set.snapshot(state);
    const candidates = this.#byHash.get(hash);
    if (candidates === undefined) {
      this.#byHash.set(hash, [snapshot]);
      return true;
    }
    if (candidates.some((candidate) => areEqual(candidate, snapshot))) return false;
    candidates.push(snapshot);
    return true;
  }
}

function areEqual(left: Int32Array, right: Int32Array): boolean {
  return left.length === right.length && left.every((word, at) => word === right[at]);
}

/** Marsaglia's 32-bit generator: the same numbers in every run. */
function xorshift(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
}
