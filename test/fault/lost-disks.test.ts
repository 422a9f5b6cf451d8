/** Disks that come back empty, set back, or full: nothing is lost, and the replicas are whole again. */
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ShardScrub } from '../../src/cli/scrub.js';
import type { PlannedShard } from '../../src/control/recovery-plan.js';
import { forEachIndex, IndependentClient } from '../support/independent-client.js';
import { runPortolan } from '../support/run-portolan.js';
import { TestCluster } from '../support/test-cluster.js';

const SHARDS = 6;

describe('three replicas, and one disk that is not what it was', () => {
  let cluster: TestCluster;
  let client: IndependentClient;
  const written = new Map<string, string>();
  beforeAll(async () => {
    cluster = await TestCluster.start({ routers: 1, storage: 3, replicas: 3, shards: SHARDS });
    client = new IndependentClient(cluster.addressOf('r1'));
  });
  afterAll(async () => {
    client.close();
    await cluster.stop();
  });

  const directoryOf = (id: string) => join(cluster.folder, id);

  /** Again, while the outcome is not known: the same value, so that it does not matter. */
  async function put(key: string, value: string): Promise<void> {
    const deadline = performance.now() + 20_000;
    for (;;) {
      const done = await client.put(key, value, {}, 10_000).catch((error: unknown) => error);
      if (!(done instanceof Error)) break;
      if (performance.now() > deadline) throw done;
    }
    written.set(key, value);
  }

  async function write(name: string, count = 100): Promise<void> {
    await forEachIndex(count, 16, (n) => put(`key-${n}`, `${name} ${n}`));
  }

  /** All replicas are in sync and equal, and everything that was acknowledged is there. */
  async function checkAll(): Promise<void> {
    await cluster.until((s) => s.healthy && s.shards.every(({ isr }) => isr.length === 3));
    for (const [key, value] of written) {
      expect((await client.get(key)).value.toString()).toBe(value);
    }
    const routers = ['--routers', cluster.addressOf('r1')];
    const scrub = await runPortolan(['scrub', '--json', ...routers]);
    const { shards } = JSON.parse(scrub.stdout) as { shards: ShardScrub[] };
    expect(shards.map(({ result }) => result)).toEqual(Array(SHARDS).fill('equal'));
  }

  /** Once the leader has written that a replica has to be learnt anew. */
  const saidBy = async (why: string, from: number) => {
    await cluster.routers.get('r1')!.line(new RegExp(`shard map: .*${why}`), { from });
  };
  const linesSoFar = () => cluster.routers.get('r1')!.lines.length;

  it('S6 S15 an empty one under the same id comes back as a learner', async () => {
    await write('first');
    await cluster.storage.get('s2')!.kill();
    await write('without s2');
    await rm(directoryOf('s2'), { recursive: true });
    const from = linesSoFar();
    await cluster.startStorage('s2');
    await saidBy('members-came-back', from);
    await saidBy('expand', from);
    await checkAll();
  });

  it('S6 S19 one that was set back to a backup is not believed, and catches up', async () => {
    await cluster.storage.get('s3')!.stop();
    const backup = join(cluster.folder, 'backup');
    await cp(directoryOf('s3'), backup, { recursive: true });
    await cluster.startStorage('s3');
    await checkAll();
    await write('after the backup');
    await cluster.storage.get('s3')!.kill();
    await rm(directoryOf('s3'), { recursive: true });
    await cp(backup, directoryOf('s3'), { recursive: true });
    const from = linesSoFar();
    await cluster.startStorage('s3');
    await saidBy('members-came-back', from);
    await saidBy('expand', from);
    await checkAll();
  });

  it('S6 S19 nor is it while it is the only one there: the shards wait for the others', async () => {
    await cluster.storage.get('s3')!.stop();
    const backup = join(cluster.folder, 'older');
    await cp(directoryOf('s3'), backup, { recursive: true });
    await cluster.startStorage('s3');
    await checkAll();
    await write('not in the older backup');
    await Promise.all(['s1', 's2', 's3'].map((id) => cluster.storage.get(id)!.kill()));
    await rm(directoryOf('s3'), { recursive: true });
    await cp(backup, directoryOf('s3'), { recursive: true });
    // However often it is opened: that makes it no newer.
    for (let start = 1; start <= 3; start++) {
      const from = linesSoFar();
      const node = await cluster.startStorage('s3');
      await node.line(/registered as/);
      await cluster.routers.get('r1')!.line(/storage node s3 is up/, { from });
      if (start < 3) await node.kill();
    }
    await expect(client.get('key-1', 1_500)).rejects.toThrow();
    await cluster.startStorage('s1');
    await cluster.startStorage('s2');
    await checkAll();
  });

  it('S19 S20 one whose LevelDB lost its log is set aside whole, once no shard counts on it', async () => {
    await write('before the damage');
    await cluster.storage.get('s1')!.kill();
    const files = await readdir(directoryOf('s1'));
    await rm(join(directoryOf('s1'), files.find((name) => name.endsWith('.log'))!));
    const from = linesSoFar();
    const node = await cluster.startStorage('s1');
    await node.line(/is incomplete: its log/);
    await node.line(/set the damaged data directory aside/);
    await saidBy('expand', from);
    await checkAll();
    const kept = await readdir(`${directoryOf('s1')}.damaged-1`);
    expect(kept).toContain('DAMAGED');
    for (const name of files.filter((file) => file.endsWith('.ldb'))) expect(kept).toContain(name);
  });

  it('S20 one that runs full stops its node at once, and the shards go on without it', async () => {
    await cluster.storage.get('s2')!.stop();
    const directory = directoryOf('s2');
    await rm(directory, { recursive: true });
    await mkdir(directory);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'portolan-test', directory]);
    try {
      const noReserve = ['--disk-reserve-mb', '0'];
      const node = await cluster.startStorage('s2', noReserve);
      await checkAll();
      const value = 'v'.repeat(128 * 1024);
      const life = { isOver: false };
      void node.exited.then(() => (life.isOver = true));
      for (let n = 0; !life.isOver; n++) {
        await forEachIndex(8, 8, (m) => put(`large-${n % 4}-${m}`, `${n} ${value}`));
      }
      expect(await node.exited).toBe(1);
      expect(node.tail()).toMatch(/No space left on device/);
      await write('without s2 again');
      execFileSync('mount', ['-o', 'remount,size=256m', directory]);
      await cluster.startStorage('s2', noReserve);
      await checkAll();
      await cluster.storage.get('s2')!.kill();
    } finally {
      execFileSync('umount', ['--lazy', directory]);
    }
  });
});

