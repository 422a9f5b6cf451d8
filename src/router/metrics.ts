/** What a router counts about its calls; the admin port reads it. Plain numbers, no library. */
import type { CallKind } from '../model/calls.js';
import type { RefusalCode } from '../model/refusals.js';

export type CallOutcome = 'ok' | 'cancelled' | RefusalCode;

export interface RouterMetrics {
  /** Calls ended, by `op/outcome`, for instance `put/ok` or `get/NO_PRIMARY`. */
  readonly calls: ReadonlyMap<string, number>;
  /** Requests sent to a node again. */
  readonly retries: number;
  /** Calls held at this moment, and bytes of their requests. */
  readonly heldCalls: number;
  readonly heldBytes: number;
  /** Of the calls held: those that wait for the map or for a pause to pass. */
  readonly waitingCalls: number;
}

/** The counters as the data path writes them. */
export class RouterCounters implements RouterMetrics {
  readonly calls = new Map<string, number>();
  retries = 0;
  heldCalls = 0;
  heldBytes = 0;
  waitingCalls = 0;

  ended(kind: CallKind, outcome: CallOutcome): void {
    const name = `${kind}/${outcome}`;
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
  }
}
