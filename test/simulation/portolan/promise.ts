/** A promise of the product that a run saw broken: which one, and by what. */

export class BrokenPromiseError extends Error {
  /** The number of an invariant (src/README.md), or the name of a rule of a checker. */
  readonly promise: string;

  constructor(promise: string, what: string) {
    super(`${promise}: ${what}`);
    this.name = 'BrokenPromiseError';
    this.promise = promise;
  }
}

export function must(holds: boolean, promise: string, what: string): asserts holds {
  if (!holds) throw new BrokenPromiseError(promise, what);
}
