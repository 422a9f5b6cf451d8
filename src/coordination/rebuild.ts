/**
 * Writes a cluster into a ZooKeeper that has lost it, or the shards of which it knows less than the
 * nodes do, because it was set back. May be interrupted and done again: `/cluster` comes last, with
 * the mark that the placement is complete, and before it is there nobody reads or changes anything
 * of it. Whoever creates it decides from then on: a recovery that began while it was lost, of
 * another operator for instance, writes no more. What ZooKeeper knows as well as the nodes is never
 * touched (S19), unless an operator abandons the replicas that it names. A cluster that is there
 * without `/shards` gets it back as that of a complete placement: a leader creates no shard in it.
 */
import { type ClusterConfig, encodeClusterConfig } from '../model/cluster-config.js';
import type { Epoch, LeaderEpoch, MemberId, ShardId } from '../model/ids.js';
import { encodeLeaderRecord, NO_LEADER_YET } from '../model/leader-record.js';
import { encodeCompletePlacement } from '../model/placement-record.js';
import { BadRecordError } from '../model/records.js';
import type { Registration } from '../model/registrations.js';
import {
  decodeShardConfig,
  encodeShardConfig,
  isOlderThan,
  type ShardConfig,
} from '../model/shard-config.js';
import { shardZnode, ZNODES } from '../model/znodes.js';
import type { CoordinatorSession, MultiOp, Outcome } from '../ports/coordinator.js';
import { layoutOf, makeLayout, readCluster } from './cluster-layout.js';
import { writeOnce } from './compare-and-set.js';
import { readNodes } from './read-nodes.js';

/** Znodes written in one multi: well under the size bound of a request (rule Z8). */
const WRITES_PER_MULTI = 64;

/**
 * Refused once `/cluster` is there: no check says that a znode is absent, but creating it does.
 * Last in a multi: whether that was written is told by the first znode that it writes (rule Z5).
 */
const STILL_LOST: readonly MultiOp[] = [
  { type: 'create', path: ZNODES.cluster, data: Buffer.alloc(0), mode: 'persistent' },
  { type: 'remove', path: ZNODES.cluster, version: 0 },
];

export interface RebuiltShard {
  readonly config: ShardConfig;
  /** A znode with this epoch or a later one is left as it is. */
  readonly used: Epoch;
  /** Not if it knows the shard as one that is being created. */
  readonly hasServed: boolean;
  /** Nor if it holds the configuration with this nonce. */
  readonly abandons?: string | undefined;
}

export interface Rebuilt {
  readonly cluster: ClusterConfig;
  /** Highest one ever heard of: the next leader's is above it. */
  readonly leaderEpoch: LeaderEpoch;
  readonly shards: readonly RebuiltShard[];
  readonly nonce: string;
}

/** ZooKeeper has another cluster of this name. */
export class ClusterExistsError extends Error {
  constructor({ clusterUuid }: ClusterConfig) {
    super(
      `ZooKeeper has another cluster of this name (${clusterUuid}): it is not overwritten. If a ` +
        'router made it after ZooKeeper had lost yours: stop that router, delete the znode of ' +
        'the cluster with all below it (deleteall of zkCli), and do this again',
    );
    this.name = 'ClusterExistsError';
  }
}

/** What ZooKeeper has of a cluster. */
export interface KnownCluster {
  /** Undefined: none that can be read. */
  readonly configs: ReadonlyMap<ShardId, ShardConfig | undefined>;
  readonly registered: ReadonlyMap<MemberId, Registration>;
}

/**
 * Undefined if it has no cluster at all.
 *
 * @throws ClusterExistsError if it has another one, BadRecordError if `/cluster` holds something
 *   else.
 */
export async function readKnown(
  session: CoordinatorSession,
  cluster: ClusterConfig,
): Promise<Outcome<KnownCluster | undefined>> {
  const found = await readCluster(session);
  if (found.status !== 'ok') return found;
  if (found.value === undefined) return { status: 'ok', value: undefined };
  checkSame(found.value, cluster);
  const configs = new Map<ShardId, ShardConfig | undefined>();
  for (let id = 0; id < cluster.shards; id++) {
    const shard = id as ShardId;
    const read = await session.read(shardZnode(shard));
    if (read.status !== 'ok') return read;
    configs.set(shard, read.value && configIn(shard, read.value.data));
  }
  const registered = await readRegistered(session);
  if (registered.status !== 'ok') return registered;
  return { status: 'ok', value: { configs, registered: registered.value } };
}

/** As a leader sees them: whose registration does not parse is nobody. */
async function readRegistered(
  session: CoordinatorSession,
): Promise<Outcome<ReadonlyMap<MemberId, Registration>>> {
  const names = await session.children(ZNODES.nodes);
  if (names.status !== 'ok') return names;
  const nodes = await readNodes(session, names.value ?? [], { error: () => undefined });
  if (nodes === undefined) return { status: 'unknown', reason: 'not told who is registered' };
  return { status: 'ok', value: new Map(nodes.map((node) => [node.id, node])) };
}

/** What a recovery has done. */
export interface Written {
  /** ZooKeeper had none. */
  readonly hasMadeCluster: boolean;
  /** How many of them: what somebody else has written meanwhile stays. */
  readonly shards: number;
}

