/** ZooKeeper comes back without its data: nothing is made up, and nothing is lost (Z12, S19). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IndependentClient } from '../support/independent-client.js';
import { TestCluster } from '../support/test-cluster.js';
import { ZnodeViewer } from '../support/znode-viewer.js';

const KEYS = Array.from({ length: 200 }, (_, n) => `key-${n}`);

describe('a ZooKeeper that was wiped while the cluster ran', () => {
  let cluster: TestCluster;
  let clients: IndependentClient[];
  beforeAll(async () => {
    cluster = await TestCluster.start({ routers: 2, storage: 2 });
    clients = cluster.routerAddresses.map((address) => new IndependentClient(address));
    await Promise.all(KEYS.map((key) => clients[0]!.put(key, key)));
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await cluster.stop();
  });

  it('Z12 S19 gets no new cluster; reads and writes go on, and the operator is told', async () => {
    await cluster.zooKeeper.kill();
    await cluster.zooKeeper.backUp();
    await cluster.zooKeeper.wipe();
    await cluster.zooKeeper.restart();
    const lost = /ZooKeeper has lost the cluster "default"/;
    const members = [...cluster.routers.values(), ...cluster.storage.values()];
    await Promise.all(members.map((member) => member.line(lost)));

    const status = await cluster.until((s) => s.zookeeperConnected && s.leader === undefined);
    expect(status.healthy).toBe(false);
    expect(status.problems.join()).toContain('ZooKeeper has lost the cluster');
    for (const client of clients) {
      for (const key of KEYS) expect((await client.get(key)).value.toString()).toBe(key);
      expect(await client.put('while-lost', 'yes')).toMatchObject({ applied: true });
    }
    const viewer = await ZnodeViewer.connect(cluster.zooKeeper.connect);
    expect(await viewer.children('/portolan/default')).toEqual([]);
    await viewer.close();
  });

  it('Z12 once the data is restored, the cluster finds together', async () => {
    await cluster.zooKeeper.kill();
    await cluster.zooKeeper.restore();
    await cluster.zooKeeper.restart();
    const status = await cluster.until((s) => s.healthy && s.candidates.length === 2);
    expect(status.nodes.map(({ state }) => state)).toEqual(['up', 'up']);
    expect((await clients[1]!.get('while-lost')).value.toString()).toBe('yes');
  });
});
