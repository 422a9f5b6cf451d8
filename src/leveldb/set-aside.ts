/**
 * Sets a whole data directory aside: it is renamed, with a note of what, when and why, and an empty
 * one takes its place. Nothing is removed; when several are there already, an operator has to.
 */
import { copyFile, mkdir, readdir, rename } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UnusableDirectoryError } from '../ports/disk.js';
import { keepFinding } from './damage.js';
import { unusable } from './unusable.js';

/** Directories set aside beside one data directory. */
const ASIDE_MAX = 3;
/** What is about the node, not about its data. */
const KEPT = ['node-id'];

/** Where it is now. @throws UnusableDirectoryError if it has to stay where it is. */
export async function setDirectoryAside(location: string, why: string): Promise<string> {
  const directory = resolve(location);
  const prefix = `${basename(directory)}.damaged-`;
  try {
    const beside = await readdir(dirname(directory));
    const aside = beside.filter((name) => name.startsWith(prefix));
    if (aside.length >= ASIDE_MAX) {
      throw new UnusableDirectoryError(
        `data directory ${directory} is damaged, and so are ${aside.join(', ')} beside it: look ` +
          'at the disk, and remove what is not needed any more',
      );
    }
    const numbers = aside.map((name) => Number(name.slice(prefix.length)) || 0);
    const to = join(dirname(directory), `${prefix}${Math.max(0, ...numbers) + 1}`);
    keepFinding(directory, `set aside at ${new Date().toISOString()}: ${why}`);
    await rename(directory, to);
    await mkdir(directory, { mode: 0o700 });
    for (const name of KEPT) {
      await copyFile(join(to, name), join(directory, name)).catch(() => undefined);
    }
    return to;
  } catch (error) {
    throw error instanceof UnusableDirectoryError ? error : unusable(directory, error);
  }
}
