/** One benchmark from beginning to end: cluster, warm-up, load, kills, verification, report. */
import { type Client, connect } from '../src/client/index.js';
import { type OwnCluster, startCluster } from './cluster.js';
import { cpuNow, cpuPerOp, type CpuMicros } from './cpu.js';
import { DirectStore } from './direct.js';
import { DiskProbe } from './disk-probe.js';
import { SIGNALS } from './folder.js';
import { Gauge } from './gauge.js';
import { Killer } from './kills.js';
import { Ledger } from './ledger.js';
import { type LevelDbRates, meanOf, measureLevelDb } from './leveldb.js';
import { Load } from './load.js';
import type { BenchOptions } from './options.js';
import { pause } from './poll.js';
import type { Report } from './report.js';
import { routerStore, type Store } from './store.js';

const LEVELDB_SECONDS = 3;

export async function runBenchmark(options: BenchOptions): Promise<Report> {
  const own = options.routers === undefined ? await startOwn(options) : undefined;
  const routers = options.routers ?? own?.routers.map(({ address }) => address) ?? [];
  const client = connect([...routers], { timeoutMs: options.timeoutMs });
  const ending = new AbortController();
  const stop = async (): Promise<void> => {
    ending.abort();
    await client.close();
    await own?.stop();
  };
  // The first one ends all in order, a second one at once.
  let isInterrupted = false;
  const interrupts = Object.entries(SIGNALS).map(([signal, code]) => {
    const interrupted = (): void => {
      if (isInterrupted) process.exit(code);
      isInterrupted = true;
      void stop().finally(() => process.exit(code));
    };
    process.on(signal, interrupted);
    return () => process.off(signal, interrupted);
  });
  try {
    const store =
      options.via === 'direct'
        ? await DirectStore.open(client, options.timeoutMs)
        : routerStore(client);
    try {
      return await measure(options, { store, client, own, ending: ending.signal });
    } finally {
      store.close();
    }
  } finally {
    for (const ignore of interrupts) ignore();
    await stop();
  }
}

async function startOwn({ replicas, restartAfterMs }: BenchOptions): Promise<OwnCluster> {
  say(`starting a cluster: 3 routers, 3 storage nodes, ${replicas} replicas`);
  return startCluster(replicas, restartAfterMs);
}

interface Target {
  readonly store: Store;
  readonly client: Client;
  /** Undefined: somebody else's cluster. */
  readonly own: OwnCluster | undefined;
  readonly ending: AbortSignal;
}

async function measure(
  options: BenchOptions,
  { store, client, own, ending }: Target,
): Promise<Report> {
  const ledger = new Ledger(options.keys);
  const levelDbBefore = options.via === 'direct' ? await levelDbAlone(options) : undefined;
  const load = new Load(store, ledger, { ...options, ending }, new Gauge(performance.now()));
  if (options.op !== 'put') {
    say(`writing ${options.keys} keys to read`);
    await load.fill();
  }
  const disk = own && (await DiskProbe.start());
  say(`warming up for ${options.warmupSeconds} s`);
  load.start();
  await pause(options.warmupSeconds * 1000);

  const startMs = performance.now();
  load.gauge = new Gauge(startMs);
  own?.pauses.take(); // Of the warm-up.
  const cpuBefore = own && cpuNow(own);
  const killer =
    own && options.kill !== undefined
      ? new Killer({
          cluster: own,
          client,
          load,
          role: options.kill,
          signal: options.signal,
          stoppedMs: options.restartAfterMs ?? 0,
          miss: options.miss,
          keys: ledger.names,
        })
      : undefined;
  const progress = setInterval(() => showProgress(load, startMs), 1000);
  try {
    await applyFaults(options, load, killer, startMs);
  } finally {
    clearInterval(progress);
    await load.stop();
  }
  const seconds = (performance.now() - startMs) / 1000;
  const diskMs = (await disk?.stop()) ?? null;
  if (disk && diskMs === null) say('what the disk alone takes is not known: its probe ended early');
  // A member that was killed took its count along.
  const isCounted = cpuBefore !== undefined && own !== undefined && killer === undefined;
  const cpu = isCounted ? cpuPerOp(cpuBefore, cpuNow(own), load.gauge.ops) : null;
  const levelDb = levelDbBefore ? meanOf(levelDbBefore, await levelDbAlone(options)) : null;
  say('reading back every acknowledged write');
  const lost = await load.countLost();
  const [kills, writePauses] = [killer?.kills ?? [], own?.pauses.take() ?? []];
  return reportOf(options, load, { seconds, lost, diskMs, kills, writePauses, cpu, levelDb });
}

