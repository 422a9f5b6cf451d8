/** What many schedules come to, as data and as text. */
import type { Broken, Outcome } from './run.js';

export interface KindReport {
  readonly kind: string;
  readonly count: number;
  /** Without a success, around one of this kind; others may have been there at the same time. */
  readonly longestGap: Longest;
}

/** The longest of many times, and the schedule that shows it again. */
export interface Longest {
  readonly ms: number;
  readonly seed: number;
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
  /** Time from the end of all faults until all was well. */
  readonly longestUntilWell: Longest;
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
    longestUntilWell: longestOf(
      outcomes.flatMap(({ seed, wellMs }) => wellMs.map((ms) => ({ ms, seed }))),
    ),
    broken: outcomes.flatMap(({ seed, broken }) => broken.map((each) => ({ seed, ...each }))),
  };
}

export function formatReport(report: Report): string {
  const { schedules, minutes, operations, keys, faults, longestUntilWell } = report;
  const { acknowledged, refused, unknown } = operations;
  const count = faults.reduce((total, kind) => total + kind.count, 0);
  return [
    `${schedules} schedules in ${minutes} min: ${count} faults`,
    `  operations: ${acknowledged.toLocaleString('en')} acknowledged on ` +
      `${keys.toLocaleString('en')} keys, ${refused} refused, ${unknown} unknown`,
    ...faults.map(({ kind, count: n, longestGap }) => {
      const longest = `longest time without a success ${formatLongest(longestGap)}`;
      return `  ${kind.padEnd(18)} ${String(n).padStart(5)}   ${longest}`;
    }),
    `  longest time from the end of all faults until all was well: ${formatLongest(longestUntilWell)}`,
    '',
  ].join('\n');
}

function formatLongest({ ms, seed }: Longest): string {
  return `${ms} ms (seed ${seed})`;
}

function kindsOf(outcomes: readonly Outcome[]): readonly KindReport[] {
  const gaps = new Map<string, Longest[]>();
  for (const { seed, faults, gapsMs } of outcomes) {
    for (const [index, { kind }] of faults.entries()) {
      const ofKind = gaps.get(kind) ?? [];
      ofKind.push({ ms: gapsMs[index]!, seed });
      gaps.set(kind, ofKind);
    }
  }
  return [...gaps]
    .map(([kind, all]) => ({ kind, count: all.length, longestGap: longestOf(all) }))
    .sort((left, right) => left.kind.localeCompare(right.kind));
}

function longestOf(all: readonly Longest[]): Longest {
  const none: Longest = { ms: 0, seed: all[0]?.seed ?? 0 };
  return all.reduce((longest, each) => (each.ms > longest.ms ? each : longest), none);
}
