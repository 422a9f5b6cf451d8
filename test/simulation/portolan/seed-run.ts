/**
 * One seed: a cluster forms, clients load it while everything breaks, everything is healed, and it
 * has to become whole again; then all that was seen is checked.
 *
 * The end of a run checks
 * S5 S12 S13 S21 S22 S23 what clients were told is linearizable, key by key, acknowledged writes
 *   are there and refused ones are not;
 * L1 L2 L4 L5 every shard has its primary and all replicas in sync, one router leads, and no data
 *   is on its way any more, within a bound of true time;
 * L3 every operation of a client has ended;
 * S20 what has rotted on disks was found, at the latest when an operator looks everywhere;
 * S8 S9 the disks of all replicas hold the same.
 */
import { checkHistory, describeVerdict } from '../checkers/check-history.js';
import type { ReadResult } from '../checkers/history.js';
import type { FaultFamily, FaultProfile, FaultScript } from '../fault-profile.js';
import { Nemesis } from '../nemesis.js';
import { NO_FAULTS } from '../sim-zookeeper-options.js';
import { Simulation } from '../simulation.js';
import { Trace } from '../trace.js';
import { whatIsMissing } from './convergence.js';
import { checkDisks } from './disk-check.js';
import { HistoryRecorder } from './history-recorder.js';
import { MapWatch } from './map-watch.js';
import { addressOf } from './member-process.js';
import { drawPlan, type SeedPlan } from './plan.js';
import { Operator } from './operator.js';
import { PortolanCluster } from './portolan-cluster.js';
import { BrokenPromiseError, must } from './promise.js';
import { Probes } from './probes.js';
import { RotWatch } from './rot-watch.js';
import { SafetyWatch } from './safety-watch.js';
import type { SetBackWatch } from './set-back-watch.js';
import { SimClient } from './sim-client.js';

export interface SeedOptions {
  readonly seed: number;
  /** Default true. */
  readonly withFaults?: boolean;
  /** Instead of those that the seed draws. */
  readonly faults?: FaultProfile;
  /**
   * What no cluster has to bear, to see that the checks find what comes of it: clocks that are off
   * by more than leases allow for, drives that say they have synced what they have not.
   */
  readonly beyondModel?: { readonly driftMax?: number; readonly drivesLie?: boolean };
  /** How many of the last lines of the transcript are kept. Default 0. */
  readonly linesMax?: number;
}

export interface SeedReport {
  readonly seed: number;
  /** Of everything that happened: two runs of a seed have the same. */
  readonly hash: number;
  /** Undefined: every promise was kept. */
  readonly failure: SeedFailure | undefined;
  readonly operations: number;
  /** Of these, with an answer that is known. */
  readonly answered: number;
  readonly events: number;
  /** True time that passed in the simulation. */
  readonly simulatedMs: number;
  /** From the end of all faults until the cluster was whole. */
  readonly recoveryMs: number;
  readonly faults: Readonly<Partial<Record<FaultFamily | FaultScript, number>>>;
  readonly probes: Readonly<Record<string, number>>;
  readonly lines: readonly string[];
}

export interface SeedFailure {
  /** An invariant, or a rule of a checker. */
  readonly promise: string;
  readonly message: string;
}

/** A cluster that is not whole by then will not be. */
const FORMED_MS = 20_000;
const RECOVERED_MS = 60_000;
/** Until an operator does what nothing may do by itself. */
const OPERATOR_MS = 5_000;
/** Between two looks of his at disks on which something has rotted. */
const SCRUB_EVERY_MS = 10_000;
/** Load goes on for a while after all is healed. */
const HEALED_LOAD_MS = 300;
const STEP_MS = 50;
/** More in one step is a circle. */
const STEP_EVENTS_MAX = 200_000;

export async function runSeed(options: SeedOptions): Promise<SeedReport> {
  const run = new SeedRun(options);
  const failed = (error: unknown) => run.cluster.fail(error);
  process.on('unhandledRejection', failed);
  let failure: SeedFailure | undefined;
  try {
    await run.run();
  } catch (error) {
    failure = failureOf(error);
  } finally {
    process.off('unhandledRejection', failed);
  }
  return run.report(failure);
}

class SeedRun {
  readonly cluster: PortolanCluster;
  readonly #seed: number;
  readonly #plan: SeedPlan;
  readonly #simulation: Simulation;
  readonly #history: HistoryRecorder;
  readonly #map: MapWatch;
  readonly #rot: RotWatch;
  readonly #probes = new Probes();
  readonly #setBack: SetBackWatch;
  readonly #operator: Operator;
  readonly #nemesis: Nemesis;
  readonly #clients: readonly SimClient[];
  #events = 0;
  #recoveryMs = 0;

