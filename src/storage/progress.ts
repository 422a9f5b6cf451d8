/**
 * How far the learners of this node's primaries are, and which of its replicas are damaged, for
 * operators: looked at now and then, and told to the leader while there is something to tell.
 * Nothing is decided by it.
 */
import type { Epoch, MemberId, ShardId } from '../model/ids.js';
import {
  DAMAGED_TOLD_MAX,
  type DamagedNotice,
  LEARNERS_TOLD_MAX,
  type LearnerProgress,
  type ProgressReport,
} from '../model/member-messages.js';
import type { ShardConfig } from '../model/shard-config.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Peer } from '../replication/peer.js';

/** Between two looks: as often as people look themselves. */
const LOOK_MS = 1_000;

/** What is looked at of a replica. */
export interface WatchedReplica {
  readonly config: ShardConfig | undefined;
  readonly primary:
    | {
        readonly epoch: Epoch;
        peer(node: MemberId): Pick<Peer, 'phase' | 'durable'> | undefined;
      }
    | undefined;
  /** Why it should not be counted on. */
  readonly problem: string | undefined;
  readonly body: { readonly log: { readonly last: { readonly seq: number } } };
}

export interface ProgressDeps {
  readonly self: MemberId;
  readonly clock: Clock;
  readonly replicas: () => Iterable<WatchedReplica>;
  /** Bytes of a shard's data that were sent to this node; undefined: none are being sent. */
  readonly sentBytes: (shard: ShardId, to: MemberId) => number | undefined;
  readonly tell: (report: ProgressReport) => void;
}

export class Progress {
  readonly #deps: ProgressDeps;
  /** When each learner was first seen out of sync, by primary and node. */
  #since = new Map<string, number>();
  #hasTold = false;
  #cancel: Cancel = () => undefined;

  constructor(deps: ProgressDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#cancel = this.#deps.clock.after(LOOK_MS, () => {
      this.#look();
      this.start();
    });
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const now = this.#deps.clock.now();
    const since = new Map<string, number>();
    const learners: LearnerProgress[] = [];
    const damaged: DamagedNotice[] = [];
    for (const replica of this.#deps.replicas()) {
      const { config, primary, problem } = replica;
      if (config !== undefined && problem !== undefined) {
        damaged.push({ shard: config.shard, node: this.#deps.self, problem });
      }
      if (config === undefined || primary?.epoch !== config.epoch) continue;
      for (const node of config.learners) {
        const name = `${config.shardUuid}/${config.epoch}/${node}`;
        const from = this.#since.get(name) ?? now;
        since.set(name, from);
        learners.push({ ...this.#progressOf(replica, config, node), forMs: now - from });
      }
    }
    this.#since = since;
    const hasNews = learners.length + damaged.length > 0;
    if (!hasNews && !this.#hasTold) return;
    this.#hasTold = hasNews;
    this.#deps.tell({
      type: 'progress',
      learners: mostTelling(learners),
      damaged: damaged.slice(0, DAMAGED_TOLD_MAX),
      outdated: [], // For a leader to find.
      used: [],
    });
  }

  #progressOf(
    { body, primary }: WatchedReplica,
    { shard, epoch }: ShardConfig,
    node: MemberId,
  ): Omit<LearnerProgress, 'forMs'> {
    const about = { shard, epoch, node };
    const peer = primary?.peer(node);
    // Unusable: it waits to get all data, for its turn or until ours can be read.
    if (peer?.phase === 'installing' || peer?.phase === 'unusable') {
      const done = this.#deps.sentBytes(shard, node) ?? 0;
      return { ...about, by: 'snapshot', done, total: 0 };
    }
    const total = body.log.last.seq;
    const done = peer?.durable?.seq ?? 0;
    return { ...about, by: peer?.phase === 'following' ? 'log' : 'nothing', done, total };
  }
}

/** As many as a report may hold: those that are under way first. */
export function mostTelling(learners: readonly LearnerProgress[]): readonly LearnerProgress[] {
  const underWay = learners.filter(({ by }) => by !== 'nothing');
  const others = learners.filter(({ by }) => by === 'nothing');
  return [...underWay, ...others].slice(0, LEARNERS_TOLD_MAX).map((learner) => {
    return { ...learner, forMs: Math.round(learner.forMs) };
  });
}
