/**
 * The shard map as ZooKeeper has it, change by change: whether each is one that may follow the one
 * before (S1, S7, S17), and what kind of change it was.
 */
import type { ShardId } from '../../../src/model/ids.js';
import { decodeShardConfig, replicaOn, type ShardConfig } from '../../../src/model/shard-config.js';
import { clusterRoot, shardZnode } from '../../../src/model/znodes.js';
import type { SimZooKeeper } from '../sim-zookeeper.js';
import { CLUSTER } from './member-process.js';
import { must } from './promise.js';
import type { Probes } from './probes.js';

interface Known {
  readonly data: Buffer;
  readonly version: number;
  readonly config: ShardConfig;
}

export class MapWatch {
  readonly #zooKeeper: SimZooKeeper;
  readonly #paths: readonly string[];
  readonly #probes: Probes;
  readonly #known: (Known | undefined)[];

  constructor(zooKeeper: SimZooKeeper, shards: number, probes: Probes) {
    this.#zooKeeper = zooKeeper;
    this.#probes = probes;
    this.#paths = Array.from({ length: shards }, (_, shard) => {
      return clusterRoot(CLUSTER) + shardZnode(shard as ShardId);
    });
    this.#known = this.#paths.map(() => undefined);
  }

  /** Every shard's configuration; undefined for those that have none yet. */
  get configs(): readonly (ShardConfig | undefined)[] {
    return this.#known.map((known) => known?.config);
  }

  /** What is there from now on does not follow what was: ZooKeeper is being set back. */
  forget(): void {
    this.#known.fill(undefined);
  }

  /** Looks at what has changed since. */
  look(): void {
    const { tree } = this.#zooKeeper;
    for (const [shard, path] of this.#paths.entries()) {
      const data = tree.data(path);
      const before = this.#known[shard];
      if (data === undefined) {
        must(before === undefined, 'S19', `shard ${shard} has vanished`);
        continue;
      }
      if (before?.data === data) continue;
      const config = decodeShardConfig(shard as ShardId, data);
      const version = tree.stat(path)!.version;
      if (before !== undefined) this.#compare(before, { data, version, config });
      this.#known[shard] = { data, version, config };
    }
  }

  #compare(before: Known, after: Known): void {
    const [was, is] = [before.config, after.config];
    const what = `shard ${is.shard}, version ${before.version} to ${after.version}`;
    must(is.shardUuid === was.shardUuid, 'S19', `${what}: it is another shard`);
    must(is.epoch >= was.epoch, 'S1', `${what}: epoch ${was.epoch} to ${is.epoch}`);
    must(is.leaderEpoch >= was.leaderEpoch, 'S17', `${what}: leaderEpoch goes back`);
    if (is.epoch === was.epoch) {
      must(is.primary === was.primary, 'S1', `${what}: two primaries in epoch ${is.epoch}`);
    }
    if (after.version !== before.version + 1) return; // Too much has happened to tell.
    for (const node of is.isr) {
      if (was.isr.includes(node)) continue;
      const isSame = replicaOn(was, node)?.store === replicaOn(is, node)?.store;
      const isLearner = was.learners.includes(node) && isSame;
      must(isLearner || was.state === 'creating', 'S7', `${what}: ${node} was no learner`);
    }
    this.#count(was, is);
  }

  #count(was: ShardConfig, is: ShardConfig): void {
    const probes = this.#probes;
    if (is.primary !== was.primary) {
      probes.hit(is.leaseReleased ? 'primary handed over' : 'primary failed over');
    } else if (is.epoch !== was.epoch) probes.hit('primary got a new epoch');
    if (is.isr.length < was.isr.length) probes.hit('isr shrunk');
    if (is.isr.length > was.isr.length) probes.hit('isr expanded');
    if (is.isr.length === 1) probes.hit('isr of one');
    if (is.learners.length > was.learners.length) probes.hit('learner added');
    if (is.leaderEpoch !== was.leaderEpoch) probes.hit('shard changed by another leader');
  }
}
