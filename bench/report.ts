/** What a benchmark reports, as data (a contract) and as text. */
import type { CpuMicros } from './cpu.js';
import type { LatencyMs } from './gauge.js';
import type { Kill } from './kills.js';
import type { LevelDbRates } from './leveldb.js';
import type { Op, Via } from './options.js';
import type { WritePause } from './write-pauses.js';

export interface Report {
  readonly op: Op;
  readonly via: Via;
  readonly inFlight: number;
  readonly seconds: number;
  readonly valueBytes: number;
  /** Operations that succeeded. */
  readonly ops: number;
  readonly opsPerSecond: number;
  /** Operations that ended with an error, `unknown` among them. */
  readonly failed: number;
  /** Writes of which nobody can say whether they happened. */
  readonly unknown: number;
  /** Acknowledged writes that were not there at the end. Anything but 0 is a bug. */
  readonly lost: number;
  /** Reads that found less than was acknowledged before them. Anything but 0 is a bug. */
  readonly staleReads: number;
  readonly longestGapMs: number;
  readonly latencyMs: LatencyMs;
  /**
   * What a write and a sync of the disk alone took meanwhile. Null without a cluster of its own, or
   * if it could not be measured to the end.
   */
  readonly diskMs: LatencyMs | null;
  readonly kills: readonly Kill[];
  /** One for each hand-over of a primary, in a cluster started for this. */
  readonly writePauses: readonly WritePause[];
  /** CPU microseconds per operation; null for a cluster that was running already. */
  readonly cpuMicrosPerOp: CpuMicros | null;
  /** With `--via direct`: what LevelDB alone does in this run, and the share of it reached. */
  readonly levelDb: (LevelDbRates & { readonly ratio: number }) | null;
}

export function formatReport(report: Report): string {
  const { latencyMs, diskMs, kills, writePauses, cpuMicrosPerOp: cpu, levelDb } = report;
  const lines = [
    `${report.op} via ${report.via}, ${report.inFlight} in flight, ` +
      `${report.valueBytes}-byte values, ${report.seconds} s`,
    `  ${report.opsPerSecond.toLocaleString('en')} ops/s (${report.ops.toLocaleString('en')} in all)`,
    `  latency ms: ${percentiles(latencyMs)}`,
    `  failed ${report.failed} (unknown ${report.unknown})  lost ${report.lost}  stale reads ${report.staleReads}`,
    `  longest time without a success: ${report.longestGapMs} ms`,
  ];
  if (diskMs !== null) lines.push(`  the disk alone, ms a sync: ${percentiles(diskMs)}`);
  if (cpu !== null) {
    lines.push(
      `  CPU us per operation: client ${cpu.client}  routers ${cpu.routers}  storage ${cpu.storage}`,
    );
  }
  if (levelDb !== null) {
    const { putsPerSecond, getsPerSecond, ratio } = levelDb;
    lines.push(
      `  LevelDB alone: ${putsPerSecond.toLocaleString('en')} puts/s, ` +
        `${getsPerSecond.toLocaleString('en')} gets/s; ratio ${ratio}`,
    );
  }
  if (kills.length > 0) {
    lines.push(
      `  ${kills.length} kills of a ${kills[0]?.role}`,
      `  takeover ms: ${spread(kills.flatMap(({ takeoverMs }) => takeoverMs ?? []))}`,
      `  slowest operation until its restart, ms: ${spread(kills.map(({ slowestMs }) => slowestMs))}`,
      `  the same of each shard that moved: ${spread(kills.flatMap(({ slowestOfShardsMs }) => slowestOfShardsMs))}`,
      `  of each that lost a secondary: ${spread(kills.flatMap(({ slowestOfBereftMs }) => slowestOfBereftMs))}`,
      `  slowest one after that, ms: ${spread(kills.map(({ slowestBackMs }) => slowestBackMs))}`,
      `  all as before after the restart, ms: ${spread(kills.map(({ backMs }) => backMs))}`,
    );
  }
  const missed = kills.flatMap(({ missedEntries }) => missedEntries ?? []);
  if (missed.length > 0) lines.push(`  log entries missed: ${spread(missed)}`);
  if (writePauses.length > 0) {
    const givenUp = writePauses.filter(({ isGivenUp }) => isGivenUp).length;
    lines.push(
      `  write pause of a shard that was handed over, ms: ` +
        `${spread(writePauses.map(({ tookMs }) => tookMs))}, ${givenUp} given up`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function percentiles({ p50, p99, p999, max }: LatencyMs): string {
  return `p50 ${p50}  p99 ${p99}  p99.9 ${p999}  max ${max}`;
}

/** With the 99th percentile, if there are enough values for one. */
function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? '-';
  const p99 = sorted.length >= 100 ? `  p99 ${at(0.99)}` : '';
  return `median ${at(0.5)}${p99}  max ${sorted.at(-1) ?? '-'}  of ${sorted.length}`;
}
