/** A primary that is paused for longer than its lease never answers what is not true any more. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IndependentClient } from '../support/independent-client.js';
import { settle } from '../support/storage-harness.js';
import { TestCluster } from '../support/test-cluster.js';

const ROUNDS = 4;
const READS = 20;

describe('a primary under SIGSTOP', () => {
  let cluster: TestCluster;
  let client: IndependentClient;
  beforeAll(async () => {
    cluster = await TestCluster.start({ routers: 1, storage: 3, replicas: 3, shards: 1 });
    client = new IndependentClient(cluster.addressOf('r1'));
  });
  afterAll(async () => {
    client.close();
    await cluster.stop();
  });

  it('S13 S14 asked while it is paused, it refuses, or says what its successor committed', async () => {
    let refused = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const { shards } = await cluster.until((s) => s.healthy && s.shards[0]!.isr.length === 3);
      const { primary } = shards[0]!;
      const node = cluster.storage.get(primary)!;
      const direct = new IndependentClient(cluster.addressOf(primary));
      await client.put('key', `before ${round}`);
      expect((await direct.get('key')).value.toString()).toBe(`before ${round}`);

      node.signal('SIGSTOP');
      await cluster.until((s) => s.shards[0]!.primary !== primary);
      await client.put('key', `after ${round}`, {}, 10_000);
      // They wait in its socket, and are the first that it sees.
      const reads = Array.from({ length: READS }, () => direct.get('key', 15_000));
      await settle();
      node.signal('SIGCONT');
      for (const read of await Promise.allSettled(reads)) {
        if (read.status === 'rejected') refused++;
        else expect(read.value.value.toString()).toBe(`after ${round}`);
      }
      direct.close();
    }
    expect(refused).toBeGreaterThan(0);
  });
});
