/** Three real ZooKeeper servers that die one by one, then two at once: nobody's calls fail. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, type ClusterStatus, connect } from '../../src/client/index.js';
import { SteadyLoad } from '../support/steady-load.js';
import { TestCluster } from '../support/test-cluster.js';
import { ZooKeeperEnsemble } from '../support/zookeeper-ensemble.js';

const WRITERS = 8;
const SOME_WRITES = 200;
/** That of the default: three servers that elect on a busy machine may need a second or two. */
const SESSION_TIMEOUT_MS = 6_000;

describe('an ensemble of three ZooKeeper servers', () => {
  let ensemble: ZooKeeperEnsemble;
  let cluster: TestCluster<ZooKeeperEnsemble>;
  let client: Client;
  let load: SteadyLoad;
  beforeAll(async () => {
    ensemble = await ZooKeeperEnsemble.start(3);
    cluster = await TestCluster.startOn(ensemble, { sessionTimeoutMs: SESSION_TIMEOUT_MS });
    client = connect(cluster.routerAddresses);
    load = new SteadyLoad(client, WRITERS);
  });
  afterAll(async () => {
    await load.stop();
    await client.close();
    await cluster.stop();
  });

  const untilConnected = () => cluster.until((s) => s.healthy && s.zookeeperConnected);
  /** What is kept in ZooKeeper: who leads since when, who is registered, and the map. */
  const kept = ({ leader, candidates, nodes, shards }: ClusterStatus) => {
    return { leader, candidates, nodes, shards };
  };

  it.each(['leader', 'follower'])(
    'without its %s no session is lost, nothing changes',
    async (role) => {
      const before = await untilConnected();
      const leader = await ensemble.leader();
      const victim = role === 'leader' ? leader : ensemble.servers.find((one) => one !== leader)!;
      await load.more(SOME_WRITES);
      await victim.kill();
      await load.more(SOME_WRITES);
      await ensemble.leader();
      const during = await untilConnected();
      await victim.restart();
      await load.more(SOME_WRITES);
      const after = await untilConnected();
      expect([kept(during), kept(after)]).toEqual([kept(before), kept(before)]);
      const members = [...cluster.routers.values(), ...cluster.storage.values()];
      expect(members.flatMap((member) => member.said(/session is lost/))).toEqual([]);
      expect(load.failures).toEqual([]);
    },
  );

  it('without two of three data flows, the map waits; with two again it changes', async () => {
    const before = await untilConnected();
    const leader = cluster.routers.get(before.leader!.id)!;
    const [first, second] = ensemble.servers;
    await Promise.all([first!.kill(), second!.kill()]);
    await load.more(SOME_WRITES);
    // It cannot know that it leads still. The others go on from the map they have.
    await leader.line(/I am not the leader any more: ZooKeeper is silent/);
    await load.more(SOME_WRITES);
    const during = await cluster.until((s) => !s.zookeeperConnected);
    expect([during.healthy, during.shards]).toEqual([false, before.shards]);

    await first!.restart();
    const after = await untilConnected();
    expect([after.nodes, after.shards]).toEqual([before.nodes, before.shards]);
    // Also a process that starts now finds the servers that there are.
    await cluster.storage.get('s2')!.kill();
    await cluster.until(({ shards }) => shards.every(({ isr }) => !isr.includes('s2')));
    await cluster.startStorage('s2');
    await cluster.until((s) => s.healthy && s.shards.every(({ isr }) => isr.length === 3));
    await load.more(SOME_WRITES);
    expect(load.failures).toEqual([]);
    await load.stop();
    await load.verify();
  });
});
