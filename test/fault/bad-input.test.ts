/** What operators get wrong and what turns up in ZooKeeper: refused by name, nothing overwritten. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterStatus } from '../../src/client/index.js';
import { freePort } from '../../src/system/free-port.js';
import { IndependentClient } from '../support/independent-client.js';
import { PortolanProcess } from '../support/portolan-process.js';
import { SESSION_TIMEOUT_MS, TestCluster } from '../support/test-cluster.js';
import { ZnodeViewer } from '../support/znode-viewer.js';

describe('bad input and foreign data', () => {
  let cluster: TestCluster;
  let znodes: ZnodeViewer;
  beforeAll(async () => {
    cluster = await TestCluster.start({ routers: 2, storage: 2, shards: 8 });
    znodes = await ZnodeViewer.connect(cluster.zooKeeper.connect);
  });
  afterAll(async () => {
    await znodes.close();
    await cluster.stop();
  });

  const storage = (id: string, data: string, cluster_ = 'default') => {
    return new PortolanProcess(id, [
      ...['storage', '--id', id, '--zk', cluster.zooKeeper.connect, '--cluster', cluster_],
      ...['--data', data, '--session-timeout-ms', String(SESSION_TIMEOUT_MS)],
    ]);
  };

  it('a second process with the same data directory is told so and ends', async () => {
    const second = storage('s9', join(cluster.folder, 's1'));
    expect(await second.exited).toBe(1);
    expect(second.tail()).toMatch(/in use by another process/);
  });

  it('a data directory of another node is refused', async () => {
    await cluster.storage.get('s2')!.stop();
    const other = storage('s9', join(cluster.folder, 's2'));
    expect(await other.exited).toBe(1);
    expect(other.tail()).toMatch(/s2/);
    await cluster.startStorage('s2');
    await cluster.untilHealthy();
  });

  it('a second process with the same id is told who holds it, and the first is not disturbed', async () => {
    const second = storage('s1', join(cluster.folder, 'elsewhere'));
    expect(await second.exited).toBe(1);
    expect(second.tail()).toMatch(/node id s1 is in use by 127\.0\.0\.1:\d+/);
    const status = await cluster.untilHealthy();
    expect(status.nodes.find(({ id }) => id === 's1')?.address).toBe(cluster.addressOf('s1'));
  });

  it('S19 a copy of a data directory that is in use does not take over', async () => {
    const copy = join(cluster.folder, 'copy');
    await cp(join(cluster.folder, 's1'), copy, { recursive: true });
    const client = new IndependentClient(cluster.addressOf('r1'));
    await client.put('after-the-copy', 'kept');
    const second = storage('s1', copy);
    expect(await second.exited).toBe(1);
    expect(second.tail()).toMatch(/a copy of this data directory is in use by node s1 at 127/);
    expect((await client.get('after-the-copy')).value.toString()).toBe('kept');
    client.close();
  });

  it('a second router with the same id is told who holds it, and the first is not disturbed', async () => {
    const before = await cluster.untilHealthy();
    const second = new PortolanProcess('r2', [
      ...['router', '--id', 'r2', '--zk', cluster.zooKeeper.connect],
      ...['--session-timeout-ms', String(SESSION_TIMEOUT_MS)],
    ]);
    expect(await second.exited).toBe(1);
    const holder = cluster.addressOf('r2').replaceAll('.', '\\.');
    expect(second.tail()).toMatch(new RegExp(`router id "r2" is in use by a process at ${holder}`));
    const after = await cluster.untilHealthy();
    expect(after.candidates).toEqual(before.candidates);
  });

  it('a router that advertises a wrong address says so, and still serves a fresh map', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const wrong = new PortolanProcess('r9', [
      ...['router', '--id', 'r9', '--zk', cluster.zooKeeper.connect, '--listen', address],
      ...['--advertise', '127.0.0.1:9', '--session-timeout-ms', String(SESSION_TIMEOUT_MS)],
    ]);
    await wrong.line(/ready/);
    const routers = [address];
    const problem = 'the leader does not reach router r9: check its --advertise';
    await cluster.until((s) => s.problems.includes(problem), { routers });
    // A node that comes back elsewhere: nobody tells, and it is found all the same.
    await cluster.storage.get('s1')!.stop();
    cluster.forgetPorts('s1');
    await cluster.startStorage('s1');
    const isThere = ({ nodes }: ClusterStatus) =>
      nodes.some(({ id, address: at }) => id === 's1' && at === cluster.addressOf('s1'));
    await cluster.until(isThere, { routers });
    await cluster.until((s) => s.shards.every(({ served }) => served), { routers });
    // It reads the cluster's record again and again, and goes on with what it knows.
    const znodes = await ZnodeViewer.connect(cluster.zooKeeper.connect);
    const record = await znodes.raw('/portolan/default/cluster');
    await znodes.write('/portolan/default/cluster', Buffer.from('garbage'));
    await wrong.line(/znode \/cluster: is not JSON/);
    const client = new IndependentClient(address);
    for (let n = 0; n < 20; n++) expect((await client.put(`r9-${n}`, 'x')).applied).toBe(true);
    client.close();
    await znodes.write('/portolan/default/cluster', record);
    await znodes.close();
    await wrong.stop();
    await cluster.untilHealthy();
  });

  it('two clusters under one ZooKeeper do not see each other', async () => {
    const other = await TestCluster.start(
      { cluster: 'second', routers: 1, storage: 1, shards: 4 },
      cluster.zooKeeper,
    );
    try {
      const [first, second] = [
        new IndependentClient(cluster.addressOf('r1')),
        new IndependentClient(other.addressOf('r1')),
      ];
      await first.put('shared', 'of the first');
      expect((await second.get('shared')).found).toBe(false);
      await second.put('shared', 'of the second');
      expect((await first.get('shared')).value.toString()).toBe('of the first');
      first.close();
      second.close();
      const clusters = await znodes.children('/portolan');
      expect(clusters.sort()).toEqual(['default', 'second']);

      // A data directory that belongs to one is not taken into the other.
      await other.storage.get('s1')!.stop();
      const stray = storage('s1', join(other.folder, 's1'), 'default');
      expect(await stray.exited).toBe(1);
      expect(stray.tail()).toMatch(/cluster/);
      expect((await cluster.untilHealthy()).healthy).toBe(true);
    } finally {
      await other.stop({ keepZooKeeper: true });
    }
  });

  it('S19 garbage in a shard znode is named and left; the other shards are served', async () => {
    const path = '/portolan/default/shards/3';
    const good = await znodes.raw(path);
    const garbage = Buffer.from('{"format":1,"shard":3,"surprise":true}');
    await znodes.write(path, garbage);
    for (const id of ['r1', 'r2']) {
      await cluster.routers.get(id)!.kill();
      await cluster.startRouter(id);
    }
    const fromFirst = { routers: [cluster.addressOf('r1')] };
    const status = await cluster.until(
      (s) => s.leader !== undefined && s.shards.length === 7,
      fromFirst,
    );
    expect(status.healthy).toBe(false);
    expect(status.problems.join()).toMatch(/shard 3: no configuration.*unreadable/);
    const leader = cluster.routers.get(status.leader!.id)!;
    await leader.line(/znode \/shards\/3: .* It was left as it is/);

    // A change that concerns every shard of a node passes it by.
    await cluster.storage.get('s1')!.kill();
    await cluster.startStorage('s1');
    const epochs = new Map(status.shards.map(({ id, epoch }) => [id, epoch]));
    await cluster.until((s) => {
      const own = s.shards.filter(({ primary }) => primary === 's1');
      return own.every(({ id, epoch, served }) => served && epoch > epochs.get(id)!);
    }, fromFirst);
    expect(await znodes.raw(path)).toEqual(garbage);

    const client = new IndependentClient(cluster.addressOf('r1'));
    const keys = Array.from({ length: 40 }, (_, n) => `any-${n}`);
    const results = await Promise.allSettled(keys.map((key) => client.put(key, key, {}, 1_500)));
    const refused = results.flatMap((result) => {
      return result.status === 'rejected' ? [String(result.reason)] : [];
    });
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length, refused.join('\n')).toBeLessThan(keys.length / 2);
    client.close();

    await znodes.write(path, good);
    await cluster.routers.get(status.leader!.id)!.stop();
    await cluster.startRouter(status.leader!.id);
    await cluster.untilHealthy();
  });

  it('a ZooKeeper that is not there is said within 5 s, and used once it is', async () => {
    const port = await freePort();
    const started = performance.now();
    const router = new PortolanProcess('lonely', [
      ...['router', '--id', 'lonely', '--zk', `127.0.0.1:${port}`],
    ]);
    await router.line(/no ZooKeeper answers at 127\.0\.0\.1:\d+ .*Check --zk/, {
      timeoutMs: 5_000,
    });
    expect(performance.now() - started).toBeLessThan(5_500);
    expect(await router.stop()).toBe(0);
  });
});
