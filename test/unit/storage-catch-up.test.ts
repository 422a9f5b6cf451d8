/** Two storage nodes, and a stream between them that takes whatever it is given. */
import { afterEach, describe, expect, it } from 'vitest';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { shardOfSlot, slotOf, slotRangeOf } from '../../src/model/slot.js';
import type { LeaderEpoch, MemberId, ShardId } from '../../src/model/ids.js';
import type { Registration } from '../../src/model/registrations.js';
import type { Dialer, StreamEvents } from '../../src/ports/network.js';
import { StorageNode } from '../../src/storage/node.js';
import { ReplicaStore } from '../../src/storage/replica-store.js';
import { Store } from '../../src/storage/store.js';
import { systemClock } from '../../src/system/clock.js';
import { systemRandom } from '../../src/system/random.js';
import { clusterOf, configOf, nodeOf, placeOf, uuidOf } from '../support/configs.js';
import { putRequest } from '../support/kv-requests.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { silentLog } from '../support/silent-log.js';
import { Recorder } from '../support/storage-harness.js';

const SHARDS = 32;
/** One key of each shard. */
const KEYS = Array.from({ length: SHARDS }, (_, shard) => {
  for (let n = 0; ; n++)
    if (shardOfSlot(slotOf(Buffer.from(`k${n}`)), SHARDS) === shard) return `k${n}`;
});

class Pair {
  readonly nodes = new Map<string, StorageNode>();
  streams = 0;

  async start(id: string): Promise<{ node: StorageNode; self: Registration; lead: Lead }> {
    const disk = new MemoryDisk();
    const owner = { node: id as MemberId, cluster: 'default', bootId: 'boot' };
    const store = await Store.open(disk, owner, systemRandom);
    const self = { ...nodeOf(id), store: store.identity.store };
    const node = new StorageNode({
      ...{ disk, store, replicaStore: await ReplicaStore.open(disk), process: self.process },
      ...{ clock: systemClock, random: systemRandom, log: silentLog, dialer: this.#dialer() },
      isDiskFull: () => false,
      failed: (error) => {
        throw error;
      },
    });
    await node.join(clusterOf({ shards: SHARDS, replicas: 2 }));
    const stream = node.follow(new Recorder(), 'leader');
    const leader = { leaderEpoch: 1 as LeaderEpoch, leader: 'r1' as MemberId };
    stream.message({ type: 'hello', clusterUuid: uuidOf('cluster'), ...leader });
    const lead: Lead = (configs, version, nodes) => {
      const shards = configs.map((config) => ({ config, version }));
      stream.message({ type: 'map', shards, nodes });
    };
    this.nodes.set(self.address, node);
    return { node, self, lead };
  }

  #dialer(): Dialer {
    const replicate = (address: string, events: StreamEvents<Buffer>) => {
      this.streams++;
      let isOver = false;
      let remote: StreamEvents<Buffer> | undefined;
      const later = (act: () => void) => setImmediate(() => !isOver && act());
      const end = () =>
        later(() => {
          isOver = true;
          events.closed('ended');
          remote?.closed('ended');
        });
      later(() => {
        const write = (frame: Buffer) => (later(() => events.message(frame)), true);
        remote = this.nodes.get(address)!.replicate({ write, end }, 'peer');
        events.drain();
      });
      return { write: (frame: Buffer) => (later(() => remote?.message(frame)), true), end };
    };
    return { replicate, probe: () => Promise.resolve('accepted') } as Partial<Dialer> as Dialer;
  }
}

type Lead = (configs: readonly ShardConfig[], version: number, nodes: Registration[]) => void;

describe('a node that comes back far behind in many shards', () => {
  const stops: (() => void)[] = [];
  afterEach(() => stops.splice(0).forEach((stop) => stop()));

  it('L2 gets everything over one stream, although all of it is more than that may hold', async () => {
    const pair = new Pair();
    const [ahead, behind] = [await pair.start('s1'), await pair.start('s2')];
    for (const { node } of [ahead, behind]) stops.push(() => node.stop());
    const configs = (change: Partial<ShardConfig>) => {
      return Array.from({ length: SHARDS }, (_, shard) => {
        const slots = slotRangeOf(shard as ShardId, SHARDS);
        return configOf(shard, ahead.self, { slots, leaseReleased: true, ...change });
      });
    };
    ahead.lead(configs({ state: 'creating' }), 0, [ahead.self]);
    const nodes = [ahead.self, behind.self];
    const replicas = nodes.map(placeOf);
    const learning = configs({ replicas, learners: [behind.self.id] });
    // It is away: the log is kept for it.
    ahead.lead(learning, 1, [ahead.self]);
    const writes = 24;
    for (let n = 0; n < writes; n++) await putAll(ahead.node, Buffer.alloc(100_000, n));

    behind.lead(learning, 2, nodes);
    ahead.lead(learning, 2, nodes);
    const isBehind = () => {
      const held = [...behind.node.replicas()].filter(({ body }) => body.durableSeq > writes);
      return held.length < SHARDS;
    };
    while (isBehind() && pair.streams < 3) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(pair.streams).toBe(1);
  });
});

async function putAll(node: StorageNode, value: Buffer): Promise<void> {
  const context = { budgetMs: 30_000, onCancel: () => undefined };
  await Promise.all(KEYS.map((key) => node.kv.call('put', putRequest(key, value), context)));
}
