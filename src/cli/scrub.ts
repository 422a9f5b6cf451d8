/**
 * Scrubs shards: asks every replica for the digest of its data, all as of one position.
 *
 * Each replica is read once, as it is. Those that were behind the one that is furthest are asked
 * again for exactly its position, some times: where writes never pause, there may be none.
 */
import { askInventory, askScrub } from '../grpc/inspection-client.js';
import type { HeldReplica, Inventory, ScrubFinding } from '../model/inspection.js';
import type { Seq } from '../model/ids.js';
import type { NodeStatus, ShardStatus } from '../model/status.js';

/** Times that replicas are asked, until they were all read as of one position. */
const ATTEMPTS = 5;
/** Shards scrubbed at once: a node does one replica at a time anyway. */
const AT_ONCE = 4;

export interface ReplicaScrub {
  readonly node: string;
  readonly role: 'primary' | 'secondary' | 'learner';
  /** Undefined: it was not reached, or holds nothing. */
  readonly position: number | undefined;
  readonly pairs: number;
  /** SHA-256 in hex; undefined: it was not read as of the common position. */
  readonly digest: string | undefined;
  readonly problem: string | undefined;
}

export interface ShardScrub {
  readonly shard: number;
  /** The worst that was found; `busy`: all records are sound, and were not compared. */
  readonly result: 'equal' | 'different' | 'damaged' | 'unreachable' | 'busy';
  readonly replicas: readonly ReplicaScrub[];
}

export interface ScrubTask {
  readonly nodes: readonly NodeStatus[];
  readonly shards: readonly ShardStatus[];
  /** For each replica. */
  readonly timeoutMs: number;
}

export async function scrubShards(task: ScrubTask): Promise<readonly ShardScrub[]> {
  const nodes = new Map(
    await Promise.all(
      task.nodes.map(async (node) => [node.id, await inspect(node, task.timeoutMs)] as const),
    ),
  );
  const scrubs: ShardScrub[] = [];
  let next = 0;
  const work = async () => {
    for (let at = next++; ; at = next++) {
      const shard = task.shards[at];
      if (shard === undefined) return;
      scrubs[at] = await scrubShard(shard, nodes, task.timeoutMs);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return scrubs;
}

/** What a node holds, or why it does not say. */
interface Inspected {
  readonly address: string;
  readonly inventory: Inventory | string;
}

async function inspect({ id, address }: NodeStatus, timeoutMs: number): Promise<Inspected> {
  if (address === '') return { address, inventory: 'the node is down' };
  try {
    const inventory = await askInventory(address, timeoutMs);
    if (inventory.node === id) return { address, inventory };
    return { address, inventory: `${inventory.node} answers at its address` };
  } catch (error) {
    return { address, inventory: messageOf(error) };
  }
}

/** A replica and what came of asking it. */
export interface Asked {
  readonly node: string;
  readonly role: ReplicaScrub['role'];
  readonly address: string;
  readonly held: HeldReplica | undefined;
  readonly finding: ScrubFinding | undefined;
  readonly problem: string | undefined;
}

async function scrubShard(
  shard: ShardStatus,
  nodes: ReadonlyMap<string, Inspected>,
  timeoutMs: number,
): Promise<ShardScrub> {
  // Whatever they are at: every record is to be verified.
  let asked = await Promise.all(
    locate(shard, nodes).map((replica) => digest(replica, undefined, timeoutMs)),
  );
  for (let attempt = 1; attempt < ATTEMPTS; attempt++) {
    const at = Math.max(...asked.map(({ finding }) => finding?.position ?? 0)) as Seq;
    if (asked.every((replica) => isAt(replica, at))) break;
    asked = await Promise.all(
      asked.map(async (replica) => {
        return isAt(replica, at) ? replica : digest(replica, at, timeoutMs);
      }),
    );
  }
  return judge(shard.id, asked);
}

/** Whether it was read as of this position, or asking it again is of no use. */
function isAt({ finding, problem }: Asked, at: Seq): boolean {
  if (problem !== undefined || finding === undefined) return true;
  return finding.position === at && finding.isExact && finding.digest !== undefined;
}

function locate(
  { id, primary, isr, learners }: ShardStatus,
  nodes: ReadonlyMap<string, Inspected>,
): readonly Asked[] {
  return [...isr, ...learners].map((node) => {
    const isLearner = learners.includes(node);
    const role = node === primary ? 'primary' : isLearner ? 'learner' : 'secondary';
    const { address = '', inventory = 'the node is not known' } = nodes.get(node) ?? {};
    const base = { node, role, address, finding: undefined } as const;
    if (typeof inventory === 'string') return { ...base, held: undefined, problem: inventory };
    const held = heldIn(inventory, id);
    const problem = held === undefined ? 'it holds no replica' : held.problem;
    return { ...base, held, problem };
  });
}

/** What a node holds of a shard: the one it has heard of, should the number have had several. */
export function heldIn(
  { replicas, configs }: Pick<Inventory, 'replicas' | 'configs'>,
  id: number,
): HeldReplica | undefined {
  const known = configs.find(({ config }) => config.shard === id)?.config.shardUuid;
  return replicas.find(({ shard, shardUuid }) => {
    return shard === id && (known === undefined || shardUuid === known);
  });
}

async function digest(replica: Asked, at: Seq | undefined, timeoutMs: number): Promise<Asked> {
  const { held, address, problem } = replica;
  if (held === undefined || problem !== undefined) return replica;
  const { shard, shardUuid } = held;
  try {
    const finding = await askScrub(address, { shard, shardUuid, at }, timeoutMs);
    return { ...replica, finding, problem: finding.problem };
  } catch (error) {
    return { ...replica, finding: undefined, problem: messageOf(error) };
  }
}

/** The worst of what was found, and all of it. */
export function judge(shard: number, asked: readonly Asked[]): ShardScrub {
  const replicas = asked.map(({ node, role, held, finding, problem }): ReplicaScrub => {
    return {
      node,
      role,
      position: finding?.position ?? held?.lastSeq,
      pairs: finding?.pairs ?? 0,
      digest: finding?.digest,
      problem,
    };
  });
  return { shard, result: resultOf(asked), replicas };
}

function resultOf(asked: readonly Asked[]): ShardScrub['result'] {
  if (asked.some(({ finding, held }) => finding?.problem ?? held?.problem)) return 'damaged';
  const known = asked.flatMap(({ finding }) => finding ?? []);
  const places = new Set(known.map(({ position }) => position));
  const areComparable = places.size === 1 && known.every(({ isExact }) => isExact);
  const digests = new Set(known.map(({ digest }) => digest));
  if (areComparable && digests.size > 1) return 'different';
  if (known.length < asked.length) return 'unreachable';
  return areComparable ? 'equal' : 'busy';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
