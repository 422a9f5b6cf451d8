/** The roles' chance, from the seed of a simulation. */
import type { Uuid } from '../../src/model/ids.js';
import type { Random } from '../../src/ports/random.js';
import type { Prng } from './prng.js';

export class SeededRandom implements Random {
  readonly #prng: Prng;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  uuid(): Uuid {
    return this.#hex(4) as Uuid;
  }

  nonce(): string {
    return this.#hex(2);
  }

  fraction(): number {
    return this.#prng.fraction();
  }

  #hex(words: number): string {
    let text = '';
    for (let word = 0; word < words; word++) {
      text += (this.#prng.bits() >>> 0).toString(16).padStart(8, '0');
    }
    return text;
  }
}
