/** What the tests do to the data of a ZooKeeper server that they killed. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { removeHeadlessLogs } from '../support/zookeeper-server.js';

it('a log that has not even its header is removed, all else stays', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portolan-headless-'));
  try {
    const sizes = { 'log.1': 20, 'log.a': 16, 'log.cc': 0, 'log.cd': 15, 'snapshot.0': 0 };
    for (const [name, bytes] of Object.entries(sizes)) {
      await writeFile(join(folder, name), Buffer.alloc(bytes));
    }
    await removeHeadlessLogs(folder);
    expect((await readdir(folder)).sort()).toEqual(['log.1', 'log.a', 'snapshot.0']);
    await removeHeadlessLogs(join(folder, 'not there'));
  } finally {
    await rm(folder, { recursive: true });
  }
});
