/** A storage node that dies or hangs is noticed by the leader long before its session ends. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PortolanProcess } from '../support/portolan-process.js';
import { TestCluster } from '../support/test-cluster.js';
import { ZnodeViewer } from '../support/znode-viewer.js';

/** So long that no session ends during this test. */
const SESSION_MS = 20_000;
const SHARDS = 16;

describe('a storage node whose session lasts on', () => {
  let cluster: TestCluster;
  let znodes: ZnodeViewer;
  let leader: PortolanProcess;

  beforeAll(async () => {
    cluster = await TestCluster.start({
      routers: 1,
      storage: 3,
      shards: SHARDS,
      replicas: 1,
      sessionTimeoutMs: SESSION_MS,
    });
    znodes = await ZnodeViewer.connect(cluster.zooKeeper.connect);
    leader = cluster.routers.get('r1')!;
  });
  afterAll(async () => {
    await znodes.close();
    await cluster.stop();
  });

  const shardZnodes = () => {
    const ids = Array.from({ length: SHARDS }, (_, id) => id);
    return Promise.all(ids.map((id) => znodes.json(`/portolan/default/shards/${id}`)));
  };

  it('is suspected within 300 ms after kill -9; with one replica its shards stay as they are', async () => {
    const before = await shardZnodes();
    const noticed = leader.line(/storage node s1 is suspected: its port refuses/);
    const killedAt = performance.now();
    cluster.storage.get('s1')!.signal('SIGKILL');
    await noticed;
    expect(performance.now() - killedAt).toBeLessThan(300);
    expect(await znodes.children('/portolan/default/nodes')).toContain('s1');
    expect(await shardZnodes()).toEqual(before);
  });

  it('is suspected when it hangs, and heard again when it wakes', async () => {
    const node = cluster.storage.get('s2')!;
    const noticed = leader.line(/storage node s2 is suspected: it has said nothing/);
    const stoppedAt = performance.now();
    node.signal('SIGSTOP');
    await noticed;
    const noticedMs = performance.now() - stoppedAt;
    expect(noticedMs).toBeGreaterThan(1_400);
    expect(noticedMs).toBeLessThan(3_500);
    node.signal('SIGCONT');
    await leader.line(/storage node s2 is heard again/);
  });

  it('is not suspected because the leader hung; and nobody was who is well', async () => {
    const from = leader.lines.length;
    leader.signal('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    leader.signal('SIGCONT');
    // Longer than silence takes to be believed.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(leader.lines.slice(from).filter((line) => line.includes('suspected'))).toEqual([]);
    expect(leader.said(/is suspected/)).toHaveLength(2);
  });
});
