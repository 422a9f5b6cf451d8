/**
 * Answers an operator about what this node holds: an inventory, and scrubs of single replicas.
 *
 * A scrub reads a snapshot, some hundred kilobytes at a time and one replica after the other, so
 * that calls go on beside it. A record that does not verify is damage like any other (S20).
 */
import type { ClusterConfig } from '../model/cluster-config.js';
import type { Inventory, ScrubFinding, ScrubQuestion } from '../model/inspection.js';
import type { Seq, Uuid } from '../model/ids.js';
import { RefusedError } from '../model/refusals.js';
import type { ShardMap } from '../model/shard-map.js';
import type { Clock } from '../ports/clock.js';
import type { InspectionHandler } from '../ports/network.js';
import { CorruptRecordError } from '../replication/data-record.js';
import type { ShardReplica } from '../replication/shard-replica.js';
import type { Replicas } from './replicas.js';
import type { ReplicaStore } from './replica-store.js';
import type { Rounds } from './rounds.js';
import type { ShardSnapshot } from './shard-snapshot.js';
import type { Store } from './store.js';

/** How long a scrub waits for its replica to apply what is on its way. */
const CATCH_UP_MS = 1_000;
const LOOK_EVERY_MS = 20;

export interface InspectionDeps {
  readonly store: Store;
  readonly replicaStore: ReplicaStore;
  readonly replicas: Replicas;
  readonly map: ShardMap;
  readonly clock: Clock;
  readonly process: Uuid;
  readonly lives: () => readonly Uuid[];
  readonly cluster: () => ClusterConfig | undefined;
  readonly damaged: Rounds['damaged'];
  /** The disk failed. */
  readonly failed: (error: unknown) => void;
}

export class Inspection implements InspectionHandler {
  readonly #deps: InspectionDeps;
  /** Settles when the scrub before is done; never rejects. */
  #before: Promise<unknown> = Promise.resolve();

  constructor(deps: InspectionDeps) {
    this.#deps = deps;
  }

  inventory(): Inventory {
    const { store, replicas, map, process, lives, cluster } = this.#deps;
    const { identity, leaderEpoch } = store;
    const held = [...replicas.held()].filter(({ body, problem }) => {
      return body.exists || problem !== undefined;
    });
    return {
      node: identity.node,
      store: identity.store,
      process,
      lives: lives(),
      clusterUuid: identity.clusterUuid,
      cluster: cluster(),
      leaderEpoch,
      replicas: held.map(({ body, problem }) => ({
        shard: body.shard,
        shardUuid: body.shardUuid,
        epoch: body.durableEpoch,
        lastSeq: body.durableSeq,
        lastEpoch: body.log.last.epoch,
        commitSeq: body.commitSeq,
        problem: problem ?? (body.isInstalling ? 'its data is not whole' : undefined),
      })),
      configs: [...map.shards.values()],
    };
  }

  /** @throws RefusedError if there is no such replica here, or the disk failed. */
  scrub(question: ScrubQuestion): Promise<ScrubFinding> {
    const done = this.#before.then(() => this.#scrub(question));
    this.#before = done.catch(() => undefined);
    return done;
  }

  async #scrub({ shard, shardUuid, at }: ScrubQuestion): Promise<ScrubFinding> {
    const { replicas, replicaStore, damaged, failed } = this.#deps;
    const replica = replicas.get(shard);
    if (replica?.body.shardUuid !== shardUuid || !replica.body.exists) {
      throw new RefusedError('NODE_BEHIND', `shard ${shard}: this node holds no replica of it`);
    }
    if (at !== undefined) await this.#untilApplied(replica, at);
    const snapshot = replicaStore.snapshot(shardUuid);
    if (snapshot === undefined) {
      throw new RefusedError('NODE_BEHIND', `shard ${shard}: its replica holds nothing yet`);
    }
    try {
      return await digestOf(snapshot, at);
    } catch (error) {
      if (error instanceof CorruptRecordError) {
        damaged(replica, error, snapshot.prefix);
        const position = replica.body.log.appliedSeq;
        return { position, isExact: false, pairs: 0, digest: undefined, problem: error.message };
      }
      failed(error);
      throw new RefusedError('STOPPING', 'the disk of this node has failed', { cause: error });
    } finally {
      await snapshot.close();
    }
  }

  async #untilApplied({ body }: ShardReplica, at: Seq): Promise<void> {
    const { clock } = this.#deps;
    const until = clock.now() + CATCH_UP_MS;
    while (body.log.appliedSeq < at && clock.now() < until) {
      await new Promise<void>((resolve) => clock.after(LOOK_EVERY_MS, resolve));
    }
  }
}

async function digestOf(snapshot: ShardSnapshot, at: Seq | undefined): Promise<ScrubFinding> {
  const { appliedSeq: position, isExact } = await snapshot.position();
  if (at !== undefined && (position !== at || !isExact)) {
    return { position, isExact, pairs: 0, digest: undefined, problem: undefined };
  }
  const { pairs, sha256 } = await snapshot.digest();
  return { position, isExact, pairs, digest: sha256, problem: undefined };
}
