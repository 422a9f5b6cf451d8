/**
 * Chance of a simulation: every draw follows from one seed.
 *
 * The generator is sfc32 of Chris Doty-Humphrey's PractRand (pracrand.sourceforge.net, RNG_engines):
 * 128 bits of state of which 32 count, so no cycle is shorter than 2^32 draws, and no multiplication.
 * Not for secrets.
 */

/** Draws that mix a seed's words before the first one is used; PractRand takes 12 to 15. */
const WARM_UP_DRAWS = 12;

/** Four words of a seed; equal words give equal streams. */
type Seed = readonly [number, number, number, number];

export class Prng {
  readonly #seed: Seed;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  private constructor(seed: Seed) {
    this.#seed = seed;
    [this.#a, this.#b, this.#c] = seed;
    this.#counter = seed[3] | 1;
    for (let draw = 0; draw < WARM_UP_DRAWS; draw++) this.bits();
  }

  /** The root stream of a seed: an integer of up to 53 bits. */
  static of(seed: number): Prng {
    return new Prng([seed | 0, Math.floor(seed / 2 ** 32) | 0, 0x9e3779b9, 0x243f6a88]);
  }

  /**
   * The stream of that name. It depends on the seed and the names that led to it, not on what was
   * drawn before: a draw more in one place leaves all other places as they were. Twice the same
   * name is twice the same stream.
   */
  fork(label: string): Prng {
    let [a, b, c, d] = this.#seed;
    for (let index = 0; index < label.length; index++) {
      const code = label.charCodeAt(index) + 1;
      a = Math.imul(a ^ code, 0x85ebca6b);
      b = Math.imul(b ^ (a >>> 13), 0xc2b2ae35);
      c = (c + (b ^ (code << 7))) | 0;
      d = Math.imul(d ^ (c >>> 16) ^ code, 0x27d4eb2f);
    }
    return new Prng([a, b, c, d]);
  }

  /** 32 random bits, as an integer of -2^31 to 2^31 - 1. */
  bits(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum;
  }

  /** Uniform in [0, 1), in steps of 2^-32. */
  fraction(): number {
    return (this.bits() >>> 0) / 2 ** 32;
  }

  /** True with probability `p`. Draws also where the answer is certain. */
  chance(p: number): boolean {
    return this.fraction() < p;
  }

  /** An integer of 0 to `bound` - 1; `bound` far below 2^32, or the lower ones come more often. */
  int(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  /** Uniform in [from, to). */
  range(from: number, to: number): number {
    return from + this.fraction() * (to - from);
  }

  /** The gap to the next of independent events that are `mean` apart on average. */
  exponential(mean: number): number {
    return -Math.log(1 - this.fraction()) * mean;
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Error('nothing to pick from');
    return list[this.int(list.length)]!;
  }

  /** The same elements in a random order (Fisher and Yates). */
  shuffled<T>(list: readonly T[]): T[] {
    const result = [...list];
    for (let end = result.length - 1; end > 0; end--) {
      const other = this.int(end + 1);
      [result[end], result[other]] = [result[other]!, result[end]!];
    }
    return result;
  }
}
