/**
 * Writes down what clients ask and what they are told, for the checkers. All clients are in this
 * process, so one counter of events orders everything: a call is counted before its request is
 * made, a return after its reply was decoded.
 */
import type {
  Condition,
  Operation,
  ReadResult,
  WriteResult,
} from '../simulation/checkers/history.js';

export type Asked =
  | { readonly kind: 'get'; readonly key: string }
  | {
      readonly kind: 'put';
      readonly key: string;
      readonly arg: string;
      readonly condition?: Condition | undefined;
    }
  | {
      readonly kind: 'delete';
      readonly key: string;
      readonly condition?: Condition | undefined;
    };

/** What an operation was in true time, and through whom; for people who look for a cause. */
export interface Circumstances {
  readonly router: string;
  readonly calledMs: number;
  readonly returnedMs: number;
  /** What the client was told if there was no answer. */
  readonly error?: string | undefined;
}

export type Recorded = Operation & { readonly circumstances: Circumstances };

export interface Caller {
  readonly client: string;
  readonly router: string;
}

/** An operation under way. */
export interface OpenOperation {
  ok(observed: ReadResult | WriteResult): void;
  /** It was definitely not done. */
  refused(error: string): void;
  unknown(error: string): void;
}

export class Recorder {
  readonly operations: Recorded[] = [];
  #events = 0;
  #ids = 0;

  open(asked: Asked, { client, router }: Caller): OpenOperation {
    const call = { id: ++this.#ids, client, ...asked, callAt: ++this.#events };
    const calledMs = Date.now();
    const close = (end: object, error?: string): void => {
      const circumstances = { router, calledMs, returnedMs: Date.now(), error };
      this.operations.push({ ...call, ...end, circumstances } as Recorded);
    };
    return {
      ok: (observed) => close({ returnAt: ++this.#events, outcome: 'ok', observed }),
      refused: (error) => close({ returnAt: ++this.#events, outcome: 'refused' }, error),
      unknown: (error) => close({ returnAt: null, outcome: 'unknown' }, error),
    };
  }

  count(outcome: Operation['outcome']): number {
    return this.operations.filter((operation) => operation.outcome === outcome).length;
  }
}