/**
 * Anything but `ok`: do it again, nothing is lost.
 *
 * @throws ClusterExistsError if there is another cluster of this name, BadRecordError if `/cluster`
 *   holds something else.
 */
export async function rebuildCluster(
  session: CoordinatorSession,
  rebuilt: Rebuilt,
): Promise<Outcome<Written>> {
  const found = await readCluster(session);
  if (found.status !== 'ok') return found;
  if (found.value === undefined) return makeAgain(session, rebuilt);
  const { cluster, shards } = rebuilt;
  checkSame(found.value, cluster);
  const whole = await makeLayout(session, layoutOf(recordsOf(rebuilt)));
  if (whole.status !== 'ok') return whole;
  // Beside a leader, which leaves outdated shards alone; one that changed one since is right.
  const settled = shards.map((one) => writeOf(one, (data) => isAsNew(data, one)));
  const written = await inParts(settled, (part) => putAll(session, part));
  if (written.status !== 'ok') return written;
  return { status: 'ok', value: { hasMadeCluster: false, shards: written.value } };
}

/** @throws ClusterExistsError */
function checkSame(found: ClusterConfig, { clusterUuid }: ClusterConfig): void {
  if (found.clusterUuid !== clusterUuid) throw new ClusterExistsError(found);
}

/** What `/leader/epoch` and `/shards` are to hold. */
function recordsOf({ leaderEpoch, nonce }: Rebuilt) {
  return {
    leader: encodeLeaderRecord({ ...NO_LEADER_YET, leaderEpoch, nonce }),
    placement: encodeCompletePlacement(nonce),
  };
}

/** All of a cluster that ZooKeeper has lost, as long as that is so. @throws ClusterExistsError */
async function makeAgain(session: CoordinatorSession, rebuilt: Rebuilt): Promise<Outcome<Written>> {
  const { cluster, shards } = rebuilt;
  const { leader, placement } = recordsOf(rebuilt);
  const laidOut = await makeLayout(session, layoutOf());
  if (laidOut.status !== 'ok') return laidOut;
  const writes = [
    { path: ZNODES.leaderEpoch, data: leader },
    ...shards.map((one) => writeOf(one, () => false)),
  ];
  let written = await inParts(writes, (part) => putAll(session, part, STILL_LOST));
  if (written.status === 'ok') {
    const data = encodeClusterConfig(cluster);
    const last: MultiOp = { type: 'create', path: ZNODES.cluster, data, mode: 'persistent' };
    written = await putAll(session, [{ path: ZNODES.shards, data: placement }], [last]);
  }
  if (written.status === 'ok') {
    return { status: 'ok', value: { hasMadeCluster: true, shards: shards.length } };
  }
  if (written.status !== 'failed') return written;
  const found = await readCluster(session);
  if (found.status !== 'ok' || found.value === undefined) return written;
  checkSame(found.value, cluster);
  return { ...written, message: 'somebody else has recovered the cluster meanwhile' };
}

/** Until the first that does not succeed. The sum of what each part has written. */
async function inParts<T>(
  all: readonly T[],
  write: (part: readonly T[]) => Promise<Outcome<number>>,
): Promise<Outcome<number>> {
  let sum = 0;
  for (let at = 0; at < all.length; at += WRITES_PER_MULTI) {
    const written = await write(all.slice(at, at + WRITES_PER_MULTI));
    if (written.status !== 'ok') return written;
    sum += written.value;
  }
  return { status: 'ok', value: sum };
}

interface Write {
  readonly path: string;
  readonly data: Buffer;
  /** Whether what is there stays. */
  readonly keeps?: (data: Uint8Array) => boolean;
}

/**
 * All or none, over whatever an attempt before has left; with `last` behind them, if any. How many
 * of them were written: the others stay as they are.
 */
async function putAll(
  session: CoordinatorSession,
  writes: readonly Write[],
  last: readonly MultiOp[] = [],
): Promise<Outcome<number>> {
  const ops: MultiOp[] = [];
  for (const { path, data, keeps } of writes) {
    const read = await session.read(path);
    if (read.status !== 'ok') return read;
    const znode = read.value;
    if (znode === undefined) ops.push({ type: 'create', path, data, mode: 'persistent' });
    else if (keeps?.(znode.data) !== true) {
      ops.push({ type: 'set', path, data, version: znode.stat.version });
    }
  }
  if (ops.length === 0) return { status: 'ok', value: 0 };
  const done = await writeOnce(session, [...ops, ...last]);
  return done.status === 'ok' ? { status: 'ok', value: ops.length } : done;
}

function writeOf({ config }: RebuiltShard, keeps: (data: Uint8Array) => boolean): Write {
  return { path: shardZnode(config.shard), data: encodeShardConfig(config), keeps };
}

/** Whether a znode knows its shard as well as whoever planned this. */
function isAsNew(data: Uint8Array, { config, used, hasServed, abandons }: RebuiltShard): boolean {
  const { shard, shardUuid } = config;
  const known = configIn(shard, data);
  if (known === undefined || known.nonce === abandons) return false;
  return !isOlderThan(known, { shardUuid, used, hasServed });
}

function configIn(shard: ShardId, data: Uint8Array): ShardConfig | undefined {
  try {
    return decodeShardConfig(shard, data);
  } catch (error) {
    if (!(error instanceof BadRecordError)) throw error;
    return undefined;
  }
}
