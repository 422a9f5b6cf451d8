/**
 * How far learners are, gathered by the leader from the primaries that feed them, and told to the
 * other routers, so that each of them can answer an operator. Nothing is decided by it.
 */
import type { MemberId } from '../model/ids.js';
import {
  LEARNERS_TOLD_MAX,
  type LearnerProgress,
  type ProgressReport,
} from '../model/member-messages.js';
import type { Cancel, Clock } from '../ports/clock.js';

/** Gathered for so long before all is told: the reports of many nodes make one. */
const GATHER_MS = 500;

export class Learning {
  readonly #clock: Clock;
  readonly #tell: (report: ProgressReport) => void;
  readonly #byNode = new Map<MemberId, readonly LearnerProgress[]>();
  #cancel: Cancel | undefined;

  constructor(clock: Clock, tell: (report: ProgressReport) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** What the primaries on this node say now; it replaces what they said before. */
  heard(node: MemberId, { learners }: ProgressReport): void {
    this.#byNode.set(node, learners);
    this.#tellSoon();
  }

  /** Nodes that are not registered any more say nothing. */
  keep(nodes: ReadonlySet<MemberId>): void {
    for (const node of this.#byNode.keys()) {
      if (nodes.has(node)) continue;
      this.#byNode.delete(node);
      this.#tellSoon();
    }
  }

  close(): void {
    this.#cancel?.();
  }

  #tellSoon(): void {
    this.#cancel ??= this.#clock.after(GATHER_MS, () => {
      this.#cancel = undefined;
      const learners = [...this.#byNode.values()].flat().slice(0, LEARNERS_TOLD_MAX);
      this.#tell({ type: 'progress', learners });
    });
  }
}
