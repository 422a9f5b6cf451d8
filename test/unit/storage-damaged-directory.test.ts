/** Whether a data directory that cannot be opened may be set aside, and how that is done. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setDirectoryAside } from '../../src/leveldb/set-aside.js';
import type { MemberId } from '../../src/model/ids.js';
import { judge } from '../../src/storage/damaged-directory.js';
import { nodeOf } from '../support/configs.js';
import { sharedBy } from '../support/control-harness.js';

const [s1, s2, s3] = [nodeOf('s1'), nodeOf('s2'), nodeOf('s3')];
const isrOf = (...ids: readonly string[]) => ({ isr: ids as readonly MemberId[] });
const learning = (isr: readonly string[], learners: readonly string[]) => ({
  ...isrOf(...isr),
  learners: learners as readonly MemberId[],
});

describe('S19 a directory is spare', () => {
  const spare = sharedBy(0, [s1, s2, s3], learning(['s1', 's3'], ['s2']));
  const elsewhere = sharedBy(1, [s1, s3]);

  it('once every shard with a replica there is in sync without it', () => {
    expect(judge([spare, elsewhere], s2.id)).toEqual({ type: 'spare' });
  });

  it('not while a shard counts on it', () => {
    const counting = sharedBy(2, [s1, s2, s3]);
    const why = '1 shards still count on this node';
    expect(judge([spare, counting], s2.id)).toEqual({ type: 'undecided', why });
  });

  it('never while it is the last copy of one', () => {
    const last = sharedBy(2, [s2, s1], learning(['s2'], ['s1']));
    expect(judge([spare, last], s2.id)).toEqual({ type: 'last-copy', shards: [2] });
  });

  it('not because the map knows nothing of it', () => {
    expect(judge([elsewhere], s2.id)).toMatchObject({ type: 'undecided' });
    expect(judge([], s2.id)).toMatchObject({ type: 'undecided' });
  });
});

describe('a directory that is set aside', () => {
  let folder: string;
  let data: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portolan-aside-'));
    data = join(folder, 'data');
    await mkdir(data);
    await writeFile(join(data, 'node-id'), 's2\n');
    await writeFile(join(data, '000005.ldb'), 'what is left');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('S19 keeps every file, with a note of why, and leaves the name of its node', async () => {
    const aside = await setDirectoryAside(data, 'the file CURRENT is missing');
    expect(aside).toBe(join(folder, 'data.damaged-1'));
    expect(await readFile(join(aside, '000005.ldb'), 'utf8')).toBe('what is left');
    const note = await readFile(join(aside, 'DAMAGED'), 'utf8');
    expect(note).toMatch(/^set aside at \d{4}-.*: the file CURRENT is missing\n$/);
    expect(await readdir(data)).toEqual(['node-id']);
    expect(await readFile(join(data, 'node-id'), 'utf8')).toBe('s2\n');
  });

  it('S19 stays where it is when there are several already', async () => {
    for (let n = 1; n <= 3; n++) {
      expect(await setDirectoryAside(data, 'again')).toBe(join(folder, `data.damaged-${n}`));
    }
    await expect(setDirectoryAside(data, 'again')).rejects.toThrow(/remove what is not needed/);
    expect(await readdir(data)).toEqual(['node-id']);
    expect((await readdir(folder)).length).toBe(4);
  });
});
