/**
 * Where a playground keeps its data: a temporary folder that goes with it, or one that was named
 * and stays. A playground that was killed cannot tidy up, so the next one does.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const PREFIX = 'portolan-playground-';
const PID_FILE = 'pid';

export interface PlaygroundFolder {
  readonly path: string;
  remove(): Promise<void>;
}

export async function openFolder(named: string | undefined): Promise<PlaygroundFolder> {
  if (named !== undefined) {
    const path = resolve(named);
    await mkdir(path, { recursive: true, mode: 0o700 });
    return { path, remove: () => Promise.resolve() };
  }
  await sweep();
  const path = await mkdtemp(join(tmpdir(), PREFIX));
  await writeFile(join(path, PID_FILE), String(process.pid));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Removes the folders of playgrounds whose process is gone. Others' folders are left alone. */
async function sweep(): Promise<void> {
  const names = await readdir(tmpdir());
  for (const name of names.filter((candidate) => candidate.startsWith(PREFIX))) {
    const path = join(tmpdir(), name);
    const pid = Number(await readFile(join(path, PID_FILE), 'utf8').catch(() => ''));
    if (pid > 0 && !isAlive(pid))
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
