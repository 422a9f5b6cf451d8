/** Making a directory always ends: made, there already, or with the system's reason. */
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeDirectory } from '../../src/system/make-directory.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portolan-unit-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('makes it with its parents, for its owner only, and is content with what is there', async () => {
  const path = join(folder, 'a', 'b', 'c');
  await Promise.all([makeDirectory(path), makeDirectory(path)]);
  for (const made of [path, join(folder, 'a')]) expect(statSync(made).mode & 0o777).toBe(0o700);
  await makeDirectory(path);
  symlinkSync(path, join(folder, 'link'));
  await makeDirectory(join(folder, 'link'));
});

it.each([
  ['a file is in its place', 'file', 'EEXIST'],
  ['a file is among its parents', 'file/below', 'EEXIST'],
  ['a link leads nowhere', 'dangling', 'EEXIST'],
])('%s: says so', async (_, name, code) => {
  writeFileSync(join(folder, 'file'), '');
  symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
  await expect(makeDirectory(join(folder, name))).rejects.toMatchObject({ code });
});

it('ends where the file system refuses every new name', async () => {
  await expect(makeDirectory('/proc/portolan/a/b')).rejects.toMatchObject({ code: 'ENOENT' });
});
