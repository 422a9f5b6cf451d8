/** Disks that fail with EIO under load, on real processes: nothing acknowledged is lost (S20). */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, connect } from '../../src/client/index.js';
import { beginFault, endFault, FailingDisks } from '../support/failing-disk.js';
import { forEachIndex } from '../support/independent-client.js';
import type { PortolanProcess } from '../support/portolan-process.js';
import { SteadyLoad } from '../support/steady-load.js';
import { TestCluster } from '../support/test-cluster.js';
import { lostWrites, runWriter, type Written } from '../support/writer-process.js';

const WRITERS = 16;
/** Several from each writer. */
const SOME_WRITES = 100;
/** Keys that nobody writes again. */
const OLD_KEYS = 200;

let folder: string;
let disks: FailingDisks;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portolan-disk-'));
  disks = await FailingDisks.compile(folder);
});
afterAll(() => rm(folder, { recursive: true }));

describe('the only replica, and its disk fails', () => {
  it('S5 S20 nothing is acknowledged from then on, and nothing that was is lost', async () => {
    const data = join(folder, 'only');
    const last = new Map<string, Written>();
    for (const fault of ['sync', 'sync-once', 'write'] as const) {
      const writing = (child: ChildProcess) => {
        setTimeout(() => void beginFault(data, fault), 100);
        setTimeout(() => child.kill('SIGKILL'), 5_000).unref(); // It should have ended long since.
      };
      const { written, failure, end } = await runWriter(data, writing, disks.env(data));
      await endFault(data, fault);
      expect(failure?.message).toMatch(/writing .*: Input\/output error/);
      expect([fault, failure?.later, end]).toEqual([fault, 0, 0]);
      expect(written.length).toBeGreaterThan(WRITERS);
      for (const write of written) last.set(write.key, write);
      expect(await lostWrites(data, last.values())).toEqual([]);
    }
  });
});

describe('three replicas of each shard, and one disk that fails', () => {
  let cluster: TestCluster;
  let client: Client;
  beforeAll(async () => {
    const storageEnv = (data: string) => disks.env(data);
    cluster = await TestCluster.start({ routers: 1, storage: 3, storageEnv });
    client = connect(cluster.routerAddresses);
    for (const name of ['old', 'unread']) {
      await forEachIndex(OLD_KEYS, WRITERS, async (n) => {
        await client.put(`${name}-${n}`, `${n}`);
      });
    }
  });
  afterAll(async () => {
    await client.close();
    await cluster.stop();
  });

  /** Each is in a table by now, if its node was started again since it was written. */
  const read = (name: 'old' | 'unread') =>
    forEachIndex(OLD_KEYS, WRITERS, async (n) => {
      expect((await client.get(`${name}-${n}`))?.value.toString()).toBe(`${n}`);
    });

  const STOPS =
    /error .* writing .*: Input\/output error\. This node stops before .* Look at its disk/;

  it.each([
    { fault: 'sync', id: 's1', end: 1 },
    { fault: 'sync-once', id: 's2', end: 1 },
    { fault: 'write', id: 's3', end: 1 },
    { fault: 'read', id: 's1', end: 'SIGBUS' },
  ] as const)('S20 $fault: its node stops, the shards go on, it comes back', async (each) => {
    const { fault, id, end } = each;
    const data = join(cluster.folder, id);
    const node = cluster.storage.get(id)!;
    const load = new SteadyLoad(client, WRITERS);
    try {
      await load.more(SOME_WRITES);
      await beginFault(data, fault);
      // What was read before is in memory, and asks the disk for nothing.
      await read(fault === 'read' ? 'unread' : 'old');
      expect(await node.exited).toBe(end);
      if (end === 1) expect(node.said(STOPS)).toHaveLength(1);
      await cluster.until(({ shards }) => {
        return shards.every(({ primary, isr }) => primary !== id && !isr.includes(id));
      });
      await load.more(SOME_WRITES);
      if (fault !== 'sync-once') await expectNoStart(await cluster.startStorage(id));
      await endFault(data, fault);
      await cluster.startStorage(id);
      await cluster.until(({ healthy, shards }) => {
        return healthy && shards.every(({ isr }) => isr.length === 3);
      });
      await load.more(SOME_WRITES);
    } finally {
      await load.stop();
    }
    expect(load.failures).toEqual([]);
    await load.verify();
    await read('old');
  });
});

describe('a disk that neither writes nor fails', () => {
  it('L1 is taken for one that failed: its shards go on elsewhere, and it says so', async () => {
    const storageEnv = (data: string) => disks.env(data);
    const cluster = await TestCluster.start({ routers: 1, storage: 3, storageEnv });
    const patient = connect(cluster.routerAddresses, { timeoutMs: 60_000 });
    try {
      const node = cluster.storage.get('s1')!;
      const data = join(cluster.folder, 's1');
      await beginFault(data, 'sync-hang');
      // Those that s1 leads wait for it.
      await forEachIndex(OLD_KEYS, OLD_KEYS, async (n) => {
        await patient.put(`key-${n}`, `${n}`);
      });
      expect(node.said(/error .* the disk does not answer: .* Look at its disk/)).toHaveLength(1);
      await cluster.until(({ shards }) => shards.every(({ primary }) => primary !== 's1'));
      await endFault(data, 'sync-hang');
      expect(await node.exited).toBe(1);
      await forEachIndex(OLD_KEYS, WRITERS, async (n) => {
        expect((await patient.get(`key-${n}`))?.value.toString()).toBe(`${n}`);
      });
    } finally {
      await patient.close();
      await cluster.stop();
    }
  });
});

/** While the disk still fails: it says so, and what to do. */
async function expectNoStart(node: PortolanProcess): Promise<void> {
  expect(await node.exited).toBe(1);
  expect(node.tail()).toMatch(/data directory .*(?:EIO|Input\/output error).* Its disk fails/);
}
