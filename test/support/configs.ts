/** Short ways to the records that unit tests are about. */
import type { ClusterConfig } from '../../src/model/cluster-config.js';
import type {
  Epoch,
  Incarnation,
  LeaderEpoch,
  MemberId,
  Seq,
  ShardId,
  Uuid,
} from '../../src/model/ids.js';
import type { ReplicaEntry } from '../../src/model/member-messages.js';
import { ANCESTRY_MAX, type Registration } from '../../src/model/registrations.js';
import type { ReplicaPlace, ShardConfig } from '../../src/model/shard-config.js';
import { slotRangeOf } from '../../src/model/slot.js';

/** A uuid that is easy to tell apart: the text, as hex digits, padded. */
export function uuidOf(text: string): Uuid {
  return Buffer.from(text).toString('hex').padEnd(32, '0').slice(0, 32) as Uuid;
}

export function clusterOf(change: Partial<ClusterConfig> = {}): ClusterConfig {
  return {
    clusterUuid: uuidOf('cluster'),
    shards: 6,
    replicas: 1,
    minIsr: 1,
    leaseMs: 600,
    replaceAfterMs: 300_000,
    initialStorage: 1,
    ...change,
  };
}

/** A node in one of its lives; its store is named after it unless said otherwise. */
export function nodeOf(id: string, life = 1, store = id): Registration {
  const before = Array.from({ length: Math.min(life - 1, ANCESTRY_MAX) }, (_, ago) => {
    return uuidOf(`${id}-${life - 1 - ago}`);
  });
  return {
    id: id as MemberId,
    address: `127.0.0.1:${7000 + Number(id.replace(/\D/g, ''))}`,
    labels: { host: '', zone: '' },
    store: uuidOf(store),
    process: uuidOf(`${id}-${life}`),
    incarnation: life as Incarnation,
    ancestry: before.reverse(),
  };
}

export function placeOf(node: Registration): ReplicaPlace {
  const { id, store, incarnation, process } = node;
  return { node: id, store, incarnation, process };
}

/** A shard of six, or of more, with one replica. */
export function configOf(
  shard: number,
  node: Registration,
  change: Partial<ShardConfig> = {},
): ShardConfig {
  return {
    shard: shard as ShardId,
    slots: slotRangeOf(shard as ShardId, Math.max(6, shard + 1)),
    shardUuid: uuidOf(`shard-${shard}`),
    state: 'active',
    epoch: 1 as Epoch,
    primary: node.id,
    isr: [node.id],
    learners: [],
    replicas: [placeOf(node)],
    leaseReleased: false,
    pending: null,
    leaderEpoch: 1 as LeaderEpoch,
    nonce: '00',
    ...change,
  };
}

/** What each node of the configuration reports of it. */
export function reportsOf(config: ShardConfig): ReplicaEntry[] {
  const { shard, shardUuid, epoch } = config;
  const openedEpoch = 0 as Epoch;
  return config.replicas.map(({ store }) => {
    return { shard, shardUuid, store, epoch, openedEpoch, lastSeq: 0 as Seq };
  });
}

/** What its first node reports. */
export function reportOf(config: ShardConfig): ReplicaEntry {
  return reportsOf(config)[0]!;
}
