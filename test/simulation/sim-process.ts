/**
 * One life of a process: what is for it is run, kept until it goes on, or lost with it.
 *
 * Everything a process does begins with {@link SimProcess.deliver}: its timers, what comes from the
 * network, what its disk finished. A restart is another life: another object.
 *
 * - *pause* is SIGSTOP: no code runs, the clock goes on. What came meanwhile is delivered in its
 *   order at the moment of `resume`, each as an event of its own.
 * - *suspend* is a machine that sleeps: the same, and its monotonic clock stands still.
 * - *kill* is SIGKILL: nothing is ever run again.
 */
import { SimClock } from './sim-clock.js';
import type { Runner, Simulation } from './simulation.js';

export interface ProcessOptions {
  /** The machine's name; the same in all lives. */
  readonly name: string;
  /** Milliseconds of its own clock per millisecond of true time. */
  readonly clockRate?: number;
  /** What its clock shows now. */
  readonly clockMs?: number;
}

/** Hears of what happens to a process; called by the simulator, in no process. */
export interface ProcessWatcher {
  /** `isSilent`: the machine is gone, so its kernel tells nobody. */
  killed(process: SimProcess, isSilent: boolean): void;
  paused(process: SimProcess): void;
}

export class SimProcess implements Runner {
  readonly name: string;
  readonly clock: SimClock;
  readonly #simulation: Simulation;
  readonly #watchers: ProcessWatcher[] = [];
  /** What came while the process stood still, or while that is being delivered. */
  #held: (() => void)[] = [];
  #state: 'running' | 'paused' | 'dead' = 'running';
  /** Counts pauses: tells one from the next. */
  #pauses = 0;
  #isFlushing = false;

  constructor(simulation: Simulation, { name, clockRate = 1, clockMs = 0 }: ProcessOptions) {
    this.name = name;
    this.#simulation = simulation;
    this.clock = new SimClock(simulation, this, { rate: clockRate, startMs: clockMs });
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  /** The number of this pause; undefined = the process is not paused. */
  get pauseNumber(): number | undefined {
    return this.isPaused ? this.#pauses : undefined;
  }

  watch(watcher: ProcessWatcher): void {
    this.#watchers.push(watcher);
  }

  deliver(task: () => void): void {
    if (this.#state === 'dead') return;
    // Behind what was held, or it would overtake.
    if (this.#state === 'paused' || this.#held.length > 0) this.#held.push(task);
    else this.#simulation.enter(this, task);
  }

  readonly soon = (task: () => void): void => {
    this.#simulation.after(0, task, this);
  };

  pause(): void {
    if (this.#state !== 'running') return;
    this.#state = 'paused';
    this.#pauses++;
    for (const watcher of this.#watchers) watcher.paused(this);
  }

  /** The machine sleeps. */
  suspend(): void {
    if (this.#state === 'dead') return;
    this.pause();
    this.clock.freeze();
  }

  /** Ends a pause or a sleep. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.clock.thaw();
    this.#flush();
  }

  /**
   * @param isSilent the whole machine is gone at once: peers hear nothing, not even that the
   *   connection is closed, until their own patience ends or the machine is back.
   */
  kill({ isSilent = false } = {}): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#held = [];
    this.clock.stop();
    for (const watcher of this.#watchers) watcher.killed(this, isSilent);
  }

  /** Runs what was held, one event for each. */
  #flush(): void {
    if (this.#isFlushing || this.#held.length === 0) return;
    this.#isFlushing = true;
    this.#simulation.after(0, () => {
      this.#isFlushing = false;
      if (this.#state !== 'running') return;
      const task = this.#held.shift();
      if (task === undefined) return;
      this.#flush();
      this.#simulation.enter(this, task);
    });
  }
}
