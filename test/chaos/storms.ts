/** Carries a schedule out on a cluster, storm after storm, and notes what was done and when. */
import type { ChaosCluster } from './cluster.js';
import { healAll, inject, type Undo } from './faults.js';
import { type Fault, type Kind, type Storm, describeFault } from './schedule.js';

/** A fault as it was; times are those of performance.now(). */
export interface DoneFault {
  readonly kind: Kind;
  readonly target: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export class Storms {
  readonly #chaos: ChaosCluster;
  /** Whoever leads, as known last. */
  readonly #leader: () => string;
  readonly #say: (line: string) => void;
  readonly done: DoneFault[] = [];
  /** What the undoing of faults ran into. */
  readonly problems: string[] = [];

  constructor(chaos: ChaosCluster, leader: () => string, say: (line: string) => void) {
    this.#chaos = chaos;
    this.#leader = leader;
    this.#say = say;
  }

  /** Resolves when the last fault of the storm is undone. */
  async run({ faults }: Storm, isOver: () => boolean): Promise<void> {
    this.#say(faults.map(describeFault).join(', '));
    const startMs = performance.now();
    await Promise.all(
      faults.map(async (fault) => {
        await until(startMs + fault.fromMs);
        if (!isOver()) await this.#do(fault, startMs);
      }),
    );
  }

  /** Ends whatever is broken still. */
  heal(): Promise<void> {
    return healAll(this.#chaos);
  }

  async #do(fault: Fault, startMs: number): Promise<void> {
    const { kind, target } = fault;
    const fromMs = performance.now();
    try {
      const undo: Undo = await inject(this.#chaos, fault, this.#leader());
      await until(startMs + fault.toMs);
      await undo();
    } catch (error) {
      this.problems.push(`${describeFault(fault)}: ${String(error)}`);
    }
    this.done.push({ kind, target, fromMs, toMs: performance.now() });
  }
}

function until(atMs: number): Promise<void> {
  const waitMs = Math.max(0, atMs - performance.now());
  return new Promise((resolve) => setTimeout(resolve, waitMs));
}
