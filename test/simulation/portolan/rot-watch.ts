/**
 * Records that rot on the disks of storage nodes, and what must come of each (S20). One replica of a
 * shard at a time, and only while others hold what it holds: so every promise can be kept.
 *
 * Rot that was written over, or in a record that is not needed any more, is over. Any other has to
 * be found: in a log, or in what a replica says of itself, by the next opening of the directory; in
 * a value, by whoever reads it, by a scrub at the latest. What is found is set aside, and its
 * replica learnt anew. That nothing of it is served, or told to other replicas, is for the checks of
 * answers and of the disks to see.
 */
import type { MemberId, ShardId, Uuid } from '../../../src/model/ids.js';
import type { ShardConfig } from '../../../src/model/shard-config.js';
import type { ReplicaPrefix } from '../../../src/storage/keys.js';
import type { Injected } from '../fault-injections.js';
import type { Prng } from '../prng.js';
import type { Rot, SimDisk } from '../sim-disk.js';
import type { Simulation } from '../simulation.js';
import {
  hasState,
  isSetAside,
  recordAt,
  type RecordKind,
  type ReplicaRecord,
  shardsOn,
} from './disk-records.js';
import type { MapWatch } from './map-watch.js';
import type { Life, PortolanCluster } from './portolan-cluster.js';
import type { Probes } from './probes.js';
import { must } from './promise.js';
import { isElsewhere } from './spare-copies.js';

const KINDS: readonly RecordKind[] = ['state', 'log', 'data'];

interface RottenRecord extends ReplicaRecord {
  readonly node: MemberId;
  readonly shardUuid: Uuid;
  readonly rot: Rot;
  /** The life of the node when it happened, the last one if it was dead. */
  readonly life: number;
  /** Its replica was set aside, and is being learnt anew. */
  isSetAside: boolean;
}

export class RotWatch {
  readonly #simulation: Simulation;
  readonly #cluster: PortolanCluster;
  readonly #map: MapWatch;
  readonly #probes: Probes;
  readonly #prng: Prng;
  /** Until it is over, or the replica is in sync again. */
  readonly #rotten = new Set<RottenRecord>();
  /** By node and prefix, whatever became of it. */
  readonly #places = new Set<string>();
  /** By node and shard, how often an opening found the replica damaged; and where it is away now. */
  readonly #losses = new Map<string, number>();
  readonly #lost = new Set<string>();
  /** By shard and node, last copies that the leader said are damaged. */
  readonly #told = new Set<string>();

  constructor(
    simulation: Simulation,
    { cluster, map, probes }: { cluster: PortolanCluster; map: MapWatch; probes: Probes },
  ) {
    this.#simulation = simulation;
    this.#cluster = cluster;
    this.#map = map;
    this.#probes = probes;
    this.#prng = simulation.prng.fork('rot');
  }

