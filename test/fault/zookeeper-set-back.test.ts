/**
 * ZooKeeper comes back as a backup has it that is older than the last changes of primaries: nobody
 * leads on from there, and nothing is lost (Z12, S1, S19, B9).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlannedShard } from '../../src/control/recovery-plan.js';
import { IndependentClient } from '../support/independent-client.js';
import { runPortolan } from '../support/run-portolan.js';
import { TestCluster } from '../support/test-cluster.js';

const NODES = ['s1', 's2', 's3'];
const SHARDS = 6;
const KEYS = Array.from({ length: 100 }, (_, n) => `key-${n}`);
const SET_BACK = 'ZooKeeper was set back';

describe('a ZooKeeper that is restored from an old backup', () => {
  let cluster: TestCluster;
  let client: IndependentClient;
  const written = new Map<string, string>();
  const write = async (value: string) => {
    await Promise.all(
      KEYS.map(async (key) => {
        await client.put(key, value, {}, 10_000);
        written.set(key, value);
      }),
    );
  };
  const checkAll = async () => {
    for (const [key, value] of written) {
      expect((await client.get(key)).value.toString()).toBe(value);
    }
  };
  const untilWhole = () => {
    return cluster.until((s) => s.healthy && s.shards.every(({ isr }) => isr.length === 3));
  };
  beforeAll(async () => {
    cluster = await TestCluster.start({ routers: 2, storage: 3, replicas: 3, shards: SHARDS });
    client = new IndependentClient(cluster.routerAddresses[0]!);
    await write('before the backup');
  });
  afterAll(async () => {
    client.close();
    await cluster.stop();
  });

  const recover = async (...more: readonly string[]) => {
    const done = await runPortolan([
      ...['recover', '--zk', cluster.zooKeeper.connect, '--json', ...more],
      ...['--nodes', NODES.map((id) => cluster.addressOf(id)).join()],
    ]);
    expect(done, done.stderr).toMatchObject({ code: 0 });
    return JSON.parse(done.stdout) as { shards: PlannedShard[]; written: boolean };
  };

  /** From here on the backup is older than the primaries of these shards. */
  async function backUpAndFailOver(): Promise<readonly number[]> {
    await cluster.zooKeeper.kill();
    await cluster.zooKeeper.backUp();
    await cluster.zooKeeper.restart();
    const before = await untilWhole();
    await cluster.storage.get('s1')!.kill();
    await cluster.until((s) => s.shards.every(({ served, primary }) => served && primary !== 's1'));
    await write('after the backup');
    await cluster.startStorage('s1');
    const after = await untilWhole();
    return after.shards
      .filter(({ id, epoch }) => epoch > before.shards[id]!.epoch)
      .map((s) => s.id);
  }

  async function setBack(): Promise<void> {
    await cluster.zooKeeper.kill();
    await cluster.zooKeeper.restore();
    await cluster.zooKeeper.restart();
  }

  it('S1 S19 changes nothing of what has moved on since; who serves serves on, and all is told', async () => {
    const moved = await backUpAndFailOver();
    expect(moved.length).toBeGreaterThan(0);
    await setBack();
    const status = await cluster.until((s) => s.problems.join().includes(SET_BACK));
    expect(status.healthy).toBe(false);
    const named = status.problems.find((problem) => problem.includes(SET_BACK));
    expect(named).toContain('portolan recover');
    await checkAll();
    await write('while it is set back');
    await checkAll();

    const shown = await recover();
    expect(shown.written).toBe(false);
    expect(shown.shards.map(({ shard }) => shard)).toEqual(moved);
    const done = await recover('--yes');
    expect(done.written).toBe(true);
    const after = await untilWhole();
    for (const { id, epoch } of after.shards) {
      expect(epoch > 1_000_000, `shard ${id} in epoch ${epoch}`).toBe(moved.includes(id));
    }
    await checkAll();
    await write('settled');
    expect((await recover()).shards).toEqual([]);
  });

  it('S6 S19 nor when every storage node is started again, and knows no more than its own data', async () => {
    await backUpAndFailOver();
    await cluster.zooKeeper.kill();
    await Promise.all(NODES.map((id) => cluster.storage.get(id)!.kill()));
    await cluster.zooKeeper.restore();
    await cluster.zooKeeper.restart();
    for (const id of NODES) await cluster.startStorage(id);
    await cluster.until((s) => s.problems.join().includes(SET_BACK));
    await recover('--yes');
    await untilWhole();
    await checkAll();
    await write('settled again');
  });
});
