/**
 * How long replicas that were set aside are kept on this node.
 *
 * Upholds S19: one goes only while another replica of the same shard is in sync here, and whole: it
 * holds everything. Then a few of a shard stay for the operator as long as there is room. One since
 * which nothing has been in sync may be the only copy there is, and stays however full the disk is:
 * puts are refused instead. `replica-store.ts` keeps no more than one like that of each shard.
 */
import type { Uuid } from '../model/ids.js';
import type { DiskBatch } from '../ports/disk.js';
import type { Log } from '../ports/log.js';
import type { ShardReplica } from '../replication/shard-replica.js';
import type { ReplicaStanding } from '../replication/standing.js';
import { tooMany } from './quarantine.js';
import type { DamagedReplica } from './replica-recovery.js';
import type { ReplicaStore } from './replica-store.js';

/** The configuration counts on what this node has of the shard. */
const IN_ISR: ReadonlySet<ReplicaStanding> = new Set<ReplicaStanding>([
  'primary',
  'secondary',
  'awaiting-epoch',
]);

export interface KeepingDeps {
  readonly store: ReplicaStore;
  readonly replicas: { all(): Iterable<ShardReplica> };
  readonly log: Log;
  readonly isDiskFull: () => boolean;
  /** Adds to the next batch of the node. */
  readonly write: (fill: (batch: DiskBatch) => void) => Promise<void>;
}

export class Keeping {
  readonly #deps: KeepingDeps;

  constructor(deps: KeepingDeps) {
    this.#deps = deps;
  }

  /** A replica follows a configuration that is new to it: it may have everything now. */
  configured(replica: ShardReplica): void {
    if (!IN_ISR.has(replica.standing) || isOutdated(replica)) return;
    const { store, write, isDiskFull } = this.#deps;
    // As of now: what is set aside before the batch is there has no successor yet.
    const kept = this.#keptOf(replica.body.shardUuid);
    for (const { prefix } of kept.filter(({ hasSuccessor }) => !hasSuccessor)) {
      void write((batch) => store.succeeded(batch, prefix));
    }
    this.#release(replica, isDiskFull() ? kept : tooMany(kept));
  }

  /** The disk is full: what another replica stands in for goes, all else stays. */
  makeRoom(): void {
    const { store, replicas, log } = this.#deps;
    let count = store.damaged().filter(({ at }) => at !== undefined).length;
    for (const replica of replicas.all()) {
      count -= this.#release(replica, this.#keptOf(replica.body.shardUuid));
    }
    if (count === 0) return;
    log.error('the disk is full: replicas that were set aside stay, they may be the only copies', {
      count,
    });
  }

  /** How many, if this replica has what they had. */
  #release(replica: ShardReplica, kept: readonly DamagedReplica[]): number {
    if (!isWhole(replica)) return 0;
    const { store, log, write } = this.#deps;
    for (const { prefix, shard, at, problem } of kept) {
      void write((batch) => {
        const now = store.damaged().find((one) => one.prefix === prefix);
        if (now?.hasSuccessor !== true || !isWhole(replica)) return;
        log.warn('a replica that was set aside is removed', { shard, at, problem });
        store.release(batch, prefix);
      });
    }
    return kept.length;
  }

  #keptOf(shardUuid: Uuid): readonly DamagedReplica[] {
    const { store } = this.#deps;
    return store.damaged().filter((one) => one.shardUuid === shardUuid && one.at !== undefined);
  }
}

/** Whether this replica has everything that is committed, as far as anybody knows. */
function isWhole(replica: ShardReplica): boolean {
  const { standing, problem } = replica;
  const isInSync = standing === 'primary' || standing === 'secondary';
  return problem === undefined && isInSync && !isOutdated(replica);
}

/**
 * Whoever the configuration says is in sync may not be any more: ZooKeeper was set back, or a later
 * one is not heard yet, and a primary that has heard it replaces the data of a learner.
 */
function isOutdated({ config, body }: ShardReplica): boolean {
  return config === undefined || config.epoch < body.promisedEpoch || body.isInstalling;
}