  /** Lets one record of one replica of this node rot, if one may. In the end somebody looks. */
  readonly rot = (name: string): Injected | undefined => {
    this.#map.look();
    this.look();
    const node = name as MemberId;
    const disk = this.#cluster.diskOf(node);
    if (disk === undefined) return undefined;
    const kind = this.#prng.pick(KINDS);
    const shards = this.#shardsThatMayRot(node, disk);
    const recordOf = (key: string) => recordAt(Buffer.from(key, 'latin1'));
    const rot = disk.rot((key) => {
      const record = recordOf(key);
      return record?.kind === kind && shards.has(record.prefix);
    });
    const record = rot && recordOf(rot.key);
    if (rot === undefined || record === undefined) return undefined;
    const shardUuid = shards.get(record.prefix)!;
    const life = this.#cluster.lifeOf(node).number;
    this.#rotten.add({ ...record, node, shardUuid, rot, life, isSetAside: false });
    this.#places.add(placeOf(node, record.prefix));
    const detail = `${node} ${kind} under ${record.prefix}`;
    return { detail, undo: () => this.#lookInto(node) };
  };

  /** What became of the records since. */
  look(): void {
    for (const record of this.#rotten) if (!this.#isStanding(record)) this.#follow(record);
    for (const name of this.#lost) this.#endLoss(name);
  }

  /** A node has opened its directory: what had rotted in logs and states by then was found. */
  readonly opened = ({ number, process, storage }: Life): void => {
    for (const record of this.#standing()) {
      const { kind, node, shardUuid, life, prefix } = record;
      if (kind === 'data' || node !== process.name) continue;
      const replicas = [...(storage?.replicas() ?? [])];
      const isUsed = replicas.some(({ body }) => body.shardUuid === shardUuid && body.exists);
      const what = `${node} uses the replica under ${prefix}, the ${kind} of which has rotted`;
      must(!isUsed || life === number, 'S20', what);
      if (isUsed) continue;
      const name = placeOf(node, shardUuid);
      this.#lost.add(name);
      this.#losses.set(name, this.timesLost(node, shardUuid) + 1);
    }
  };

  /** Hears what members say. */
  readonly said = (_who: string, message: string): void => {
    const [, shard, node] = /shard (\d+): the replica of (\S+) is damaged/.exec(message) ?? [];
    if (node !== undefined) this.#told.add(placeOf(node, Number(shard)));
  };

  /** Whether this node has had no replica of the shard since an opening found it damaged. */
  isLost(node: string, shardUuid: Uuid): boolean {
    return this.#lost.has(placeOf(node, shardUuid));
  }

  timesLost(node: string, shardUuid: Uuid): number {
    return this.#losses.get(placeOf(node, shardUuid)) ?? 0;
  }

  /** Whether a record of this shard has rotted on this node, and nobody has found it yet. */
  isRotten(node: string, shardUuid: Uuid): boolean {
    return [...this.#standing()].some((one) => one.node === node && one.shardUuid === shardUuid);
  }

  /** Whether something under this prefix has rotted. */
  hasRotted(node: string, prefix: ReplicaPrefix): boolean {
    return this.#places.has(placeOf(node, prefix));
  }

  /** Rot that somebody would still come upon. */
  get count(): number {
    return [...this.#standing()].length;
  }

  /** An operator looks everywhere: rot in what nobody reads is found by that alone. */
  lookEverywhere(): void {
    for (const node of new Set([...this.#standing()].map((record) => record.node))) {
      this.#lookInto(node);
    }
  }

  /**
   * An operator brings back the records of last copies, from wherever he has them: nothing does so
   * by itself, and the leader has to have told him.
   */
  repairLastCopies(): void {
    for (const { node, shardUuid, rot } of this.#standing()) {
      const config = this.#configOf(shardUuid);
      if (config === undefined || config.isr.some((member) => member !== node)) continue;
      if (!this.#told.has(placeOf(node, config.shard))) continue;
      this.#simulation.note('operator', `repairs shard ${config.shard} on ${node}`);
      this.#probes.hit('last copy repaired by its operator');
      rot.undo();
      this.#cluster.restart(node);
    }
  }

  #lookInto(node: MemberId): void {
    const kinds = [...this.#standing()].flatMap((record) => {
      return record.node === node ? record.kind : [];
    });
    if (kinds.length === 0) return;
    const isScrub = kinds.every((kind) => kind === 'data');
    this.#simulation.note('operator', `${isScrub ? 'scrubs' : 'restarts'} ${node}`);
    if (isScrub) this.#cluster.scrub(node);
    else this.#cluster.restart(node);
  }

  /** By prefix: shards of which others hold everything, and no replica has rotten records. */
  #shardsThatMayRot(node: MemberId, disk: SimDisk): ReadonlyMap<ReplicaPrefix, Uuid> {
    const rotten = new Set([...this.#rotten].map(({ shardUuid }) => shardUuid));
    const may = [...shardsOn(disk)].filter(([, shardUuid]) => {
      const config = this.#configOf(shardUuid);
      const isSpare = config !== undefined && isElsewhere(this.#cluster, config, node);
      return isSpare && !rotten.has(shardUuid);
    });
    return new Map(may);
  }

  *#standing(): Iterable<RottenRecord> {
    for (const record of this.#rotten) if (this.#isStanding(record)) yield record;
  }

  /** Whether the record belongs to what its node takes for its replica, or took when it opened. */
  #isStanding({ node, kind, prefix, shardUuid, rot }: RottenRecord): boolean {
    const disk = this.#cluster.diskOf(node);
    if (disk === undefined || !rot.isThere()) return false;
    if (kind === 'state') return ![...shardsOn(disk).values()].includes(shardUuid);
    return hasState(disk, prefix);
  }

  /** It is not standing any more. */
  #follow(record: RottenRecord): void {
    const { kind, node, prefix, rot, shardUuid } = record;
    const disk = this.#cluster.diskOf(node);
    const isFound = kind === 'state' || (disk !== undefined && isSetAside(disk, prefix));
    if (!record.isSetAside) {
      if (!rot.isThere() || !isFound) return void this.#rotten.delete(record);
      record.isSetAside = true;
      this.#probes.hit(`rotten ${kind} set aside`);
    }
    const config = this.#configOf(shardUuid);
    if (config === undefined) return;
    const isInSync = config.isr.includes(node);
    if (isInSync) this.#probes.hit('damaged replica learnt again');
    const isReplica = config.replicas.some((place) => place.node === node);
    if (isInSync || !isReplica) this.#rotten.delete(record);
  }

  /** Over when the node has a replica of the shard again. */
  #endLoss(name: string): void {
    for (const { process, storage } of this.#cluster.lives) {
      for (const { body } of storage?.replicas() ?? []) {
        if (body.exists && placeOf(process.name, body.shardUuid) === name) this.#lost.delete(name);
      }
    }
  }

  #configOf(shardUuid: Uuid): ShardConfig | undefined {
    return this.#map.configs.find((config) => config?.shardUuid === shardUuid);
  }
}

function placeOf(node: string, what: ShardId | ReplicaPrefix | Uuid): string {
  return `${node} ${what}`;
}
