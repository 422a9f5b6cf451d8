/**
 * Assertions: how the code states what must never happen, always on.
 *
 * An assertion guards against our own mistakes only. Input from clients and operators is validated
 * and refused (`refusals.ts`), never asserted; a failed disk or network is an error, not a bug.
 */

/** A rule was broken by our own code. Caught only in composition roots, which log and exit. */
export class InvariantViolation extends Error {
  readonly rule: string;

  constructor(rule: string, context: unknown) {
    super(`invariant ${rule} violated: ${JSON.stringify(context)}`);
    this.name = 'InvariantViolation';
    this.rule = rule;
  }
}

/**
 * Throws unless the condition holds.
 *
 * `rule` is the number of an invariant ("S4") or a few words; `context` is built only on failure
 * and must hold no values or secrets of users.
 */
export function assert(
  condition: boolean,
  rule: string,
  context: () => unknown = () => ({}),
): asserts condition {
  if (!condition) throw new InvariantViolation(rule, context());
}

/** Ends a `switch` over a union: the compiler proves that no case is missing. */
export function unreachable(value: never): never {
  throw new InvariantViolation('unreachable', value);
}
