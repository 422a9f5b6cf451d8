/**
 * How far learners are, and what is damaged or outdated, gathered by the leader and told to the
 * other routers, so that each of them can answer an operator. Nothing is decided by it, but that
 * whoever leads next goes by the epochs that are known to be used.
 */
import type { MemberId, ShardId } from '../model/ids.js';
import {
  DAMAGED_TOLD_MAX,
  LEARNERS_TOLD_MAX,
  OUTDATED_TOLD_MAX,
  type ProgressReport,
  type UsedEpoch,
} from '../model/member-messages.js';
import type { Cancel, Clock } from '../ports/clock.js';

/** Gathered for so long before all is told: the reports of many nodes make one. */
const GATHER_MS = 500;

export class Learning {
  readonly #clock: Clock;
  readonly #tell: (report: ProgressReport) => void;
  readonly #byNode = new Map<MemberId, ProgressReport>();
  #outdated: readonly ShardId[] | undefined;
  #used: readonly UsedEpoch[] = [];
  #cancel: Cancel | undefined;

  constructor(clock: Clock, tell: (report: ProgressReport) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** What this node says now; it replaces what it said before. */
  heard(node: MemberId, report: ProgressReport): void {
    // Of its own replicas only: what others hold is for them to say.
    const damaged = report.damaged.filter((notice) => notice.node === node);
    this.#byNode.set(node, { ...report, damaged });
    this.#tellSoon();
  }

  /** The shards that the leader finds outdated, and why. What an earlier one found is over. */
  found(outdated: readonly ShardId[], used: readonly UsedEpoch[]): void {
    const isNew = !isEqual(outdated, this.#outdated) || !isSameUse(used, this.#used);
    this.#outdated = outdated;
    this.#used = used;
    if (isNew) this.#tellSoon();
  }

  /** Again: a router that has come since, or could not be told, knows less. */
  repeat(): void {
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
      const reports = [...this.#byNode.values()];
      this.#tell({
        type: 'progress',
        learners: reports.flatMap(({ learners }) => learners).slice(0, LEARNERS_TOLD_MAX),
        damaged: reports.flatMap(({ damaged }) => damaged).slice(0, DAMAGED_TOLD_MAX),
        outdated: (this.#outdated ?? []).slice(0, OUTDATED_TOLD_MAX),
        used: this.#used.slice(0, OUTDATED_TOLD_MAX),
      });
    });
  }
}

function isEqual(left: readonly ShardId[], right: readonly ShardId[] | undefined): boolean {
  return left.length === right?.length && left.every((shard, index) => shard === right[index]);
}

function isSameUse(left: readonly UsedEpoch[], right: readonly UsedEpoch[]): boolean {
  return (
    left.length === right.length &&
    left.every(({ shardUuid, epoch }, index) => {
      return shardUuid === right[index]?.shardUuid && epoch === right[index].epoch;
    })
  );
}
