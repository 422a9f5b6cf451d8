/**
 * A storage node that was given no id is named after its host, and the name stays with its data: in
 * a file of the data directory. A container that is made anew gets another host name, and its data
 * would otherwise belong to a node that no longer exists.
 */
import { readFileSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMemberId, type MemberId } from '../model/ids.js';
import { makeDirectory } from '../system/make-directory.js';

const FILE = 'node-id';

/** The id this directory was first used with; undefined if none was kept. */
export function nodeIdIn(directory: string): MemberId | undefined {
  try {
    const id = readFileSync(join(directory, FILE), 'utf8').trim();
    return isMemberId(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps the id in a directory that holds nothing yet. One that cannot be written to is left to
 * whoever opens it next and has the words for it.
 */
export async function keepNodeId(directory: string, id: MemberId): Promise<void> {
  try {
    await makeDirectory(directory);
    const files = await readdir(directory);
    if (files.length === 0) await writeFile(join(directory, FILE), `${id}\n`);
  } catch {
    // Opening the directory fails for the same reason, and says it.
  }
}