async function levelDbAlone({ keys, valueBytes }: BenchOptions): Promise<LevelDbRates> {
  say(`measuring LevelDB alone for ${2 * LEVELDB_SECONDS} s`);
  return measureLevelDb(keys, valueBytes, LEVELDB_SECONDS);
}

/** Lets the load run for its time, killing at each interval. */
async function applyFaults(
  options: BenchOptions,
  load: Load,
  killer: Killer | undefined,
  startMs: number,
): Promise<void> {
  const endMs = startMs + options.seconds * 1000;
  for (let next = 1; killer !== undefined; next++) {
    const atMs = startMs + next * options.every * 1000;
    // A kill may take longer than the time to the next one.
    if (Math.max(atMs, performance.now()) >= endMs) break;
    await pause(atMs - performance.now());
    const kill = await killer.kill(startMs);
    const { role, takeoverMs, gapMs, slowestMs, slowestBackMs, backMs, missedOps } = kill;
    const { missedEntries, installs } = kill;
    const entries = missedEntries === null ? '' : ` (${missedEntries} log entries)`;
    say(
      `killed a ${role}: takeover ${takeoverMs ?? '-'} ms, gap ${gapMs} ms, slowest operation ` +
        `${slowestMs} ms; back ${backMs} ms after its start, slowest meanwhile ${slowestBackMs} ms, ` +
        `${missedOps} operations missed${entries}, ${installs} installs`,
    );
  }
  await pause(endMs - performance.now());
}

function reportOf(
  options: BenchOptions,
  load: Load,
  { seconds, lost, diskMs, kills, writePauses, cpu, levelDb }: Measured,
): Report {
  const { gauge } = load;
  const opsPerSecond = Math.round(gauge.ops / seconds);
  return {
    op: options.op,
    via: options.via,
    inFlight: options.inFlight,
    seconds: Math.round(seconds * 10) / 10,
    valueBytes: options.valueBytes,
    ops: gauge.ops,
    opsPerSecond,
    failed: gauge.failed,
    unknown: gauge.unknown,
    lost,
    staleReads: load.staleReads,
    longestGapMs: Math.round(gauge.longestGapMs),
    latencyMs: gauge.latencyMs,
    diskMs,
    kills,
    writePauses,
    cpuMicrosPerOp: cpu,
    levelDb: levelDb && { ...levelDb, ratio: ratioOf(options, opsPerSecond, levelDb) },
  };
}

interface Measured {
  readonly seconds: number;
  readonly lost: number;
  readonly diskMs: Report['diskMs'];
  readonly kills: Report['kills'];
  readonly writePauses: Report['writePauses'];
  readonly cpu: CpuMicros | null;
  readonly levelDb: LevelDbRates | null;
}

/** Half of the operations of a mixed load are puts, so the limit is that of one of each. */
function ratioOf({ op }: BenchOptions, opsPerSecond: number, limit: LevelDbRates): number {
  const { putsPerSecond, getsPerSecond } = limit;
  const mixed = 2 / (1 / putsPerSecond + 1 / getsPerSecond);
  const alone = op === 'put' ? putsPerSecond : op === 'get' ? getsPerSecond : mixed;
  return Math.round((opsPerSecond / alone) * 1000) / 1000;
}

function showProgress(load: Load, startMs: number): void {
  const seconds = (performance.now() - startMs) / 1000;
  const { ops, failed, latencyMs } = load.gauge;
  const rate = Math.round(ops / seconds).toLocaleString('en');
  say(
    `${seconds.toFixed(0).padStart(4)} s  ${rate} ops/s  p99 ${latencyMs.p99} ms  failed ${failed}`,
  );
}

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
