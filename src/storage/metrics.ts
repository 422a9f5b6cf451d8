/** What a storage node counts: plain numbers for whoever exposes them. All but gauges only grow. */
import type { CallKind } from '../model/calls.js';
import type { RefusalCode } from '../model/refusals.js';

export type CallOutcome = 'ok' | RefusalCode;

export class StorageMetrics {
  /** Calls that ended, by `kind/outcome`, for instance `put/ok` or `get/NOT_PRIMARY`. */
  readonly requests = new Map<string, number>();
  /** Rounds that wrote something, and the calls that went into them. */
  rounds = 0;
  roundCalls = 0;
  /** Seconds spent waiting for batches to be durable, and the longest one. */
  fsyncSeconds = 0;
  fsyncSecondsMax = 0;
  /** Gauges: calls held now, and the bytes of their requests. */
  queuedCalls = 0;
  queuedBytes = 0;
  /** Gauge: bytes free on the file system of the data directory, as last looked. */
  diskFreeBytes = 0;

  countRequest(kind: CallKind, outcome: CallOutcome): void {
    const name = `${kind}/${outcome}`;
    this.requests.set(name, (this.requests.get(name) ?? 0) + 1);
  }

  countRound(calls: number, seconds: number): void {
    this.rounds++;
    this.roundCalls += calls;
    this.fsyncSeconds += seconds;
    this.fsyncSecondsMax = Math.max(this.fsyncSecondsMax, seconds);
  }
}
