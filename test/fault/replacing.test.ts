/** A storage node that does not come back, on real processes: its replicas are made anew elsewhere. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forEachIndex, IndependentClient } from '../support/independent-client.js';
import { TestCluster } from '../support/test-cluster.js';

const KEYS = 400;
const SHARDS = 8;

describe('a storage node that is gone for good', () => {
  let cluster: TestCluster;
  let client: IndependentClient;
  beforeAll(async () => {
    const create = ['--replace-after-ms', '3000'];
    cluster = await TestCluster.start({ routers: 2, storage: 4, shards: SHARDS, create });
    client = new IndependentClient(cluster.addressOf('r1'));
  });
  afterAll(async () => {
    client.close();
    await cluster.stop();
  });

  it('S6 S19 is replaced, and then another one can go: nothing acknowledged is lost', async () => {
    await forEachIndex(KEYS, 16, async (index) => {
      expect(await client.put(`key-${index}`, `value-${index}`)).toMatchObject({ applied: true });
    });
    const before = await cluster.untilHealthy();
    const leader = cluster.routers.get(before.leader!.id)!;
    const had = before.shards.filter(({ isr }) => isr.includes('s4')).map(({ id }) => id);
    expect(had.length).toBeGreaterThan(0);
    await cluster.storage.get('s4')!.kill();
    await leader.line(/storage node s4 is gone: its replicas are replaced awaySeconds=[3-9]/);
    const after = await cluster.until(
      ({ healthy, shards, nodes }) =>
        healthy && nodes.length === 3 && shards.every(({ isr }) => !isr.includes('s4')),
    );
    for (const { isr, learners } of after.shards) {
      expect([...isr].sort()).toEqual(['s1', 's2', 's3']);
      expect(learners).toEqual([]);
    }
    expect(leader.said(/shard map: \d+ forget/).length).toBeGreaterThan(0);

    // What was made anew is a copy like the others: it leads when the one there is dies.
    await cluster.storage.get('s1')!.kill();
    await cluster.until(({ shards }) => shards.every(({ primary }) => primary !== 's1'));
    await forEachIndex(KEYS, 16, async (index) => {
      const { found, value } = await client.get(`key-${index}`, 5_000);
      expect(found && value.toString()).toBe(`value-${index}`);
    });
    // With nobody to spare, nobody is forgotten: s1 is awaited.
    const short = await cluster.until(({ problems }) =>
      problems.some((problem) => problem.includes('2 of 3 replicas in sync; start s1 again')),
    );
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    const waiting = await cluster.until(({ leader: id }) => id !== undefined);
    for (const { id, learners } of waiting.shards) expect([id, learners]).toEqual([id, ['s1']]);
    expect(short.shards).toHaveLength(SHARDS);

    // The one that was forgotten takes its place when it comes back.
    await cluster.startStorage('s4');
    const healed = await cluster.until(({ healthy, nodes }) => healthy && nodes.length === 3);
    for (const { isr } of healed.shards) expect([...isr].sort()).toEqual(['s2', 's3', 's4']);
    await forEachIndex(KEYS, 16, async (index) => {
      expect((await client.get(`key-${index}`, 5_000)).found).toBe(true);
    });
  });
});
