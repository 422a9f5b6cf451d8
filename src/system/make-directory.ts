/**
 * Directories with their parents, readable by their owner only. Made step by step, because Node's
 * own recursion never ends where a file system refuses every new name with "no such file" (/proc).
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** @throws the system's error if it is not there afterwards. */
export async function makeDirectory(path: string): Promise<void> {
  const directory = resolve(path);
  if (await isDirectory(directory)) return;
  const parent = dirname(directory);
  if (parent !== directory) await makeDirectory(parent);
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    if (!(await isDirectory(directory))) throw error; // Or another process was faster.
  }
}

function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
