/** Data directories under kill -9 and under a disk that fills up. Real LevelDB, real processes. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LevelDisk } from '../../src/leveldb/level-disk.js';
import { StorageFailure } from '../../src/ports/disk.js';
import { RefusedError } from '../../src/model/refusals.js';
import { shardOfSlot, slotOf } from '../../src/model/slot.js';
import { openWriterNode, WRITER_SHARDS } from '../support/writer-node.js';
import { lostWrites, runWriter, type Written } from '../support/writer-process.js';

const KILLS = 20;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portolan-kill-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs the writer until a random moment, kills it, and gives what it was acknowledged. */
async function writeAndKill(directory: string) {
  const run = await runWriter(directory, (child) => {
    setTimeout(() => child.kill('SIGKILL'), Math.random() * 250);
  });
  expect(run.end).toBe('SIGKILL');
  return run;
}

describe('kill -9', () => {
  it('S4 S5 S22 at any moment loses no acknowledged write and reuses no version', async () => {
    const last = new Map<string, Written>();
    const versions = new Map<string, Written>();
    let count = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const { lastStop, written } = await writeAndKill(folder);
      expect(lastStop).toBe(kill === 0 ? 'new' : 'process-crash');
      for (const write of written) {
        const id = `${shardOfSlot(slotOf(Buffer.from(write.key)), WRITER_SHARDS)}/${write.version}`;
        expect(versions.get(id), `version ${id} was used twice`).toBeUndefined();
        versions.set(id, write);
        expect(write.version).toBeGreaterThan(last.get(write.key)?.version ?? 0);
        last.set(write.key, write);
        count++;
      }
    }
    expect(count).toBeGreaterThan(KILLS * 10);

    expect(await lostWrites(folder, last.values())).toEqual([]);
  }, 120_000);
});

describe('a disk that fills up', () => {
  let mounted = '';
  beforeEach(() => {
    mounted = folder;
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'portolan-test', mounted]);
    } catch (error) {
      mounted = '';
      throw new Error('this test mounts a small tmpfs and needs the right to: run it as root', {
        cause: error,
      });
    }
  });
  afterEach(() => {
    if (mounted !== '') execFileSync('umount', ['--lazy', mounted]);
  });

  it('S20 the disk takes no write after the one that failed, even if there is space again', async () => {
    const disk = await LevelDisk.open(join(folder, 'data'));
    const write = (key: string) => {
      const batch = disk.batch();
      batch.put(Buffer.from(key), Buffer.alloc(1024 * 1024, key));
      return batch.writeDurably();
    };
    let durable = 0;
    let failure: unknown;
    while (failure === undefined) {
      await write(`key-${durable}`).then(
        () => durable++,
        (error: unknown) => {
          failure = error;
        },
      );
    }
    expect(failure).toBeInstanceOf(StorageFailure);
    expect(durable).toBeGreaterThan(10);
    execFileSync('mount', ['-o', 'remount,size=64m', mounted]);
    await expect(write('later')).rejects.toBe(failure);
    await disk.close();

    const again = await LevelDisk.open(join(folder, 'data'));
    for (let n = 0; n < durable; n++) expect(again.get(Buffer.from(`key-${n}`))).toBeDefined();
    expect(again.get(Buffer.from('later'))).toBeUndefined();
    await again.close();
  });

  it('S20 S21 a node stops, says so, and has every acknowledged write when it is back', async () => {
    const directory = join(folder, 'data');
    let reason: unknown;
    const { close, put, get } = await openWriterNode(directory, (error) => {
      reason = error;
    });
    const acknowledged = new Map<string, number>();
    const outcomes = new Set<string>();
    const value = Buffer.alloc(256 * 1024, 'v');
    for (let round = 0; outcomes.size === 0; round++) {
      const writes = Array.from({ length: 8 }, async (_, n) => {
        const key = `key-${round}-${n}`;
        acknowledged.set(key, await put(key, value));
      });
      for (const write of await Promise.allSettled(writes)) {
        if (write.status === 'rejected') outcomes.add((write.reason as RefusedError).code);
      }
    }
    // It may also have been full for a batch that only applied what was acknowledged before.
    for (const code of outcomes) expect(['STORAGE_FAILED', 'STOPPING']).toContain(code);
    expect(reason).toBeInstanceOf(StorageFailure);
    await expect(get('key-0-0')).rejects.toMatchObject({ code: 'STOPPING' });
    await expect(put('k', 'v')).rejects.toMatchObject({ code: 'STOPPING' });
    await close();

    execFileSync('mount', ['-o', 'remount,size=64m', mounted]);
    const again = await openWriterNode(directory);
    expect(again.store.lastStop).toBe('process-crash');
    for (const [key, version] of acknowledged) {
      expect((await again.get(key)).version, key).toBe(version);
    }
    expect(await again.put('k', 'v')).toBeGreaterThan(0);
    await again.close();
  });
});
