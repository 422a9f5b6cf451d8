/**
 * Real processes for tests: the built command, its log as lines that can be awaited, its signals.
 * Every process ends with the test file that started it, however that ends.
 */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { spawnWithParent } from '../../src/system/child.js';

const COMMAND = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

interface Waiter {
  readonly pattern: RegExp;
  readonly found: (line: string) => void;
}

export class PortolanProcess {
  readonly name: string;
  readonly child: ChildProcess;
  /** Everything it wrote, both streams, line by line. */
  readonly lines: string[] = [];
  readonly stdout: string[] = [];
  readonly exited: Promise<number | NodeJS.Signals>;
  readonly #waiters = new Set<Waiter>();

  constructor(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.name = name;
    this.child = spawnWithParent(process.execPath, [COMMAND, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    running.add(this.child);
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => {
        running.delete(this.child);
        resolve(code ?? signal ?? 'SIGKILL');
      });
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      createInterface({ input: stream! }).on('line', (line) => {
        if (stream === this.child.stdout) this.stdout.push(line);
        this.#hear(line);
      });
    }
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** The first line that matches, from line number `from` on; fails after the time. */
  async line(pattern: RegExp, { from = 0, timeoutMs = 20_000 } = {}): Promise<string> {
    const already = this.lines.slice(from).find((line) => pattern.test(line));
    if (already !== undefined) return already;
    return new Promise((resolve, reject) => {
      const waiter = { pattern, found: (line: string) => done(() => resolve(line)) };
      const timer = setTimeout(() => {
        done(() => reject(new Error(`${this.name} never said ${pattern}\n${this.tail()}`)));
      }, timeoutMs);
      const done = (settle: () => void): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        settle();
      };
      this.#waiters.add(waiter);
      void this.exited.then((how) => {
        done(() =>
          reject(new Error(`${this.name} ended (${how}) before ${pattern}\n${this.tail()}`)),
        );
      });
    });
  }

  /** Once it listens for calls, or has ended. */
  async listens(): Promise<void> {
    await this.line(/listening/).catch((error: unknown) => {
      if (this.isRunning) throw error;
    });
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Lines that match, so far. */
  said(pattern: RegExp): readonly string[] {
    return this.lines.filter((line) => pattern.test(line));
  }

  tail(): string {
    return this.lines
      .slice(-30)
      .map((line) => `  [${this.name}] ${line}`)
      .join('\n');
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** kill -9, and waits until it is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  /** Asks it to stop in order; how it ended. */
  async stop(): Promise<number | NodeJS.Signals> {
    this.child.kill('SIGCONT');
    this.child.kill('SIGTERM');
    return this.exited;
  }

  #hear(line: string): void {
    this.lines.push(line);
    for (const waiter of this.#waiters) if (waiter.pattern.test(line)) waiter.found(line);
  }
}
