/**
 * One schedule from beginning to end: a fresh cluster, clients, storms, then everything healed, and
 * the judgement: is the cluster well again by itself, is every acknowledged write there and every
 * deleted key gone, and is there an order that explains every answer that any client was given.
 */
import { join } from 'node:path';
import { type ClusterStatus, connect } from '../../src/client/index.js';
import { Gauge } from '../../bench/gauge.js';
import { checkHistory, describeVerdict } from '../simulation/checkers/check-history.js';
import type { ReadResult } from '../simulation/checkers/history.js';
import { Prng } from '../simulation/prng.js';
import { ChaosCluster } from './cluster.js';
import { keepEvidence } from './evidence.js';
import { Keys } from './keys.js';
import { type Contents, contentsOf, differences } from './replicas.js';
import { readBack } from './read-back.js';
import { Recorder } from './recorder.js';
import { type Family, type Schedule, scheduleOf } from './schedule.js';
import { type DoneFault, Storms } from './storms.js';
import { Workload } from './workload.js';

export interface RunOptions {
  readonly seed: number;
  readonly storms: number;
  readonly families: readonly Family[];
  /** Servers of ZooKeeper. */
  readonly zooKeeper: number;
  /** Made by the caller, who removes it. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** What was promised and not kept: by the number of the promise in src/README.md, or its name. */
export interface Broken {
  readonly promise: string;
  readonly what: string;
}

export interface Outcome {
  readonly seed: number;
  readonly broken: readonly Broken[];
  readonly counts: {
    readonly acknowledged: number;
    readonly refused: number;
    readonly unknown: number;
    readonly keys: number;
  };
  readonly faults: readonly DoneFault[];
  /** Longest time without a success around each fault, in the order of `faults`. */
  readonly gapsMs: readonly number[];
  /** Until all was well after everything was healed, each time it was waited for. */
  readonly wellMs: readonly number[];
}

const SHAPE = { routers: 3, storage: 3 };
const SHARDS = 16;
const REPLICAS = 3;
/**
 * Until a cluster must be well when nothing is broken any more. Far above what it needs, which is
 * reported: the machine may have other things to do.
 */
const WELL_MS = 120_000;
/** Load without faults before the first storm, and after each one that is waited out. */
const CALM_MS = 2_000;
/**
 * What must be acknowledged in that time, or a while later where the machine has other things to do:
 * a run without load proves nothing (as etcd's robustness tests have it).
 */
const CALM_OPS = 60;
const CALM_MS_MAX = 30_000;
const LOOK_EVERY_MS = 200;

export class Run {
  readonly #options: RunOptions;
  readonly #schedule: Schedule;
  readonly #chaos: ChaosCluster;
  readonly #recorder = new Recorder();
  readonly #gauge = new Gauge(performance.now());
  readonly #workload: Workload;
  readonly #storms: Storms;
  readonly #broken: Broken[] = [];
  readonly #wellMs: number[] = [];
  readonly #keys: Keys;
  #leader = 'r1';
  #isOver = false;

