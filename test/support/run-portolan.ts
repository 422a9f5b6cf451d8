/** One short command, run to its end, and what became of processes. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function runPortolan(
  args: readonly string[],
  { env = {}, input }: { env?: NodeJS.ProcessEnv; input?: Buffer } = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [COMMAND, ...args], { env: { ...process.env, ...env } });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('latin1').on('data', (chunk: string) => (output.stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output.stderr += chunk));
    child.stdin.on('error', () => undefined); // It may end without reading.
    child.stdin.end(input);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...output }));
  });
}

/** Gone, or dead and only waiting for somebody to ask how it ended. */
export function isGone(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return true;
  }
}

/**
 * Everything that runs with this text in its environment: what was started there, and on. With
 * `command`: only what has that in its command line, the arguments of which end with NUL.
 */
export function processesOf(text: string, command = ''): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      const has = (file: string, part: string) =>
        readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(part);
      return has('environ', text) && has('cmdline', command) && !isGone(pid);
    } catch {
      return false; // It ended meanwhile, or is not ours.
    }
  });
}

/** Those that still run after the time; empty as soon as none does. */
export async function survivors(pids: readonly number[], withinMs = 5_000): Promise<number[]> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const running = pids.filter((pid) => !isGone(pid));
    if (running.length === 0 || performance.now() > deadline) return running;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
