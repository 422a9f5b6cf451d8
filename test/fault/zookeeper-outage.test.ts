/** ZooKeeper is away for 30 seconds: data keeps flowing, and afterwards everything finds together. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IndependentClient } from '../support/independent-client.js';
import { TestCluster } from '../support/test-cluster.js';

const OUTAGE_MS = 30_000;

describe('ZooKeeper stopped for 30 s and started again', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ routers: 3, storage: 3 });
  });
  afterAll(() => cluster.stop());

  it('reads and writes go on; registrations and election recover by themselves', async () => {
    const before = await cluster.untilHealthy();
    const clients = cluster.routerAddresses.map((address) => new IndependentClient(address));
    await cluster.zooKeeper.kill();
    const endMs = performance.now() + OUTAGE_MS;
    let operations = 0;
    const worker = async (client: IndependentClient, name: string): Promise<void> => {
      for (let n = 0; performance.now() < endMs; n++) {
        const { applied } = await client.put(`${name}-${n % 50}`, `${n}`);
        expect(applied).toBe(true);
        const { found, value } = await client.get(`${name}-${n % 50}`);
        expect(found && value.toString()).toBe(`${n}`);
        operations += 2;
      }
    };
    await Promise.all(clients.map((client, index) => worker(client, `c${index}`)));
    expect(operations).toBeGreaterThan(1_000);
    const during = await cluster.until((s) => !s.zookeeperConnected);
    expect(during.healthy).toBe(false);

    await cluster.zooKeeper.restart();
    const after = await cluster.until(
      (s) => s.healthy && s.candidates.length === 3 && s.nodes.every(({ state }) => state === 'up'),
      { timeoutMs: 60_000 },
    );
    expect(after.leader!.leaderEpoch).toBeGreaterThanOrEqual(before.leader!.leaderEpoch);

    // And the map can change again: a restarted node gets its shards back.
    await cluster.storage.get('s2')!.kill();
    await cluster.startStorage('s2');
    await cluster.until((s) => s.healthy && s.shards.some(({ epoch }) => epoch > 1), {
      timeoutMs: 60_000,
    });
    for (const client of clients) client.close();
  });
});
