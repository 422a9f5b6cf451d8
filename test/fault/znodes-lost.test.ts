/** Znodes that vanish or go back in time: nothing is made up for them (S19, S22, B9). */
import { afterEach, describe, expect, it } from 'vitest';
import type { ClusterStatus } from '../../src/client/index.js';
import { IndependentClient } from '../support/independent-client.js';
import { runPortolan } from '../support/run-portolan.js';
import { TestCluster } from '../support/test-cluster.js';
import { ZnodeViewer } from '../support/znode-viewer.js';

describe('znodes that are lost', () => {
  let cluster: TestCluster;
  afterEach(() => cluster.stop());

  const restartAll = async () => {
    for (const id of [...cluster.routers.keys()]) {
      await cluster.routers.get(id)!.kill();
      await cluster.startRouter(id);
    }
    for (const id of [...cluster.storage.keys()]) {
      await cluster.storage.get(id)!.kill();
      await cluster.startStorage(id);
    }
  };

  it('S19 S22 a shard whose znode was deleted is not made anew; restored, it has its data', async () => {
    cluster = await TestCluster.start({ routers: 2, storage: 1, shards: 2 });
    const client = new IndependentClient(cluster.addressOf('r1'));
    const keys = Array.from({ length: 20 }, (_, n) => `key-${n}`);
    for (const key of keys) await client.put(key, key);
    const znodes = await ZnodeViewer.connect(cluster.zooKeeper.connect);
    const path = '/portolan/default/shards/0';
    const config = await znodes.raw(path);
    await znodes.remove(path);
    await restartAll();

    const status = await cluster.until((s) => s.shards.length === 1 && s.shards[0]!.epoch > 1);
    expect(status.healthy).toBe(false);
    expect(status.problems.join()).toMatch(/shard 0: no configuration.*missing/);
    const leader = cluster.routers.get(status.leader!.id)!;
    await leader.line(/shard 0: its znode \/shards\/0 is missing, and is not made anew/);
    client.reconnect();
    const reads = await Promise.allSettled(keys.map((key) => client.get(key, 1_000)));
    const found = reads.filter((read) => read.status === 'fulfilled' && read.value.found);
    const refused = reads.filter((read) => read.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(found.length + refused.length).toBe(keys.length);

    await znodes.create(path, config);
    await restartAll();
    await cluster.untilHealthy();
    client.reconnect();
    for (const key of keys) expect((await client.get(key)).value.toString()).toBe(key);
    client.close();
    await znodes.close();
  });

  it('S19 a shard whose node restarts while its znode is gone: said, and served once restored', async () => {
    cluster = await TestCluster.start({ routers: 2, storage: 1, shards: 2 });
    const client = new IndependentClient(cluster.addressOf('r1'));
    const keys = Array.from({ length: 20 }, (_, n) => `key-${n}`);
    for (const key of keys) await client.put(key, key);
    const znodes = await ZnodeViewer.connect(cluster.zooKeeper.connect);
    const path = '/portolan/default/shards/0';
    const config = await znodes.raw(path);
    await znodes.remove(path);
    await cluster.storage.get('s1')!.kill();
    await cluster.startStorage('s1');
    const isOnlyOne = ({ shards }: ClusterStatus) =>
      shards.map(({ served }) => served).join() === 'false,true';
    const routers = cluster.routerAddresses;
    for (const router of routers) {
      const status = await cluster.until(isOnlyOne, { routers: [router] });
      expect(status.healthy).toBe(false);
      expect(status.problems.join()).toContain(
        'shard 0: primary s1 restarted and has no new epoch',
      );
    }
    await znodes.create(path, config);
    await cluster.untilHealthy();
    for (const key of keys) expect((await client.get(key)).value.toString()).toBe(key);
    client.close();
    await znodes.close();
  });

  it('S1 S19 after a restore of an older backup all waits for an operator, whose epochs are new', async () => {
    cluster = await TestCluster.start({ routers: 2, storage: 1, shards: 2 });
    const client = new IndependentClient(cluster.addressOf('r1'));
    await cluster.zooKeeper.kill();
    await cluster.zooKeeper.backUp();
    await cluster.zooKeeper.restart();
    await cluster.untilHealthy();
    for (let n = 0; n < 2; n++) {
      await restartAll();
      await cluster.untilHealthy();
    }
    client.reconnect();
    const { version } = await client.put('key', 'latest');
    const before = await cluster.untilHealthy();

    await cluster.zooKeeper.kill();
    await cluster.zooKeeper.restore();
    await cluster.zooKeeper.restart();
    await restartAll();
    await cluster.until(({ problems }) => problems.join().includes('ZooKeeper was set back'));
    const nodes = ['--nodes', cluster.addressOf('s1'), '--yes'];
    const done = await runPortolan(['recover', '--zk', cluster.zooKeeper.connect, ...nodes]);
    expect(done, done.stderr).toMatchObject({ code: 0 });
    await cluster.until(
      ({ healthy, leader, shards }) =>
        healthy &&
        leader!.leaderEpoch > before.leader!.leaderEpoch &&
        shards.every(({ id, epoch }) => epoch > before.shards[id]!.epoch),
    );
    client.reconnect();
    expect(await client.get('key')).toMatchObject({ found: true, version });
    client.close();
  });
});
