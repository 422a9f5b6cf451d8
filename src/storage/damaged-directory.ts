/**
 * What becomes of a data directory that cannot be opened because its LevelDB is damaged: it is set
 * aside, and the node begins with an empty one, if and only if no shard has its last copy there.
 *
 * That is the leader's to say, and it says it in the map: a node that does not serve is taken out
 * of every isr in which others are left. So the node waits until it is in none. Upholds S19: a map
 * that cannot be read to its last shard, or that does not know this node, says nothing, and a shard
 * whose isr is this node alone keeps the directory where it is.
 */
import { readCluster } from '../coordination/cluster-layout.js';
import type { MemberId, ShardId } from '../model/ids.js';
import { decodePlacement } from '../model/placement-record.js';
import { BadRecordError } from '../model/records.js';
import { decodeShardConfig, type ShardConfig } from '../model/shard-config.js';
import { shardZnode, ZNODES } from '../model/znodes.js';
import type { Clock } from '../ports/clock.js';
import type { Coordinator, CoordinatorSession } from '../ports/coordinator.js';
import type { Log } from '../ports/log.js';

/** Between two looks at the map. */
const LOOK_EVERY_MS = 500;
/** So long a leader may take to find out that this node is gone, and its primaries to go on. */
const PATIENCE_MS = 60_000;

/** What the map says of the copies on this node. */
export type Verdict =
  /** No shard counts on them. */
  | { readonly type: 'spare' }
  /** Not yet, or it cannot be told. */
  | { readonly type: 'undecided'; readonly why: string }
  | { readonly type: 'last-copy'; readonly shards: readonly ShardId[] };

export interface VerdictDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly node: MemberId;
  readonly coordinator: Coordinator;
}

/** Resolves with why the directory has to stay; undefined: it may be set aside. */
export async function whyNeeded(deps: VerdictDeps): Promise<string | undefined> {
  const { clock, coordinator, log, node } = deps;
  let session: CoordinatorSession | undefined;
  coordinator.start({
    session: (next) => {
      session = next;
    },
    unreachable: (problem) => log.warn(problem),
  });
  const until = clock.now() + PATIENCE_MS;
  let why = 'ZooKeeper does not answer';
  try {
    for (;;) {
      const verdict = session && (await verdictOf(session, node));
      if (verdict?.type === 'spare') return undefined;
      if (verdict?.type === 'last-copy') {
        return `shards ${verdict.shards.join(', ')} have their last copy here`;
      }
      if (verdict !== undefined && verdict.why !== why) log.info(`waiting: ${verdict.why}`);
      why = verdict?.why ?? why;
      if (clock.now() >= until) return `it is not known that others have its shards: ${why}`;
      await new Promise<void>((resolve) => clock.after(LOOK_EVERY_MS, resolve));
    }
  } finally {
    await coordinator.close();
  }
}

async function verdictOf(session: CoordinatorSession, node: MemberId): Promise<Verdict> {
  try {
    const configs = await readMap(session);
    return typeof configs === 'string' ? { type: 'undecided', why: configs } : judge(configs, node);
  } catch (error) {
    if (error instanceof BadRecordError) return { type: 'undecided', why: error.message };
    throw error;
  }
}

/** Of a map that was read to its last shard. */
export function judge(configs: readonly ShardConfig[], node: MemberId): Verdict {
  const own = configs.filter(({ replicas }) => replicas.some((place) => place.node === node));
  if (own.length === 0) return { type: 'undecided', why: 'the map does not know this node' };
  const counting = own.filter(({ isr }) => isr.includes(node));
  const last = counting.filter(({ isr }) => isr.length === 1);
  if (last.length > 0) return { type: 'last-copy', shards: last.map(({ shard }) => shard) };
  if (counting.length === 0) return { type: 'spare' };
  return { type: 'undecided', why: `${counting.length} shards still count on this node` };
}

/** All configurations, or why there are not. @throws BadRecordError */
async function readMap(session: CoordinatorSession): Promise<readonly ShardConfig[] | string> {
  const cluster = await readCluster(session);
  if (cluster.status !== 'ok') return 'ZooKeeper does not answer';
  if (cluster.value === undefined) return 'ZooKeeper does not know the cluster';
  const placement = await session.read(ZNODES.shards);
  if (placement.status !== 'ok') return 'ZooKeeper does not answer';
  if (placement.value === undefined || decodePlacement(placement.value.data) !== 'complete') {
    return 'not every shard is placed';
  }
  const configs: ShardConfig[] = [];
  for (let id = 0; id < cluster.value.shards; id++) {
    const shard = id as ShardId;
    const read = await session.read(shardZnode(shard));
    if (read.status !== 'ok') return 'ZooKeeper does not answer';
    if (read.value === undefined) return `the znode of shard ${shard} is missing`;
    configs.push(decodeShardConfig(shard, read.value.data));
  }
  return configs;
}