  constructor({ seed, withFaults = true, faults, linesMax = 0, beyondModel = {} }: SeedOptions) {
    this.#seed = seed;
    const simulation = new Simulation(seed, new Trace(linesMax));
    this.#simulation = simulation;
    const { prng } = simulation;
    const { driftMax, drivesLie = false } = beyondModel;
    const drawn = drawPlan(prng, { withFaults });
    const plan = {
      ...drawn,
      faults: faults ?? drawn.faults,
      driftMax: driftMax ?? drawn.driftMax,
    };
    this.#plan = plan;
    const probes = this.#probes;
    this.cluster = new PortolanCluster(simulation, {
      plan,
      logged: (who, message, fields) => {
        probes.said(who, message, fields);
        this.#rot.said(who, message);
        watch.said(who, message, fields);
      },
      opened: (life) => this.#rot.opened(life),
      setBack: () => {
        watch.setBack.begin();
        this.#settleLater();
      },
    });
    if (drivesLie) for (const disk of this.cluster.disks) disk.lies = true;
    this.#history = new HistoryRecorder(simulation);
    const map = new MapWatch(this.cluster.zooKeeper, plan.cluster.shards, probes);
    this.#map = map;
    this.#rot = new RotWatch(simulation, { cluster: this.cluster, map, probes });
    const watch = new SafetyWatch(simulation, this.cluster, { map, rot: this.#rot, probes });
    this.#setBack = watch.setBack;
    const operator = { cluster: this.cluster, shape: plan.cluster, probes };
    this.#operator = new Operator(simulation, operator);
    this.#nemesis = new Nemesis(simulation, this.cluster, {
      profile: plan.faults,
      limits: {
        driftMax: plan.driftMax,
        mayLoseDisk: (name, backup) => watch.mayLoseDisk(name, backup),
        mayGoDown: (name) => watch.mayGoDown(name),
        maySetBack: () => watch.maySetBack(),
        rot: this.#rot.rot,
      },
    });
    this.#clients = Array.from({ length: plan.load.clients }, (_, index) => this.#client(index));
  }

