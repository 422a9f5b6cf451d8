/**
 * How many more requests a client may cause than its callers asked for. Without a bound, clients
 * that retry keep an overloaded cluster overloaded.
 *
 * Each call that succeeds earns a tenth of a retry, each retry costs one; the store is large enough
 * for every call in flight to be sent again when a router dies. Attempts that sent nothing are
 * free.
 */
const STORED_MAX = 2_000;
const EARNED_PER_SUCCESS = 0.1;

export class RetryBudget {
  #stored = STORED_MAX;

  earn(): void {
    this.#stored = Math.min(STORED_MAX, this.#stored + EARNED_PER_SUCCESS);
  }

  /** False: there is none left, and the call should fail with what it has. */
  spend(): boolean {
    if (this.#stored < 1) return false;
    this.#stored--;
    return true;
  }
}
