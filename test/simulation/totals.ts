/** What many seeds came to. */
import { missingOf, PROBES } from './portolan/probes.js';
import type { SeedReport } from './portolan/seed-run.js';

export interface FailedSeed {
  readonly seed: number;
  readonly promise: string;
  readonly message: string;
}

/** Fewer seeds may well miss a rare situation. */
const PROBES_FROM_SEEDS = 10_000;

export class Totals {
  readonly failures: FailedSeed[] = [];
  readonly #startedAt = performance.now();
  readonly #faults = new Map<string, number>();
  readonly #probes = new Map<string, number>(PROBES.map((name) => [name, 0]));
  seeds = 0;
  operations = 0;
  answered = 0;
  events = 0;
  simulatedMs = 0;
  recoveryMsMax = 0;

  add({ seed, failure, faults, probes, ...report }: SeedReport): void {
    this.seeds++;
    this.operations += report.operations;
    this.answered += report.answered;
    this.events += report.events;
    this.simulatedMs += report.simulatedMs;
    this.recoveryMsMax = Math.max(this.recoveryMsMax, report.recoveryMs);
    addAll(this.#faults, faults);
    addAll(this.#probes, probes);
    if (failure !== undefined) this.failures.push({ seed, ...failure });
  }

  /** A seed that did not even come to its end. */
  broke(seed: number, message: string): void {
    this.seeds++;
    this.failures.push({ seed, promise: 'no crash', message });
  }

  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  /** Situations that did not come up although there was time enough. */
  get missing(): readonly string[] {
    if (this.seeds < PROBES_FROM_SEEDS) return [];
    return missingOf(Object.fromEntries(this.#probes));
  }

  get isGood(): boolean {
    return this.failures.length === 0 && this.missing.length === 0;
  }

  toJSON() {
    const { seeds, seconds, operations, answered, events, missing, failures } = this;
    return {
      seeds,
      seconds: Math.round(seconds * 10) / 10,
      seedsPerHour: Math.round((seeds / seconds) * 3600),
      operations,
      answered,
      events,
      simulatedSeconds: Math.round(this.simulatedMs / 1000),
      recoveryMsMax: Math.round(this.recoveryMsMax),
      faults: Object.fromEntries([...this.#faults].sort()),
      probes: Object.fromEntries(this.#probes),
      missing,
      failures,
    };
  }
}

function addAll(sums: Map<string, number>, counts: Readonly<Record<string, number | undefined>>) {
  for (const [name, count = 0] of Object.entries(counts)) {
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
}
