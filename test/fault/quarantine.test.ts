/** Damaged replicas on real processes: never served, never overwritten, and learnt anew (S20). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forEachIndex, IndependentClient } from '../support/independent-client.js';
import { damageShards, readShards } from '../support/stored-shards.js';
import { TestCluster } from '../support/test-cluster.js';

const KEYS = Array.from({ length: 120 }, (_, n) => `key-${n}`);
const NODES = ['s1', 's2', 's3'];

describe('replicas whose bytes rotted', () => {
  let cluster: TestCluster;
  let client: IndependentClient;
  beforeAll(async () => {
    cluster = await TestCluster.start({ routers: 1, storage: 3, replicas: 3, shards: 6 });
    client = new IndependentClient(cluster.addressOf('r1'));
    await forEachIndex(KEYS.length, 16, async (n) => {
      await client.put(KEYS[n]!, KEYS[n]!);
    });
  });
  afterAll(async () => {
    client.close();
    await cluster.stop();
  });

  /** Reads all keys, as often as they are refused; what is answered is right. */
  async function readAll(): Promise<void> {
    await forEachIndex(KEYS.length, 16, async (n) => {
      const key = KEYS[n]!;
      for (const deadline = performance.now() + 20_000; ; ) {
        const got = await client.get(key, 2_000).catch((error: unknown) => error as Error);
        if (!(got instanceof Error)) {
          expect({ found: got.found, value: got.value.toString() }).toEqual({
            found: true,
            value: key,
          });
          return;
        }
        if (performance.now() > deadline) throw got;
      }
    });
  }

  const untilWhole = () =>
    cluster.until((s) => s.healthy && s.shards.every(({ isr }) => isr.length === 3));

  it('S19 S20 a log with a flipped bit is kept as it is, and its shards are learnt anew', async () => {
    await cluster.storage.get('s2')!.kill();
    const shards = await damageShards(cluster.folder, 's2', 'log');
    expect(shards.length).toBe(6);
    const node = await cluster.startStorage('s2');
    await node.line(/a replica is damaged and not used/);
    await untilWhole();
    await readAll();
  });

  it('S20 a primary that reads a damaged record is relieved, and learns the shard anew', async () => {
    await cluster.storage.get('s1')!.kill();
    expect((await damageShards(cluster.folder, 's1', 'data')).length).toBe(6);
    const node = await cluster.startStorage('s1');
    // It follows, and is given shards to lead, before anybody has read what is damaged.
    await cluster.until((s) => s.healthy && s.shards.some(({ primary }) => primary === 's1'));
    await readAll();
    await node.line(/a damaged replica was set aside, and is learnt anew/);
    await untilWhole();
    await readAll();
  });

  it('S9 S19 sound replicas are equal in the end, and what was damaged is still there', async () => {
    await untilWhole();
    await Promise.all(NODES.map((id) => cluster.storage.get(id)!.stop()));
    const [second, third] = [
      await readShards(cluster.folder, 's2'),
      await readShards(cluster.folder, 's3'),
    ];
    const kept = second.damaged.filter(({ at }) => at !== undefined);
    expect(new Set(kept.map(({ shard }) => shard)).size).toBe(6);
    expect(second.digests.size).toBe(6);
    expect(second.digests).toEqual(third.digests);
  });
});
