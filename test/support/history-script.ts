/** Histories written out by hand, one operation per call; ids count them from 1. */
import type { Operation } from '../simulation/checkers/history.js';

/** Call and return; null = it never returned. */
type Span = readonly [callAt: number, returnAt: number | null];

/** The version that the answer tells, by whether the write was applied; or no answer. */
type WriteAnswer =
  | { readonly applied: number }
  | { readonly notApplied: number }
  | 'refused'
  | 'unknown';

type ReadAnswer = readonly [value: string, version: number] | 'absent' | 'unknown';

export class HistoryScript {
  readonly operations: Operation[] = [];
  readonly #key: string;

  constructor(key = 'k') {
    this.#key = key;
  }

  get(span: Span, answer: ReadAnswer): this {
    const call = { ...this.#call(span), kind: 'get' } as const;
    if (answer === 'unknown') return this.#add({ ...call, outcome: 'unknown' });
    const observed =
      answer === 'absent'
        ? { found: false, version: 0 }
        : { found: true, value: answer[0], version: answer[1] };
    return this.#add({ ...call, outcome: 'ok', observed });
  }

  put(span: Span, arg: string, answer: WriteAnswer, ifVersion?: number): this {
    const call = { ...this.#call(span), ...conditionOf(ifVersion), kind: 'put', arg } as const;
    if (typeof answer === 'string') return this.#add({ ...call, outcome: answer });
    return this.#add({ ...call, outcome: 'ok', observed: observedOf(answer) });
  }

  delete(span: Span, answer: WriteAnswer, ifVersion?: number): this {
    const call = { ...this.#call(span), ...conditionOf(ifVersion), kind: 'delete' } as const;
    if (typeof answer === 'string') return this.#add({ ...call, outcome: answer });
    return this.#add({ ...call, outcome: 'ok', observed: observedOf(answer) });
  }

  #call([callAt, returnAt]: Span) {
    const id = this.operations.length + 1;
    return { id, client: `c${id}`, key: this.#key, callAt, returnAt };
  }

  #add(operation: Operation): this {
    this.operations.push(operation);
    return this;
  }
}

function conditionOf(ifVersion: number | undefined) {
  return ifVersion === undefined ? {} : { condition: { ifVersion } };
}

function observedOf(answer: Exclude<WriteAnswer, string>) {
  return 'applied' in answer
    ? { applied: true, version: answer.applied }
    : { applied: false, version: answer.notApplied };
}
