/** `writer-node.ts` as a process of its own: what it was acknowledged until it ended. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { spawnWithParent } from '../../src/system/child.js';
import { openWriterNode } from './writer-node.js';

const WRITER = fileURLToPath(new URL('writer-node.ts', import.meta.url));

export interface Written {
  readonly key: string;
  readonly version: number;
  readonly value: string;
}

export interface WriterRun {
  /** How the process before it left the directory. */
  readonly lastStop: string;
  readonly written: readonly Written[];
  /** What it said of its disk, and how many writes it was acknowledged after that. */
  readonly failure: { readonly message: string; readonly later: number } | undefined;
  readonly end: number | NodeJS.Signals;
}

/** Resolves when it has ended, which is up to `writing`: called when it begins to write. */
export async function runWriter(
  directory: string,
  writing: (child: ChildProcess) => void,
  env: NodeJS.ProcessEnv = {},
): Promise<WriterRun> {
  const args = ['--import', 'tsx', WRITER, '--write-for-ever', directory];
  const child = spawnWithParent(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let lastStop = '';
  let failure: { message: string; at: number } | undefined;
  const written: Written[] = [];
  for await (const line of createInterface({ input: child.stdout! })) {
    const [word, first = '', second = '', value = ''] = line.split(' ');
    if (word === 'opened') {
      lastStop = second;
      writing(child);
    } else if (word === 'failed') {
      failure = { message: line, at: written.length };
    } else if (value !== '') {
      written.push({ key: first, version: Number(second), value });
    }
  }
  const [code, signal] = await exited;
  // The last line of one that was killed may have been cut off.
  if (signal !== null) written.pop();
  return {
    lastStop,
    written,
    failure: failure && { message: failure.message, later: written.length - failure.at },
    end: signal ?? code ?? 0,
  };
}

/** Of the last acknowledged write of each key, those that the directory does not hold. */
export async function lostWrites(
  directory: string,
  writes: Iterable<Written>,
): Promise<readonly string[]> {
  const { close, get } = await openWriterNode(directory);
  const lost: string[] = [];
  for (const { key, version, value } of writes) {
    const found = await get(key);
    // A later one may have happened without being acknowledged.
    if ((found.version ?? 0) > version) continue;
    if (found.version !== version || found.value !== value) lost.push(`${key} ${version}`);
  }
  await close();
  return lost;
}
