/**
 * Counting calls: how many ended how, and how long they took. Plain numbers that cost an addition
 * each; whoever exposes them reads them when asked.
 */
import type { CallKind } from './calls.js';
import type { RefusalCode } from './refusals.js';

/** `cancelled`: the caller gave up. */
export type CallOutcome = 'ok' | 'cancelled' | RefusalCode;

/** Upper bounds of the buckets of durations, in seconds; what took longer is in one more. */
export const DURATION_BOUNDS: readonly number[] = [
  ...[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
];

/** A histogram of durations in seconds. */
export class Durations {
  /** Per bucket, not summed up: one more than there are bounds. */
  readonly counts: number[] = Array.from({ length: DURATION_BOUNDS.length + 1 }, () => 0);
  sum = 0;

  add(seconds: number): void {
    this.sum += seconds;
    const found = DURATION_BOUNDS.findIndex((bound) => seconds <= bound);
    const bucket = found < 0 ? DURATION_BOUNDS.length : found;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
  }
}

export class CallMetrics {
  readonly #ended = new Map<CallKind, Map<CallOutcome, number>>();
  readonly #durations = new Map<CallKind, Durations>();

  ended(op: CallKind, outcome: CallOutcome, seconds: number): void {
    const outcomes = this.#ended.get(op) ?? new Map<CallOutcome, number>();
    this.#ended.set(op, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1));
    const durations = this.#durations.get(op) ?? new Durations();
    this.#durations.set(op, durations);
    durations.add(seconds);
  }

  count(op: CallKind, outcome: CallOutcome): number {
    return this.#ended.get(op)?.get(outcome) ?? 0;
  }

  *counts(): Iterable<{
    readonly labels: { op: string; outcome: string };
    readonly value: number;
  }> {
    for (const [op, outcomes] of this.#ended) {
      for (const [outcome, value] of outcomes) yield { labels: { op, outcome }, value };
    }
  }

  *durations(): Iterable<{ readonly labels: { op: string }; readonly durations: Durations }> {
    for (const [op, durations] of this.#durations) yield { labels: { op }, durations };
  }
}
