/**
 * Which keys the clients use: a few that all of them want, and thousands that hardly anybody does.
 * A hot key is given up for a new one after some seconds, and any key after some writes of unknown
 * outcome, so that the search for an order of its operations stays short.
 */
import type { Prng } from '../simulation/prng.js';

const HOT_KEYS = 20;
const COLD_KEYS = 3_000;
const HOT_SHARE = 0.6;
const HOT_LIFE_MS = 4_000;
/** What a client wrote without learning the outcome, at most so often per key. */
const UNKNOWN_MAX = 12;

export class Keys {
  readonly #prng: Prng;
  readonly #hot: { generation: number; sinceMs: number }[];
  readonly #unknown = new Map<string, number>();

  constructor(prng: Prng, nowMs: number) {
    this.#prng = prng;
    // Not all of them end at the same moment.
    this.#hot = Array.from({ length: HOT_KEYS }, (_, slot) => {
      return { generation: 0, sinceMs: nowMs - (HOT_LIFE_MS * slot) / HOT_KEYS };
    });
  }

  next(nowMs: number): string {
    if (!this.#prng.chance(HOT_SHARE)) return this.#cold();
    const slot = this.#prng.int(HOT_KEYS);
    const hot = this.#hot[slot]!;
    if (nowMs - hot.sinceMs > HOT_LIFE_MS || this.#isUsedUp(nameOf(slot, hot.generation))) {
      hot.generation++;
      hot.sinceMs = nowMs;
    }
    return nameOf(slot, hot.generation);
  }

  /** The outcome of a write is unknown. */
  lost(key: string): void {
    this.#unknown.set(key, (this.#unknown.get(key) ?? 0) + 1);
  }

  #cold(): string {
    for (;;) {
      const key = `cold-${this.#prng.int(COLD_KEYS)}`;
      if (!this.#isUsedUp(key)) return key;
    }
  }

  #isUsedUp(key: string): boolean {
    return (this.#unknown.get(key) ?? 0) >= UNKNOWN_MAX;
  }
}

function nameOf(slot: number, generation: number): string {
  return `hot-${slot}.${generation}`;
}
