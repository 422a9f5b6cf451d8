/** A cluster that began on the embedded coordination moves to a real ZooKeeper, as README has it. */
import { expect, it } from 'vitest';
import { EmbeddedZooKeeper } from '../support/embedded-zookeeper.js';
import { IndependentClient } from '../support/independent-client.js';
import { runPortolan } from '../support/run-portolan.js';
import { TestCluster } from '../support/test-cluster.js';
import { startTestZooKeeper } from '../support/zookeeper-server.js';

const KEYS = Array.from({ length: 100 }, (_, n) => `key-${n}`);
const ROUTERS = ['r1', 'r2'];
const NODES = ['s1', 's2', 's3'];
const SHARDS = 8;

it('S1 S19 moves with everything that was acknowledged', async () => {
  const embedded = await EmbeddedZooKeeper.start();
  const real = await startTestZooKeeper();
  let zk = embedded.connect;
  const wire = (_: string, port: number) => Promise.resolve({ zk, advertise: `127.0.0.1:${port}` });
  const cluster = await TestCluster.startOn(real, {
    ...{ routers: ROUTERS.length, storage: NODES.length, replicas: 3, shards: SHARDS, wire },
  });
  try {
    const before = await cluster.untilHealthy();
    const client = new IndependentClient(cluster.addressOf('r1'));
    const versions = await Promise.all(KEYS.map((key) => client.put(key, key)));
    client.close();
    for (const member of [...cluster.routers.values(), ...cluster.storage.values()]) {
      expect(await member.stop()).toBe(0);
    }
    await embedded.stop();

    zk = real.connect;
    for (const id of [...ROUTERS, ...NODES]) cluster.forgetPorts(id);
    const nodes = await Promise.all(NODES.map((id) => cluster.startStorage(id)));
    await Promise.all(nodes.map((node) => node.listens()));
    const recovered = await runPortolan([
      ...['recover', '--zk', zk, '--nodes', NODES.map((id) => cluster.addressOf(id)).join()],
      ...['--shards', String(SHARDS), '--replicas', '3', '--yes', '--json'],
    ]);
    expect(recovered, recovered.stderr).toMatchObject({ code: 0 });
    for (const id of ROUTERS) await cluster.startRouter(id);
    const after = await cluster.until(
      ({ healthy, shards, candidates }) =>
        healthy &&
        candidates.length === ROUTERS.length &&
        shards.every(({ isr }) => isr.length === NODES.length),
    );
    for (const { id, epoch } of after.shards) {
      expect(epoch).toBeGreaterThan(before.shards[id]!.epoch);
    }
    const again = new IndependentClient(cluster.addressOf('r2'));
    for (const [index, key] of KEYS.entries()) {
      const { version } = versions[index]!;
      const found = await again.get(key);
      expect({ ...found, value: found.value.toString() }).toMatchObject({ value: key, version });
    }
    expect(await again.put('after', 'the move')).toMatchObject({ applied: true });
    again.close();
  } finally {
    await cluster.stop();
    await embedded.stop();
  }
});
