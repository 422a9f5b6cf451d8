/**
 * How `portolan put` finds a running playground without a flag: the playground leaves its addresses
 * and its pid in one file, and takes it away when it ends. A file whose process is gone counts for
 * nothing, so a stale one never leads to another cluster.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

export interface PlaygroundContext {
  readonly pid: number;
  readonly routers: readonly string[];
}

function contextFile(env: NodeJS.ProcessEnv): string {
  const state = env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state');
  return join(state, 'portolan', 'playground.json');
}

/** Best effort: a playground without a home to write to works all the same. */
export function leaveContext(routers: readonly string[], env = process.env): void {
  const file = contextFile(env);
  const context: PlaygroundContext = { pid: process.pid, routers };
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, JSON.stringify(context), { mode: 0o600 });
  } catch {
    // Then the commands need --routers.
  }
}

export function removeContext(env = process.env): void {
  if (readContext(env)?.pid === process.pid) rmSync(contextFile(env), { force: true });
}

/** The playground that runs now, started last if there are several. */
export function readContext(env = process.env): PlaygroundContext | undefined {
  let context: PlaygroundContext;
  try {
    context = JSON.parse(readFileSync(contextFile(env), 'utf8')) as PlaygroundContext;
    process.kill(context.pid, 0);
  } catch {
    return undefined;
  }
  return Array.isArray(context.routers) ? context : undefined;
}
