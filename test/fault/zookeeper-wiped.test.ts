/** ZooKeeper comes back without its data: nothing is made up, and nothing is lost (Z12, S19). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterStatus } from '../../src/client/index.js';
import type { PlannedShard } from '../../src/control/recovery-plan.js';
import { IndependentClient } from '../support/independent-client.js';
import { runPortolan } from '../support/run-portolan.js';
import { TestCluster } from '../support/test-cluster.js';
import { ZnodeViewer } from '../support/znode-viewer.js';

const KEYS = Array.from({ length: 200 }, (_, n) => `key-${n}`);

/** No hand-over is under way, or about to be. */
function isBalanced({ nodes, shards }: ClusterStatus): boolean {
  const led = nodes.map(({ id }) => shards.filter(({ primary }) => primary === id).length);
  return Math.max(...led) - Math.min(...led) <= 1;
}

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

describe('a ZooKeeper that was wiped, and has no backup', () => {
  let cluster: TestCluster;
  let client: IndependentClient;
  const written = new Map<string, number>();
  const NODES = ['s1', 's2', 's3'];
  const put = async (key: string) => {
    written.set(key, Number((await client.put(key, key)).version));
  };
  beforeAll(async () => {
    cluster = await TestCluster.start({ routers: 2, storage: 3, replicas: 3, shards: 8 });
    client = new IndependentClient(cluster.routerAddresses[0]!);
    await Promise.all(KEYS.map(put));
  });
  afterAll(async () => {
    client.close();
    await cluster.stop();
  });

  async function wipe(): Promise<void> {
    await cluster.zooKeeper.kill();
    await cluster.zooKeeper.wipe();
    await cluster.zooKeeper.restart();
  }

  const recover = (...more: readonly string[]) =>
    runPortolan([
      ...['recover', '--zk', cluster.zooKeeper.connect, '--json', ...more],
      ...['--nodes', NODES.map((id) => cluster.addressOf(id)).join()],
    ]);

  async function znodes(): Promise<readonly string[]> {
    const viewer = await ZnodeViewer.connect(cluster.zooKeeper.connect);
    const found = await viewer.children('/portolan/default');
    await viewer.close();
    return found;
  }

  /** Epochs are above those of before, and everything that was acknowledged is there. */
  async function checkAll(before: ClusterStatus): Promise<ClusterStatus> {
    const after = await cluster.until(
      (s) => s.healthy && s.shards.length === 8 && s.shards.every(({ isr }) => isr.length === 3),
    );
    for (const { id, epoch } of after.shards) {
      expect(epoch).toBeGreaterThan(before.shards[id]!.epoch);
    }
    expect(after.leader!.leaderEpoch).toBeGreaterThan(before.leader!.leaderEpoch);
    for (const [key, version] of written) {
      expect(await client.get(key)).toMatchObject({ found: true, version: String(version) });
    }
    return after;
  }

  it('S1 S19 Z12 recover writes the map again, in higher epochs, and nothing is lost', async () => {
    const before = await cluster.untilHealthy();
    await wipe();
    await cluster.storage.get('s1')!.line(/ZooKeeper has lost the cluster/);
    const shown = await recover();
    expect(shown).toMatchObject({ code: 0 });
    expect(JSON.parse(shown.stdout)).toMatchObject({ written: false, unreachable: [] });
    expect(await znodes()).toEqual([]);
    await put('after-the-wipe');

    const done = await recover('--yes');
    expect(done, done.stderr).toMatchObject({ code: 0 });
    const { shards, written: isWritten } = JSON.parse(done.stdout) as {
      shards: PlannedShard[];
      written: boolean;
    };
    expect(isWritten).toBe(true);
    expect(shards.map(({ source, doubt }) => source + doubt)).toEqual(
      Array.from({ length: 8 }, () => 'configuration'),
    );
    await checkAll(before);
    await put('after-the-recovery');
    const again = await recover('--yes');
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).toMatch(/ZooKeeper knows every shard as well as the nodes do/);
    expect(JSON.parse(again.stdout)).toMatchObject({ shards: [] });
    await checkAll(before);
  });

  it('S6 S19 Z12 and so it does when nobody knows more than its own data', async () => {
    const before = await cluster.untilHealthy();
    await wipe();
    for (const id of NODES) {
      await cluster.storage.get(id)!.kill();
      await cluster.startStorage(id);
    }
    await Promise.all(
      NODES.map((id) => cluster.storage.get(id)!.line(/ZooKeeper has lost the cluster/)),
    );
    const clueless = await recover('--yes');
    expect(clueless.code).toBe(4);
    expect(clueless.stderr).toMatch(/say what it was with --shards, --replicas and --min-isr/);
    const as = ['--shards', '8', '--replicas', '3', '--min-isr', '2', '--yes'];

    // Without two of them it cannot be known that nothing is missing: they could go on alone.
    const away = ['s2', 's3'];
    await Promise.all(away.map((id) => cluster.storage.get(id)!.kill()));
    const doubtful = await recover(...as);
    expect(doubtful.code).toBe(5);
    expect(doubtful.stderr).toMatch(/shards 0-7 may miss acknowledged writes: nothing was written/);
    expect(await znodes()).toEqual([]);
    for (const id of away) {
      await cluster.startStorage(id);
      await cluster.storage.get(id)!.line(/ZooKeeper has lost the cluster/);
    }

    const done = await recover(...as);
    expect(done, done.stderr).toMatchObject({ code: 0 });
    await checkAll(before);
    await put('in-the-end');
  });

  it('S19 a router that made another cluster in its place ends nobody, and gets no data', async () => {
    // A primary that has stepped down waits for ZooKeeper to name the next one.
    const before = await cluster.until((s) => s.healthy && isBalanced(s));
    const members = [...cluster.routers.values(), ...cluster.storage.values()];
    await cluster.zooKeeper.kill();
    await cluster.zooKeeper.wipe();
    await cluster.zooKeeper.restart();
    const stranger = await cluster.startRouter('r3');
    await stranger.line(/created the cluster/);
    const another = /ZooKeeper has another cluster "default" .* in the place of this one/;
    await Promise.all(members.map((member) => member.line(another)));
    const [ours] = cluster.routerAddresses;
    const status = await cluster.until((s) => !s.healthy, { routers: [ours!] });
    expect(status.problems.join()).toContain('ZooKeeper has another cluster in the place of this');
    await put('beside-the-other');
    for (const [key, version] of written) {
      expect(await client.get(key)).toMatchObject({ found: true, version: String(version) });
    }

    const refused = await recover('--yes');
    expect(refused.code).toBe(7);
    expect(refused.stderr).toMatch(/another cluster of this name .* stop that router, delete/);
    await stranger.kill();
    cluster.routers.delete('r3');
    const viewer = await ZnodeViewer.connect(cluster.zooKeeper.connect);
    await viewer.removeAll('/portolan/default');
    await viewer.close();
    const done = await recover('--yes');
    expect(done, done.stderr).toMatchObject({ code: 0 });
    await checkAll(before);
    expect(members.every(({ isRunning }) => isRunning)).toBe(true);
    await put('after-all');
  });
});
