/** Faults that a test arranges for coming calls of a session. */

/** A kind of call, as faults are arranged for it. `exists` is the second half of a watched read. */
export type Call =
  | 'read'
  | 'exists'
  | 'children'
  | 'create'
  | 'set'
  | 'remove'
  | 'multi'
  | 'barrier';

export interface ArrangedFault<C, F> {
  readonly call: C;
  readonly fault: F;
  /** Happens when the fault does: behind what the call did, before its caller learns anything. */
  readonly then: () => void;
}

export class CallFaults<C extends string, F> {
  readonly #arranged: ArrangedFault<C, F>[] = [];

  /** The next call of this kind that has no fault yet meets this one. */
  arrange(call: C, fault: F, then: () => void = () => undefined): void {
    this.#arranged.push({ call, fault, then });
  }

  /** For a call that is made now. */
  take(call: C): ArrangedFault<C, F> | undefined {
    const at = this.#arranged.findIndex((arranged) => arranged.call === call);
    return at < 0 ? undefined : this.#arranged.splice(at, 1)[0];
  }
}