  async run(): Promise<void> {
    await this.#untilWhole(FORMED_MS, 'the cluster did not form');
    this.cluster.zooKeeper.chances = this.#plan.zooKeeper.chances;
    this.#nemesis.start();
    for (const client of this.#clients) client.start();
    await this.#pass(this.#plan.faultsMs);
    this.#nemesis.heal();
    this.cluster.zooKeeper.chances = NO_FAULTS;
    const healedAt = this.#simulation.nowMs;
    await this.#pass(HEALED_LOAD_MS);
    for (const client of this.#clients) client.stop();
    await this.#untilWhole(RECOVERED_MS, 'it did not recover');
    this.#recoveryMs = this.#simulation.nowMs - healedAt;
    await this.#untilRotIsFound();
    const finals = await this.#readFinals();
    // The leader may have moved a primary meanwhile: disks are compared at rest.
    await this.#untilWhole(RECOVERED_MS, 'it did not stay whole');
    this.#countSeen();
    this.#checkHistory(finals);
    await checkDisks({
      configs: this.#map.configs,
      diskOf: (node) => this.cluster.diskOf(node),
      hasRotted: (node, prefix) => this.#rot.hasRotted(node, prefix),
    });
  }

  report(failure: SeedFailure | undefined): SeedReport {
    const { operations } = this.#history;
    const { trace, nowMs } = this.#simulation;
    return {
      seed: this.#seed,
      hash: trace.hash,
      failure,
      operations: operations.length,
      answered: operations.filter(({ outcome }) => outcome === 'ok').length,
      events: this.#events,
      simulatedMs: nowMs,
      recoveryMs: this.#recoveryMs,
      faults: Object.fromEntries(this.#nemesis.counts),
      probes: Object.fromEntries(this.#probes.counts),
      lines: trace.lines,
    };
  }

  #client(index: number): SimClient {
    const { cluster, load } = this.#plan;
    const addresses = (letter: string, count: number) =>
      Array.from({ length: count }, (_, at) => addressOf(`${letter}${at + 1}`));
    const name = `c${index + 1}`;
    return new SimClient(this.#simulation, {
      name,
      network: this.cluster.network,
      history: this.#history,
      load,
      prng: this.#simulation.prng.fork(`client ${name}`),
      routers: addresses('r', cluster.routers),
      nodes: addresses('s', cluster.nodes),
    });
  }

  /** Lets so much true time pass. */
  async #pass(ms: number): Promise<void> {
    const untilMs = this.#simulation.nowMs + ms;
    const { reason, events } = await this.#simulation.run({
      untilMs,
      eventsMax: STEP_EVENTS_MAX * Math.max(1, ms / STEP_MS),
    });
    this.#events += events;
    if (this.cluster.failure !== undefined) throw this.cluster.failure;
    must(reason === 'time', 'L3', `the run ended with ${reason}`);
  }

  async #untilWhole(boundMs: number, otherwise: string): Promise<void> {
    const endMs = this.#simulation.nowMs + boundMs;
    for (;;) {
      await this.#pass(STEP_MS);
      const open = this.#history.openCount;
      const missing =
        open > 0
          ? `L3: ${open} operations have not ended`
          : whatIsMissing(this.cluster, this.#map.configs, this.#plan.cluster);
      if (missing === undefined) return;
      const leftMs = endMs - this.#simulation.nowMs;
      if (leftMs <= boundMs - OPERATOR_MS) this.#rot.repairLastCopies();
      if (leftMs > 0) continue;
      const promise = /L\d/.exec(missing)?.[0] ?? 'L1';
      throw new BrokenPromiseError(promise, `${otherwise} within ${boundMs} ms: ${missing}`);
    }
  }

  /** An operator looks now and then, until ZooKeeper knows everything again. */
  #settleLater(): void {
    this.#simulation.after(OPERATOR_MS, () => {
      if (this.#setBack.isSettled) return;
      this.#operator.recover();
      this.#settleLater();
    });
  }

  /** What nobody has come upon is found by whoever looks for it, and its replica learnt anew. */
  async #untilRotIsFound(): Promise<void> {
    if (this.#rot.count === 0) return;
    let lookAtMs = this.#simulation.nowMs;
    const endMs = this.#simulation.nowMs + RECOVERED_MS;
    while (this.#rot.count > 0) {
      must(this.#simulation.nowMs < endMs, 'S20', 'records have rotted, and nobody finds it');
      // Again, as what a scrub found is forgotten by a process that ends before it is acted on.
      if (this.#simulation.nowMs >= lookAtMs) {
        this.#rot.lookEverywhere();
        lookAtMs += SCRUB_EVERY_MS;
      }
      await this.#pass(STEP_MS);
    }
    await this.#untilWhole(RECOVERED_MS, 'it did not recover from rot');
  }

  /** Every key as clients read it now. */
  async #readFinals(): Promise<ReadonlyMap<string, ReadResult>> {
    const keys = new Set(this.#history.operations.map(({ key }) => key));
    const finals = new Map<string, ReadResult>();
    for (const key of keys) {
      this.#clients[0]?.readFinally(key, ({ value, version = 0 }) => {
        finals.set(key, { found: value !== undefined, value, version });
      });
    }
    const endMs = this.#simulation.nowMs + RECOVERED_MS;
    while (finals.size < keys.size) {
      must(this.#simulation.nowMs < endMs, 'L3', 'the last reads were not answered');
      await this.#pass(STEP_MS);
    }
    return finals;
  }

  #checkHistory(finals: ReadonlyMap<string, ReadResult>): void {
    const verdict = checkHistory(this.#history.operations, { finals });
    for (const { outcome, kind, ...operation } of this.#history.operations) {
      if (kind === 'get') continue;
      if (outcome === 'unknown') this.#probes.hit('write with an unknown outcome');
      if (outcome !== 'ok' || !('observed' in operation)) continue;
      if ('applied' in operation.observed && !operation.observed.applied) {
        this.#probes.hit('condition that did not hold');
      }
    }
    if (verdict.verdict === 'legal') return;
    const promise = verdict.violations[0]?.rule ?? 'undecided';
    throw new BrokenPromiseError(promise, describeVerdict(verdict));
  }

  #countSeen(): void {
    const { refusals, elections, fenced } = this.cluster.zooKeeper;
    this.#probes.hit('client refused by a ZooKeeper server that knew less', refusals);
    this.#probes.hit('leader of ZooKeeper lost', elections);
    this.#probes.hit('write of a deposed leader refused by its fence', fenced);
    for (const { storage } of this.cluster.lives) {
      for (const { labels, value } of storage?.metrics.calls.counts() ?? []) {
        this.#probes.refused(labels.outcome, value);
      }
    }
  }
}

function failureOf(error: unknown): SeedFailure {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  const message = error instanceof Error ? error.message : String(error);
  const stack = cause instanceof Error ? `\n${cause.stack ?? ''}` : '';
  if (cause instanceof BrokenPromiseError) return { promise: cause.promise, message };
  const rule = cause instanceof Error && 'rule' in cause ? String(cause.rule) : 'no crash';
  return { promise: rule, message: message + stack };
}
