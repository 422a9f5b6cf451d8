/**
 * Where a playground keeps its data: a temporary folder that goes with it, or one that was named
 * and stays. A playground that was killed cannot tidy up, so the next one does. Two playgrounds
 * never share a folder: ZooKeeper does not notice a second server on its files.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeDirectory } from '../system/make-directory.js';
import { CliError, EXIT } from './exit.js';
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.js';

const PREFIX = 'portolan-playground-';
const OWNER_FILE = 'playground.json';

export interface PlaygroundFolder {
  readonly path: string;
  /** Gives the folder up: a temporary one is removed. */
  release(): Promise<void>;
}

/** @throws CliError if another playground runs there, or nothing can be kept there. */
export async function openFolder(named: string | undefined): Promise<PlaygroundFolder> {
  if (named === undefined) {
    await sweep();
    const path = await mkdtemp(join(tmpdir(), PREFIX));
    await claim(path);
    return { path, release: () => rm(path, { recursive: true, force: true }) };
  }
  const path = resolve(named);
  await makeAndClaim(path);
  return { path, release: () => rm(join(path, OWNER_FILE), { force: true }) };
}

async function makeAndClaim(path: string): Promise<void> {
  try {
    await makeDirectory(path);
    await claim(path);
  } catch (error) {
    if (error instanceof CliError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(EXIT.usage, `cannot use --data ${path}: ${why}`, { cause: error });
  }
}

async function claim(path: string): Promise<void> {
  const owner = await ownerOf(path);
  if (owner !== undefined && isRunning(owner)) {
    throw new CliError(
      EXIT.usage,
      `a playground runs in ${path} already, pid ${owner.pid}: stop it, or name another --data`,
    );
  }
  await writeFile(join(path, OWNER_FILE), JSON.stringify(ownIdentity()));
}

async function ownerOf(path: string): Promise<ProcessIdentity | undefined> {
  try {
    return JSON.parse(await readFile(join(path, OWNER_FILE), 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/** Removes the folders of playgrounds whose process is gone. Others' folders are left alone. */
async function sweep(): Promise<void> {
  const names = await readdir(tmpdir());
  for (const name of names.filter((candidate) => candidate.startsWith(PREFIX))) {
    const path = join(tmpdir(), name);
    const owner = await ownerOf(path);
    if (owner === undefined || isRunning(owner)) continue;
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
