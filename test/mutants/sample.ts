/** Which seeds are tried and which mutants are taken, as functions of one number. */
import { Prng } from '../simulation/prng.js';

/** Starts are so far apart that no two tries share a seed. */
const APART = 1_000_000;
/** Seeds are 32 bits. */
const STARTS_MAX = 4_000;

export function startsOf(seed: number, count: number): readonly number[] {
  const first = Prng.of(seed).fork('starts').int(STARTS_MAX);
  return Array.from({ length: count }, (_, index) => ((first + index) % STARTS_MAX) * APART);
}

/** A permutation. */
export function shuffled<T>(list: readonly T[], seed: number): readonly T[] {
  return Prng.of(seed).fork('sample').shuffled(list);
}
