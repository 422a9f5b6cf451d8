/** A leader that is killed or paused: nobody's data suffers, and it cannot do harm when it wakes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forEachIndex, IndependentClient } from '../support/independent-client.js';
import { SESSION_TIMEOUT_MS, TestCluster } from '../support/test-cluster.js';
import { ZnodeViewer } from '../support/znode-viewer.js';

const KEYS = 10_000;

describe('a killed or paused leader', () => {
  let cluster: TestCluster;
  let znodes: ZnodeViewer;

  beforeAll(async () => {
    cluster = await TestCluster.start({ routers: 3, storage: 3, shards: 64, replicas: 1 });
    znodes = await ZnodeViewer.connect(cluster.zooKeeper.connect);
  });
  afterAll(async () => {
    await znodes.close();
    await cluster.stop();
  });

  const shardZnodes = async () => {
    const names = await znodes.children('/portolan/default/shards');
    return Promise.all(names.sort().map((id) => znodes.json(`/portolan/default/shards/${id}`)));
  };

  it('10,000 keys put through one router are all there through another after kill -9', async () => {
    const before = await cluster.untilHealthy();
    const mapBefore = await shardZnodes();
    const leader = before.leader!.id;
    const others = [...cluster.routers.keys()].filter((id) => id !== leader);

    const writer = new IndependentClient(cluster.addressOf(leader));
    const versions = new Map<number, string>();
    await forEachIndex(KEYS, 64, async (index) => {
      const { applied, version } = await writer.put(`key-${index}`, `value-${index}`);
      expect(applied).toBe(true);
      versions.set(index, version);
    });
    writer.close();

    await cluster.routers.get(leader)!.kill();
    const reader = new IndependentClient(cluster.addressOf(others[1]!));
    await forEachIndex(KEYS, 64, async (index) => {
      const { found, value, version } = await reader.get(`key-${index}`);
      expect(found && value.toString()).toBe(`value-${index}`);
      expect(version).toBe(versions.get(index));
    });
    reader.close();

    const after = await cluster.until((s) => s.leader !== undefined && s.leader.id !== leader, {
      routers: others.map((id) => cluster.addressOf(id)),
    });
    expect(after.leader!.leaderEpoch).toBeGreaterThan(before.leader!.leaderEpoch);
    const epoch = await znodes.json('/portolan/default/leader/epoch');
    expect(epoch).toMatchObject({
      leader: after.leader!.id,
      leaderEpoch: after.leader!.leaderEpoch,
    });
    expect(await shardZnodes()).toEqual(mapBefore);
    await cluster.startRouter(leader);
  });

  it('S17 a leader stopped past its session is replaced; when it wakes it changes nothing', async () => {
    const before = await cluster.until((s) => s.healthy && s.candidates.length === 3);
    const old = before.leader!.id;
    const zombie = cluster.routers.get(old)!;
    const others = [...cluster.routers.keys()].filter((id) => id !== old);
    const routers = others.map((id) => cluster.addressOf(id));

    const mapBefore = await shardZnodes();
    zombie.signal('SIGSTOP');
    const stoppedMs = performance.now();
    const after = await cluster.until((s) => s.leader !== undefined && s.leader.id !== old, {
      routers,
    });
    // It hangs, it is not dead: only its session's end deposes it. Three times for a slow machine.
    expect(performance.now() - stoppedMs).toBeLessThan(3 * SESSION_TIMEOUT_MS + 5_000);

    // Give the zombie something it would like to write: a storage node restarts, which needs a new
    // epoch, and both leaders hear of it.
    const node = cluster.storage.get('s1')!;
    await node.kill();
    const mark = zombie.lines.length;
    zombie.signal('SIGCONT');
    await cluster.startStorage('s1');
    await zombie.line(/I am not the leader any more/, { from: mark });
    await zombie.line(/Watching znode/, { from: mark });

    // Until its session ends the killed node still looks registered, so health alone says nothing.
    const healed = await cluster.until((s) => {
      const reborn = s.shards.filter(({ primary }) => primary === 's1');
      return s.healthy && s.candidates.length === 3 && reborn.every(({ epoch }) => epoch > 1);
    });
    expect(healed.leader).toEqual(after.leader);
    for (const [index, config] of (await shardZnodes()).entries()) {
      if (config['primary'] === 's1') expect(config['leaderEpoch']).toBe(after.leader!.leaderEpoch);
      else expect(config).toEqual(mapBefore[index]);
    }
    expect(await znodes.json('/portolan/default/leader/epoch')).toMatchObject({
      leader: after.leader!.id,
    });
  });
});
