/** The replication of s1, which leads shard 0, without a network: the test plays the other nodes. */
import type { MemberId, ShardId, Uuid } from '../../src/model/ids.js';
import type { Registration } from '../../src/model/registrations.js';
import { ShardMap } from '../../src/model/shard-map.js';
import type { StreamEvents } from '../../src/ports/network.js';
import type { ReplicaMessage } from '../../src/replication/messages.js';
import { nodeSettings } from '../../src/storage/replica-settings.js';
import {
  decodeFrame,
  encodeFrame,
  type ReplicationRecord,
} from '../../src/storage/replication-frame.js';
import { Replication, type ReplicationDeps } from '../../src/storage/replication.js';
import { nodeOf, uuidOf } from './configs.js';
import { sharedBy } from './control-harness.js';
import { FakeClock } from './fake-clock.js';
import { silentLog } from './silent-log.js';
import { CountingRandom, Recorder } from './storage-harness.js';

const [s1, s2, s3] = [nodeOf('s1'), nodeOf('s2'), nodeOf('s3')];
const clusterUuid = uuidOf('cluster');
const SHARED = sharedBy(0, [s1, s2, s3]);

/** s1's end of its stream to another node. */
class Stream extends Recorder<Buffer> {
  readonly events: StreamEvents<Buffer>;

  constructor(events: StreamEvents<Buffer>) {
    super();
    this.events = events;
  }

  say(record: ReplicationRecord): void {
    this.events.message(encodeFrame([record]));
  }
}

export interface ReplicationParts {
  readonly rounds: object;
  readonly store?: object;
  readonly replicas?: object;
}

export class ReplicationUnderTest {
  static readonly shard = SHARED.shard;
  static readonly shardUuid = SHARED.shardUuid;
  static readonly epoch = SHARED.epoch;
  readonly replication: Replication;
  readonly #streams = new Map<MemberId, Stream>();

  /** Its streams to s2 and s3 stand. */
  constructor({ rounds, store = {}, replicas = {} }: ReplicationParts) {
    const map = new ShardMap();
    map.apply({ config: SHARED, version: 0 });
    map.setNodes([s1, s2, s3]);
    map.shardCount = 2;
    const parts: Partial<Record<keyof ReplicationDeps, unknown>> = {
      ...{ map, clock: new FakeClock(), random: new CountingRandom(), log: silentLog },
      self: { node: s1.id, process: s1.process },
      identity: () => ({ store: s1.store, clusterUuid }),
      settings: nodeSettings(map),
      store,
      rounds: { submit: () => undefined, stepNow: () => undefined, ...rounds },
      replicas: { sessions: { up: () => undefined, down: () => undefined }, ...replicas },
      dialer: {
        replicate: (address: string, events: StreamEvents<Buffer>) => {
          const stream = new Stream(events);
          this.#streams.set(nodeAt(address).id, stream);
          return stream;
        },
      },
    };
    this.replication = new Replication(parts as unknown as ReplicationDeps);
    this.replication.mapChanged();
    for (const node of [s2, s3]) this.#greet(node);
  }

  says(
    from: MemberId,
    message: ReplicaMessage,
    about: Partial<{ shard: ShardId; shardUuid: Uuid }> = {},
  ) {
    const { shard, shardUuid } = { ...SHARED, ...about };
    this.#streams.get(from)!.say({ type: 'replica', shard, shardUuid, message });
  }

  /** What was sent to a node. */
  heardBy(node: MemberId): readonly ReplicaMessage[] {
    const records = this.#streams.get(node)!.messages.flatMap(decodeFrame);
    return records.flatMap((record) => (record.type === 'replica' ? record.message : []));
  }

  #greet({ id: node, store, process }: Registration): void {
    this.#streams.get(node)!.say({ type: 'hello', node, store, process, clusterUuid });
  }
}

function nodeAt(address: string): Registration {
  return [s2, s3].find((node) => node.address === address)!;
}
