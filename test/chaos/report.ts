/** What many schedules come to, as data and as text. */
import type { Broken, Outcome } from './run.js';

export interface KindReport {
  readonly kind: string;
  readonly count: number;
  /** Around one of this kind; others may have been there at the same time. */
  readonly longestGapMs: number;
}

export interface Report {
  readonly schedules: number;
  readonly passed: number;
  readonly failed: number;
  readonly minutes: number;
  readonly operations: {
    readonly acknowledged: number;
    readonly refused: number;
    readonly unknown: number;
  };
  /** Summed over the schedules. */
  readonly keys: number;
  readonly faults: readonly KindReport[];
  /** Longest time from the end of all faults until all was well. */
  readonly longestUntilWellMs: number;
  readonly broken: readonly (Broken & { readonly seed: number })[];
}

export function reportOf(outcomes: readonly Outcome[], minutes: number): Report {
  const sum = (of: (outcome: Outcome) => number) => {
    return outcomes.reduce((total, outcome) => total + of(outcome), 0);
  };
  const passed = outcomes.filter(({ broken }) => broken.length === 0).length;
  return {
    schedules: outcomes.length,
    passed,
    failed: outcomes.length - passed,
    minutes: Math.round(minutes * 10) / 10,
    operations: {
      acknowledged: sum(({ counts }) => counts.acknowledged),
      refused: sum(({ counts }) => counts.refused),
      unknown: sum(({ counts }) => counts.unknown),
    },
    keys: sum(({ counts }) => counts.keys),
    faults: kindsOf(outcomes),
    longestUntilWellMs: Math.max(0, ...outcomes.flatMap(({ wellMs }) => wellMs)),
    broken: outcomes.flatMap(({ seed, broken }) => broken.map((each) => ({ seed, ...each }))),
  };
}

export function formatReport(report: Report): string {
  const { schedules, minutes, operations, keys, faults, longestUntilWellMs } = report;
  const { acknowledged, refused, unknown } = operations;
  const count = faults.reduce((total, kind) => total + kind.count, 0);
  return [
    `${schedules} schedules in ${minutes} min: ${count} faults`,
    `  operations: ${acknowledged.toLocaleString('en')} acknowledged on ` +
      `${keys.toLocaleString('en')} keys, ${refused} refused, ${unknown} unknown`,
    ...faults.map(({ kind, count: n, longestGapMs }) => {
      return `  ${kind.padEnd(18)} ${String(n).padStart(5)}   longest time without a success ${longestGapMs} ms`;
    }),
    `  longest time from the end of all faults until all was well: ${longestUntilWellMs} ms`,
    '',
  ].join('\n');
}

function kindsOf(outcomes: readonly Outcome[]): readonly KindReport[] {
  const kinds = new Map<string, KindReport>();
  for (const { faults, gapsMs } of outcomes) {
    for (const [index, { kind }] of faults.entries()) {
      const { count, longestGapMs } = kinds.get(kind) ?? { count: 0, longestGapMs: 0 };
      const longest = Math.max(longestGapMs, gapsMs[index]!);
      kinds.set(kind, { kind, count: count + 1, longestGapMs: longest });
    }
  }
  return [...kinds.values()].sort((left, right) => left.kind.localeCompare(right.kind));
}
