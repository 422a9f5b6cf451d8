/** Three replicas of each shard on real processes: what is acknowledged survives, and goes on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, connect } from '../../src/client/index.js';
import { SteadyLoad } from '../support/steady-load.js';
import { TestCluster } from '../support/test-cluster.js';

const WRITERS = 16;
/** Several from each writer. */
const SOME_WRITES = 100;

describe('shards with three replicas', () => {
  let cluster: TestCluster;
  let client: Client;
  beforeAll(async () => {
    cluster = await TestCluster.start({ routers: 2, storage: 3 });
    client = connect(cluster.routerAddresses);
  });
  afterAll(async () => {
    await client.close();
    await cluster.stop();
  });

  it('S4 S5 S6 kill -9 of one storage node after the other loses no acknowledged write', async () => {
    const load = new SteadyLoad(client, WRITERS);
    try {
      for (const id of ['s1', 's2', 's3']) {
        await load.more(SOME_WRITES);
        await cluster.storage.get(id)!.kill();
        // The others take over, and go on without it.
        await cluster.until(({ shards }) => {
          return shards.every(({ primary, isr }) => primary !== id && !isr.includes(id));
        });
        await load.more(SOME_WRITES);
        await cluster.startStorage(id);
        // It catches up and is in sync again by itself, while writes go on.
        await cluster.until(({ shards }) => shards.every(({ isr }) => isr.length === 3));
        await load.more(SOME_WRITES);
      }
    } finally {
      await load.stop();
    }
    await cluster.untilHealthy();
    expect(load.failures).toEqual([]);
    await load.verify();
  });

  it('S11 SIGTERM hands its shards over before it ends, without waiting for a lease', async () => {
    const before = await cluster.untilHealthy();
    const leader = cluster.routers.get(before.leader!.id)!;
    const led = before.shards.filter(({ primary }) => primary === 's2').map(({ id }) => id);
    expect(led.length).toBeGreaterThan(0);
    const said = leader.line(/shard map: .*hand-over from s2/);
    await cluster.storage.get('s2')!.stop();
    await said;
    expect(cluster.storage.get('s2')!.said(/still leads shards/)).toEqual([]);
    const after = await cluster.until(({ shards }) =>
      shards.every(({ primary }) => primary !== 's2'),
    );
    const isr = new Map(before.shards.map((shard) => [shard.id, shard.isr]));
    for (const { id, primary } of after.shards) expect(isr.get(id)).toContain(primary);
    for (const id of led) {
      const written = await client.put(`{${id}}after`, 'v');
      expect(written.applied).toBe(true);
    }
    await cluster.startStorage('s2');
    await cluster.untilHealthy();
  });
});
