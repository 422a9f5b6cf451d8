/**
 * One process of a playground, a router, a storage node or embedded coordination, that can be
 * killed, stopped and restarted alone, and that ends when the playground does, however that ends.
 */
import type { ChildProcess } from 'node:child_process';
import { relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { spawnWithParent } from '../system/child.js';

const COMMAND = fileURLToPath(new URL('main.js', import.meta.url));
/** The only variables of the playground's own flags that are meant for its processes too. */
const PASSED_ON: ReadonlySet<string> = new Set([
  'PORTOLAN_LOG_LEVEL',
  'PORTOLAN_LOG_FORMAT',
  'PORTOLAN_DRAIN_MS',
  'PORTOLAN_DISK_RESERVE_MB',
]);

export interface MemberEvents {
  /** Each line it wrote. */
  line(line: string): void;
  /** It ended although nobody asked it to, after so many milliseconds of life. */
  died(how: string, livedMs: number): void;
}

export class MemberProcess {
  readonly id: string;
  readonly #args: readonly string[];
  readonly #events: MemberEvents;
  #child: ChildProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(id: string, args: readonly string[], events: MemberEvents) {
    this.id = id;
    this.#args = args;
    this.#events = events;
  }

  /** Of the process running now or last. */
  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /**
   * What starts it by hand, in any shell that is in this folder. Not through npx: npm puts a shell
   * between that keeps SIGTERM to itself, and whoever ends this process wants to end the member.
   */
  get commandLine(): string {
    return ['node', pathOfCommand(), ...this.#args].map(quoted).join(' ');
  }

  start(): void {
    const child = spawnWithParent(process.execPath, [COMMAND, ...this.#args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: memberEnvironment(process.env),
    });
    this.#child = child;
    const startedMs = performance.now();
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) {
        createInterface({ input: stream }).on('line', (line) => this.#events.line(line));
      }
    }
    let problem: string | undefined;
    child.once('error', ({ message }) => {
      problem = message; // It could not be started; "close" comes then, too.
    });
    this.#gone = new Promise((resolve) => {
      // Its last words come before "close", but not always before "exit".
      child.once('close', (code, signal) => {
        resolve();
        if (this.#stopping) return;
        this.#events.died(problem ?? deathOf(code, signal), performance.now() - startedMs);
      });
    });
  }

  /** Asks it to stop in order and waits; `force` does not ask. */
  async stop(force = false): Promise<void> {
    this.#stopping = true;
    // A paused process could not hear the request.
    this.#child?.kill('SIGCONT');
    this.#child?.kill(force ? 'SIGKILL' : 'SIGTERM');
    await this.#gone;
  }
}

function deathOf(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === null) return `exit status ${code}`;
  // LevelDB maps its tables: the kernel ends a process that needs a page which cannot be read.
  return signal === 'SIGBUS' ? 'SIGBUS: its disk cannot be read; look at the disk' : signal;
}

/** Short where it can be: from here on, if it is below. A path like -x would be read as a flag. */
function pathOfCommand(): string {
  const here = process.cwd();
  // npm runs a script in the folder of its package, wherever the reader's shell is.
  const shell = process.env['INIT_CWD'] ?? here;
  const path = relative(here, COMMAND);
  return shell !== here || /^(?:\.\.|-)/.test(path) ? COMMAND : path;
}

/** As a POSIX shell reads it back. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function memberEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const entries = Object.entries(env);
  return Object.fromEntries(
    entries.filter(([name]) => !name.startsWith('PORTOLAN_') || PASSED_ON.has(name)),
  );
}
