/**
 * How `portolan put` finds a running playground without a flag: each playground leaves its
 * addresses in a file of its own and takes it away when it ends. A file whose process is gone
 * counts for nothing, even if another process has its pid by now; so a stale one never leads to
 * another cluster.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { makeDirectory } from '../system/make-directory.js';
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.js';

export interface PlaygroundContext extends ProcessIdentity {
  readonly cluster: string;
  readonly routers: readonly string[];
}

function contextFolder(env: NodeJS.ProcessEnv): string {
  const named = env['XDG_STATE_HOME'] ?? '';
  // The specification has it so: empty is not set, and a relative path is to be ignored.
  const state = isAbsolute(named) ? named : join(homedir(), '.local', 'state');
  return join(state, 'portolan', 'playgrounds');
}

function contextFile(env: NodeJS.ProcessEnv, pid: number): string {
  return join(contextFolder(env), `${pid}.json`);
}

/** Best effort: a playground without a home to write to works all the same. */
export async function leaveContext(
  { cluster, routers }: Omit<PlaygroundContext, keyof ProcessIdentity>,
  env = process.env,
): Promise<void> {
  const context: PlaygroundContext = { ...ownIdentity(), cluster, routers };
  try {
    await makeDirectory(contextFolder(env));
    writeFileSync(contextFile(env, context.pid), JSON.stringify(context), { mode: 0o600 });
  } catch {
    // Then the commands need --routers.
  }
}

export function removeContext(env = process.env): void {
  rmSync(contextFile(env, process.pid), { force: true });
}

/** The playgrounds that run now. Files of others are removed. */
export function readContexts(env = process.env): readonly PlaygroundContext[] {
  const running: PlaygroundContext[] = [];
  for (const name of namesIn(contextFolder(env))) {
    const file = join(contextFolder(env), name);
    const context = read(file);
    if (context !== undefined && isRunning(context)) running.push(context);
    else rmSync(file, { force: true });
  }
  return running;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): PlaygroundContext | undefined {
  try {
    const context = JSON.parse(readFileSync(file, 'utf8')) as PlaygroundContext;
    return Array.isArray(context.routers) ? context : undefined;
  } catch {
    return undefined;
  }
}