it('S6 S19 the last replica in sync is waited for, until an operator accepts its loss', async () => {
  const cluster = await TestCluster.start({ routers: 1, storage: 3, replicas: 3, shards: 2 });
  const client = new IndependentClient(cluster.addressOf('r1'));
  const nodes = ['s1', 's2', 's3'];
  const recover = async (...flags: string[]) => {
    const addresses = nodes.map((id) => cluster.addressOf(id)).join(',');
    const at = ['--zk', cluster.zooKeeper.connect, '--nodes', addresses];
    return runPortolan(['recover', '--json', ...at, ...flags]);
  };
  try {
    await client.put('kept', 'yes');
    for (const id of ['s2', 's3']) {
      await cluster.storage.get(id)!.kill();
      await cluster.until((s) => s.shards.every(({ isr }) => !isr.includes(id)));
    }
    await cluster.storage.get('s1')!.kill();
    await rm(join(cluster.folder, 's1'), { recursive: true });
    await cluster.routers.get('r1')!.kill();
    for (const id of nodes) await (await cluster.startStorage(id)).line(/registered as/);
    // Nodes that were started again hear of a configuration from a leader, and there is none.
    const unheard = await recover('--accept-loss', '--yes');
    expect(unheard, unheard.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(unheard.stdout)).toMatchObject({ shards: [], written: false });
    expect(unheard.stderr).toMatch(
      /shards 0-1: no node has heard the configuration .*Start the routers/,
    );
    await cluster.startRouter('r1');
    for (const id of nodes) await cluster.storage.get(id)!.line(/heard a new leader/);
    client.reconnect();
    await expect(client.get('kept', 1_500)).rejects.toThrow();
    const careful = await recover('--yes');
    expect(careful, careful.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(careful.stdout)).toMatchObject({ shards: [], written: false });
    expect(careful.stderr).toMatch(/shards 0-1: replicas in sync .*--accept-loss/);

    const shown = await recover('--accept-loss');
    const plan = JSON.parse(shown.stdout) as { shards: PlannedShard[]; written: boolean };
    expect(plan).toMatchObject({ written: false });
    expect(plan.shards.map(({ mayLose }) => mayLose)).toEqual([true, true]);
    const done = await recover('--accept-loss', '--yes');
    expect(done, done.stderr).toMatchObject({ code: 0 });
    await cluster.until((s) => s.healthy && s.shards.every(({ isr }) => isr.length === 3));
    expect((await client.get('kept')).value.toString()).toBe('yes');
    const again = await recover('--accept-loss', '--yes');
    expect(again).toMatchObject({ code: 0 });
    expect(JSON.parse(again.stdout)).toMatchObject({ shards: [], written: false });
  } finally {
    client.close();
    await cluster.stop();
  }
});

it('S19 a damaged directory that holds the last copy of a shard stays where it is', async () => {
  const cluster = await TestCluster.start({ routers: 1, storage: 1, shards: 2 });
  try {
    const directory = join(cluster.folder, 's1');
    await cluster.storage.get('s1')!.kill();
    await rm(join(directory, 'CURRENT'));
    const files = (await readdir(directory)).sort();
    const node = await cluster.startStorage('s1');
    expect(await node.exited).toBe(1);
    expect(node.tail()).toMatch(/the file CURRENT is missing/);
    expect(node.tail()).toMatch(/It stays where it is: shards 0, 1 have their last copy here/);
    expect((await readdir(directory)).sort()).toEqual(files);
    expect(await readdir(cluster.folder)).toEqual(['s1']);
  } finally {
    await cluster.stop();
  }
});
