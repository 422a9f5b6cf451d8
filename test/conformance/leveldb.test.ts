/** The disk on the real LevelDB, and what only that one can do. */
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LevelDisk } from '../../src/leveldb/level-disk.js';
import { StorageFailure, UnusableDirectoryError } from '../../src/ports/disk.js';
import { describeDisk } from './disk.conformance.js';

describeDisk('LevelDB', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portolan-disk-'));
  let disk = await LevelDisk.open(folder);
  return {
    disk,
    reopen: async () => {
      await disk.close();
      disk = await LevelDisk.open(folder);
      return disk;
    },
    dispose: async () => {
      await disk.close();
      await rm(folder, { recursive: true });
    },
  };
});

describe('opening a data directory', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portolan-open-'));
  });
  afterEach(async () => {
    await chmod(folder, 0o700);
    await rm(folder, { recursive: true });
  });

  it('a new one is made, for its owner only', async () => {
    const path = join(folder, 'data');
    const disk = await LevelDisk.open(path);
    await disk.close();
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  });

  it('one in use is refused with the reason, and stays in use', async () => {
    const disk = await LevelDisk.open(folder);
    const second = LevelDisk.open(folder);
    await expect(second).rejects.toBeInstanceOf(UnusableDirectoryError);
    await expect(second).rejects.toThrow(`${folder} is in use by another process`);
    const batch = disk.batch();
    batch.put(Buffer.from('a'), Buffer.from('1'));
    await batch.writeDurably();
    await disk.close();
    await (await LevelDisk.open(folder)).close();
  });

  it('a file in its place is refused with the reason', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(LevelDisk.open(join(folder, 'file'))).rejects.toThrow('is a file');
    await expect(LevelDisk.open(join(folder, 'file', 'data'))).rejects.toThrow('is a file');
  });

  it('one that LevelDB does not understand is refused and left as it is', async () => {
    await (await LevelDisk.open(folder)).close();
    await writeFile(join(folder, 'CURRENT'), 'garbage');
    await expect(LevelDisk.open(folder)).rejects.toThrow('is corrupt');
    expect(await readFile(join(folder, 'CURRENT'), 'utf8')).toBe('garbage');
  });

  it.each([
    ['CURRENT', /^CURRENT$/, 'the file CURRENT is missing'],
    ['its log', /\.log$/, 'its log (*.log) is missing'],
  ])('S19 S20 one without %s is refused and left as it is', async (_, pattern, problem) => {
    for (let life = 0; life < 2; life++) {
      const disk = await LevelDisk.open(folder);
      const batch = disk.batch();
      batch.put(Buffer.from(`key-${life}`), Buffer.from('value'));
      await batch.writeDurably();
      await disk.close();
    }
    for (const name of await readdir(folder)) {
      if (pattern.test(name)) await rm(join(folder, name));
    }
    const before = await readdir(folder);
    await expect(LevelDisk.open(folder)).rejects.toThrow(problem);
    await expect(LevelDisk.open(folder)).rejects.toThrow('Nothing was changed');
    expect(await readdir(folder)).toEqual(before);
  });

  it('a directory with other things in it is refused; a mount point is not', async () => {
    await mkdir(join(folder, 'lost+found'));
    await (await LevelDisk.open(folder)).close();
    const other = join(folder, 'lost+found');
    await writeFile(join(other, 'holiday.jpg'), '');
    await expect(LevelDisk.open(other)).rejects.toThrow('holds other things, for instance holiday');
    expect(await readdir(other)).toEqual(['holiday.jpg']);
  });

  it('a place where no directory can be made is refused at once', async () => {
    await expect(LevelDisk.open('/proc/portolan/data')).rejects.toThrow('/proc/portolan/data');
  });

  it('one whose process was killed at its birth, before there was a log, is opened', async () => {
    await (await LevelDisk.open(folder)).close();
    const newborn = new Set(['CURRENT', 'MANIFEST-000001']);
    await writeFile(join(folder, 'CURRENT'), 'MANIFEST-000001\n');
    const manifest = (await readdir(folder)).find((name) => name.startsWith('MANIFEST'))!;
    await rename(join(folder, manifest), join(folder, 'MANIFEST-000001'));
    for (const name of await readdir(folder)) if (!newborn.has(name)) await rm(join(folder, name));
    await (await LevelDisk.open(folder)).close();
  });

  it.each([
    [['MANIFEST-000001']],
    [['MANIFEST-000001', '000001.dbtmp']],
    [['MANIFEST-000001', 'LOCK', 'LOG', '000001.dbtmp', 'node-id']],
  ])('one whose process was killed at its birth, with %j only, is opened', async (names) => {
    for (const name of names) await writeFile(join(folder, name), '');
    const disk = await LevelDisk.open(folder);
    await disk.close();
    expect(await readdir(folder)).toContain('CURRENT');
  });

  it('S20 one that is removed while it is in use is noticed', async () => {
    const directory = join(folder, 'data');
    const disk = await LevelDisk.open(directory);
    expect(await disk.freeBytes()).toBeGreaterThan(0);
    await rm(directory, { recursive: true });
    await expect(disk.freeBytes()).rejects.toThrow(StorageFailure);
    await expect(disk.freeBytes()).rejects.toThrow(`${directory} is gone`);
    await disk.close();
  });

  it('S20 a log with a damaged middle is refused, also at the next try', async () => {
    const disk = await LevelDisk.open(folder);
    for (let round = 0; round < 3; round++) {
      const batch = disk.batch();
      batch.put(Buffer.from(`key-${round}`), Buffer.alloc(40_000, round));
      await batch.writeDurably();
    }
    await disk.close();
    const log = (await readdir(folder)).find((name) => name.endsWith('.log'));
    const file = await open(join(folder, log!), 'r+');
    await file.write(Buffer.alloc(100, 0x55), 0, 100, 30_000);
    await file.close();

    await expect(LevelDisk.open(folder)).rejects.toThrow('LevelDB dropped a part of its log');
    await expect(LevelDisk.open(folder)).rejects.toThrow('LevelDB dropped a part of its log');
    await rm(join(folder, 'DAMAGED'));
    await (await LevelDisk.open(folder)).close();
  });

  it('S20 a log with a hole of zeros between two batches is refused, until it is allowed', async () => {
    const disk = await LevelDisk.open(folder);
    for (let round = 0; round < 3; round++) {
      const batch = disk.batch();
      // A whole batch of exactly one block: 7 bytes header, 12 of the batch, 5 + 1 of the change.
      batch.put(Buffer.from('a'), Buffer.alloc(32 * 1024 - 7 - 12 - 6, round + 1));
      batch.put(Buffer.from('b'), Buffer.alloc(32 * 1024 - 7 - 6, round + 1));
      await batch.writeDurably();
    }
    await disk.close();
    const log = (await readdir(folder)).find((name) => name.endsWith('.log'));
    const file = await open(join(folder, log!), 'r+');
    await file.write(Buffer.alloc(64 * 1024), 0, 64 * 1024, 64 * 1024);
    await file.close();

    await expect(LevelDisk.open(folder)).rejects.toThrow('LevelDB dropped a part of its log');
    // It has not a word of LevelDB's: nobody else would have noticed.
    expect(await readFile(join(folder, 'DAMAGED'), 'utf8')).toBe(
      `${log}: change 5 comes where 3 should: a batch is missing\n`,
    );
    await expect(LevelDisk.open(folder)).rejects.toThrow('LevelDB dropped a part of its log');
    await rm(join(folder, 'DAMAGED'));
    await (await LevelDisk.open(folder)).close();
  });

  it('no batch seems to be missing after many openings, and many logs', async () => {
    for (let life = 0; life < 2; life++) {
      const disk = await LevelDisk.open(folder);
      for (let round = 0; round < 8; round++) {
        const batch = disk.batch();
        for (let key = 0; key < 3; key++) {
          batch.put(Buffer.from(`${life}-${key}`), Buffer.alloc(3_000_000, key));
        }
        await batch.writeDurably();
      }
      await disk.close();
    }
  });

  it('a log that ends in the middle of a record is no damage: nobody was told it is there', async () => {
    const disk = await LevelDisk.open(folder);
    for (const key of ['a', 'b']) {
      const batch = disk.batch();
      batch.put(Buffer.from(key), Buffer.alloc(1_000, 1));
      await batch.writeDurably();
    }
    await disk.close();
    const log = (await readdir(folder)).find((name) => name.endsWith('.log'));
    const file = await open(join(folder, log!), 'r+');
    await file.truncate((await file.stat()).size - 500);
    await file.close();

    const again = await LevelDisk.open(folder);
    expect(again.get(Buffer.from('a'))).toBeDefined();
    expect(again.get(Buffer.from('b'))).toBeUndefined();
    await again.close();
  });
});
