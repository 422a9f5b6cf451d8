/**
 * A copy of the project in a temporary folder, with one planted bug at a time in it: whatever runs
 * there, runs the mutant, and the sources of the project are never touched.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesOf, type Mutant, mutated } from './mutant.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = ['src', 'test', 'proto', '.tools', 'package.json', 'tsconfig.json'];

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  /** Null: it was killed, because it took too long. */
  readonly status: number | null;
}

export class Sandbox {
  readonly root = mkdtempSync(join(tmpdir(), 'portolan-mutant-'));
  #planted: Mutant | undefined;
  #child: ChildProcess | undefined;

  constructor() {
    for (const name of COPIED) cpSync(join(ROOT, name), join(this.root, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(this.root, 'node_modules'));
  }

  /** The bug that was there before goes; undefined: the project as it is. */
  plant(mutant: Mutant | undefined): void {
    for (const file of this.#planted === undefined ? [] : filesOf(this.#planted)) {
      cpSync(join(ROOT, file), join(this.root, file));
    }
    this.#planted = mutant;
    if (mutant === undefined) return;
    for (const file of filesOf(mutant)) {
      const text = readFileSync(join(ROOT, file), 'utf8');
      writeFileSync(join(this.root, file), mutated(text, file, mutant));
    }
  }

  /** Runs Node in here; the child is killed after `timeoutMs`. */
  run(args: readonly string[], timeoutMs: number): Promise<Ended> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, args, {
        cwd: this.root,
        env: { ...process.env, NO_COLOR: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      this.#child = child;
      const timer = setTimeout(() => this.#end(), timeoutMs);
      const texts = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (text: string) => (texts[name] += text));
      }
      child.on('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      child.on('exit', () => {
        clearTimeout(timer);
        this.#end();
      });
      child.on('close', (status) => resolve({ ...texts, status }));
    });
  }

  /** Runs Node in here, for whoever watches; its exit status. */
  show(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, args, {
        cwd: this.root,
        env: { ...process.env, ...env },
        stdio: ['ignore', 'inherit', 'inherit'],
        detached: true,
      });
      this.#child = child;
      child.on('error', reject);
      child.on('exit', () => this.#end());
      child.on('close', (status) => resolve(status ?? 1));
    });
  }

  /** Removes the copy; what runs in it is killed. */
  dispose(): void {
    this.#end();
    rmSync(this.root, { recursive: true, force: true });
  }

  /** The child and what it has started: a worker that a bug keeps busy ends with nobody else. */
  #end(): void {
    const { pid } = this.#child ?? {};
    this.#child = undefined;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
