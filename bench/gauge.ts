/** What the load looked like: counts, latencies, and the longest time in which nothing succeeded. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

export interface LatencyMs {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Only operations that took so long are remembered one by one. */
const SLOW_MS = 20;

interface SlowOperation {
  readonly key: number;
  readonly endMs: number;
  readonly tookMs: number;
}

export class Gauge {
  readonly #latency: RecordableHistogram = createHistogram({ highest: 120_000_000_000 });
  /** Times of successes around which a silence longer than any before began. */
  #lastSuccessMs: number;
  #silences: { fromMs: number; toMs: number }[] = [];
  #longestGapMs = 0;
  #slow: SlowOperation[] = [];
  ops = 0;
  failed = 0;
  unknown = 0;

  constructor(nowMs: number) {
    this.#lastSuccessMs = nowMs;
  }

  success(key: number, startMs: number, endMs: number): void {
    this.ops++;
    if (endMs - startMs >= SLOW_MS) this.#slow.push({ key, endMs, tookMs: endMs - startMs });
    this.#latency.record(Math.max(1, Math.round((endMs - startMs) * 1e6)));
    this.#note(endMs);
  }

  /** Closes the last silence, so that a load that ends or rests in one is not praised for it. */
  finish(nowMs: number): void {
    this.#note(nowMs);
  }

  /** A load that rested goes on: its rest was no silence. */
  goOn(nowMs: number): void {
    this.#lastSuccessMs = nowMs;
  }

  get longestGapMs(): number {
    return this.#longestGapMs;
  }

  /** The longest time without a success that overlaps the given one. */
  longestGapWithin(fromMs: number, toMs: number): number {
    return Math.max(
      0,
      ...this.#silences
        .filter((silence) => silence.toMs >= fromMs && silence.fromMs <= toMs)
        .map((silence) => silence.toMs - silence.fromMs),
    );
  }

  /**
   * The slowest operation that ended within the given time, of those on keys that are `ours`;
   * 0 if none was slow.
   */
  slowestWithin(fromMs: number, toMs: number, ours: (key: number) => boolean = () => true): number {
    return this.#slow
      .filter(({ key, endMs }) => endMs >= fromMs && endMs <= toMs && ours(key))
      .reduce((slowest, { tookMs }) => Math.max(slowest, tookMs), 0);
  }

  get latencyMs(): LatencyMs {
    return latencyOf(this.#latency);
  }

  #note(nowMs: number): void {
    const gapMs = nowMs - this.#lastSuccessMs;
    // Only silences long enough to matter are kept: a second of load has thousands of short ones.
    if (gapMs >= 2) this.#silences.push({ fromMs: this.#lastSuccessMs, toMs: nowMs });
    this.#longestGapMs = Math.max(this.#longestGapMs, gapMs);
    this.#lastSuccessMs = nowMs;
  }
}

/** Of times in nanoseconds; all 0 if there are none. */
export function latencyOf(times: RecordableHistogram): LatencyMs {
  if (times.count === 0) return { p50: 0, p99: 0, p999: 0, max: 0 };
  const at = (percentile: number) => round(times.percentile(percentile) / 1e6);
  return { p50: at(50), p99: at(99), p999: at(99.9), max: round(times.max / 1e6) };
}

/** To a hundredth: more digits are noise. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