  private constructor(options: RunOptions, chaos: ChaosCluster) {
    this.#options = options;
    this.#chaos = chaos;
    this.#schedule = scheduleOf({ ...SHAPE, ...options });
    const prng = Prng.of(options.seed).fork('clients');
    this.#keys = new Keys(prng.fork('keys'), performance.now());
    const { cluster, routers } = chaos;
    this.#workload = new Workload({
      routers: routers.map((id) => ({ id, address: cluster.addressOf(id) })),
      recorder: this.#recorder,
      gauge: this.#gauge,
      keys: this.#keys,
      prng,
      clients: 8 + prng.int(5),
    });
    this.#storms = new Storms(chaos, () => this.#leader, options.say);
  }

  static async start(options: RunOptions): Promise<Run> {
    const { folder, families, zooKeeper } = options;
    const shape = { ...SHAPE, zooKeeper, shards: SHARDS };
    const smallDisks = families.includes('disk');
    const chaos = await ChaosCluster.start({ ...shape, folder, smallDisks });
    return new Run(options, chaos);
  }

  /** The whole schedule and the judgement; no process runs any more after it. */
  async run(): Promise<Outcome> {
    try {
      return await this.#run();
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async #run(): Promise<Outcome> {
    const watching = this.#watchLeader();
    if (await this.#isWell()) {
      this.#workload.start();
      await this.#storm();
      await this.#workload.stop();
    }
    const finals = this.#broken.length === 0 ? await this.#readBack() : undefined;
    this.#isOver = true;
    await watching;
    this.#judgeRun();
    this.#judgeHistory(finals);
    await this.#chaos.end();
    if (finals !== undefined) await this.#judgeReplicas();
    return this.#outcome();
  }

  /** Ends every process, and nothing else: for somebody who does not want to wait any more. */
  async abort(): Promise<void> {
    this.#isOver = true;
    await this.#chaos.close();
    await this.#workload.stop();
  }

  /**
   * Once {@link run} has ended: removes the small disks. If a promise was broken, everything that
   * may help to find out why is kept in the folder.
   */
  async close(outcome: Outcome): Promise<void> {
    if (outcome.broken.length > 0) {
      await keepEvidence(this.#options.folder, {
        outcome,
        schedule: this.#schedule,
        operations: this.#recorder.operations,
        logs: this.#chaos.logs(),
        storage: this.#chaos.storage,
      });
    }
    await this.#chaos.close();
  }

  async #storm(): Promise<void> {
    const { storms } = this.#schedule;
    await this.#calm();
    for (const [index, storm] of storms.entries()) {
      this.#sayProgress(`storm ${index + 1} of ${storms.length}`);
      await this.#storms.run(storm, () => this.#isOver);
      if (this.#isOver) return;
      if (storm.then !== 'untilWell' && index < storms.length - 1) await pause(storm.then);
      else if (await this.#isWell()) await this.#calm();
      else return;
    }
  }

  /** Whether everything is well in time, with nothing broken any more. */
  async #isWell(): Promise<boolean> {
    await this.#storms.heal();
    const { cluster } = this.#chaos;
    const healedMs = performance.now();
    try {
      const isWell = (status: ClusterStatus): boolean =>
        status.healthy &&
        status.candidates.length === SHAPE.routers &&
        status.shards.every(({ isr }) => isr.length === REPLICAS);
      await cluster.until(isWell, { timeoutMs: WELL_MS });
    } catch (error) {
      const what = `${WELL_MS} ms after everything was healed: ${String(error)}`;
      this.#breaks('recovers by itself', what);
      return false;
    }
    this.#wellMs.push(Math.round(performance.now() - healedMs));
    return true;
  }

  /** Load while nothing is broken: what is acknowledged here shows that the load is a load. */
  async #calm(): Promise<void> {
    const before = this.#gauge.ops;
    const fromMs = performance.now();
    const ops = (): number => this.#gauge.ops - before;
    await pause(CALM_MS);
    while (ops() < CALM_OPS && performance.now() - fromMs < CALM_MS_MAX) await pause(LOOK_EVERY_MS);
    if (ops() >= CALM_OPS) return;
    const what = `${ops()} operations acknowledged in ${CALM_MS_MAX} ms in which all was well`;
    this.#breaks('the run proves something', what);
  }

  /** Every key that was ever used; undefined if not every one could be read. */
  async #readBack(): Promise<ReadonlyMap<string, ReadResult> | undefined> {
    const keys = [...new Set(this.#recorder.operations.map(({ key }) => key))];
    try {
      return await readBack(keys, this.#chaos.cluster.routerAddresses);
    } catch (error) {
      this.#breaks('serves what it has', `when all was well: ${String(error)}`);
      return undefined;
    }
  }

  #judgeRun(): void {
    for (const what of this.#chaos.problems) this.#breaks('no process ends by itself', what);
    for (const what of this.#storms.problems) this.#breaks('faults can be undone', what);
  }

  #judgeHistory(finals: ReadonlyMap<string, ReadResult> | undefined): void {
    try {
      const verdict = checkHistory(this.#recorder.operations, { finals });
      if (verdict.verdict === 'legal') return;
      this.#breaks('every answer is linearizable', describeVerdict(verdict));
    } catch (error) {
      this.#breaks('the history can be judged', String(error));
    }
  }

  /** After every process has ended. */
  async #judgeReplicas(): Promise<void> {
    const contents = new Map<string, Contents>();
    try {
      for (const id of this.#chaos.storage) {
        contents.set(id, await contentsOf(join(this.#options.folder, id)));
      }
    } catch (error) {
      return this.#breaks('data directories can be read', String(error));
    }
    const different = differences(contents);
    if (different.length > 0) this.#breaks('replicas are the same', different.join('\n'));
  }

  #breaks(promise: string, what: string): void {
    this.#broken.push({ promise, what });
  }

  #outcome(): Outcome {
    const { operations } = this.#recorder;
    const faults = this.#storms.done;
    this.#gauge.finish(performance.now());
    return {
      seed: this.#schedule.seed,
      broken: this.#broken,
      counts: {
        acknowledged: this.#recorder.count('ok'),
        refused: this.#recorder.count('refused'),
        unknown: this.#recorder.count('unknown'),
        keys: new Set(operations.map(({ key }) => key)).size,
      },
      faults,
      gapsMs: faults.map(({ fromMs, toMs }) => {
        return Math.round(this.#gauge.longestGapWithin(fromMs, toMs));
      }),
      wellMs: this.#wellMs,
    };
  }

  /** Faults that hit whoever leads need to know who does. */
  async #watchLeader(): Promise<void> {
    const client = connect(this.#chaos.cluster.routerAddresses);
    while (!this.#isOver) {
      const status = await client.status({ timeoutMs: 500 }).catch(() => undefined);
      this.#leader = status?.leader?.id ?? this.#leader;
      await pause(LOOK_EVERY_MS);
    }
    await client.close();
  }

  #sayProgress(what: string): void {
    const { ops, failed, unknown } = this.#gauge;
    const counts = `${ops} acknowledged, ${failed - unknown} refused, ${unknown} unknown`;
    this.#options.say(`${what}: ${counts} so far`);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
