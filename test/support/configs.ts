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
import type { Registration } from '../../src/model/registrations.js';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { slotRangeOf } from '../../src/model/slot.js';

/** A uuid that is easy to tell apart: the text, as hex digits, padded. */
export function uuidOf(text: string): Uuid {
  return Buffer.from(text).toString('hex').padEnd(32, '0').slice(0, 32) as Uuid;
}

export function clusterOf(change: Partial<ClusterConfig> = {}): ClusterConfig {
  return { clusterUuid: uuidOf('cluster'), shards: 6, replicas: 1, initialStorage: 1, ...change };
}

/** A node in one of its lives; its store is named after it unless said otherwise. */
export function nodeOf(id: string, life = 1, store = id): Registration {
  return {
    id: id as MemberId,
    address: `127.0.0.1:${7000 + Number(id.replace(/\D/g, ''))}`,
    labels: { host: '', zone: '' },
    store: uuidOf(store),
    process: uuidOf(`${id}-${life}`),
    incarnation: life as Incarnation,
  };
}

export function configOf(
  shard: number,
  node: Registration,
  change: Partial<ShardConfig> = {},
): ShardConfig {
  return {
    shard: shard as ShardId,
    slots: slotRangeOf(shard as ShardId, 6),
    shardUuid: uuidOf(`shard-${shard}`),
    state: 'active',
    epoch: 1 as Epoch,
    primary: node.id,
    isr: [node.id],
    learners: [],
    replicas: [{ node: node.id, store: node.store, incarnation: node.incarnation }],
    pending: null,
    leaderEpoch: 1 as LeaderEpoch,
    nonce: '00',
    ...change,
  };
}

export function reportOf(config: ShardConfig): ReplicaEntry {
  const [place] = config.replicas;
  return {
    shard: config.shard,
    shardUuid: config.shardUuid,
    store: place!.store,
    epoch: config.epoch,
    openedEpoch: 0 as Epoch,
    lastSeq: 0 as Seq,
  };
}
