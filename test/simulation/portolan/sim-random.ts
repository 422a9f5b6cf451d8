/** Chance of one simulated process: drawn from the seed. */
import type { Uuid } from '../../../src/model/ids.js';
import type { Random } from '../../../src/ports/random.js';
import type { Prng } from '../prng.js';

export class SimRandom implements Random {
  readonly #prng: Prng;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  uuid(): Uuid {
    return (this.nonce() + this.nonce()) as Uuid;
  }

  nonce(): string {
    return this.#word() + this.#word();
  }

  fraction(): number {
    return this.#prng.fraction();
  }

  #word(): string {
    return (this.#prng.bits() >>> 0).toString(16).padStart(8, '0');
  }
}
