/**
 * How long the disk itself takes while a benchmark runs, as one small file says that is written and
 * synced 20 times a second: no write can be faster, and a disk that stalls is told from a bug.
 */
import { once } from 'node:events';
import { fdatasyncSync, openSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { createHistogram } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { spawnWithParent } from '../src/system/child.js';
import { temporaryFolder } from './folder.js';
import { type LatencyMs, latencyOf } from './gauge.js';

const THIS_FILE = fileURLToPath(import.meta.url);
const EVERY_MS = 50;
/** Less than a page, like most batches of a log. */
const BYTES = 512;

interface Pipes {
  readonly stdin: Socket;
  readonly stdout: Socket;
}

export class DiskProbe {
  readonly #waits = createHistogram({ highest: 120_000_000_000 });
  readonly #stdin: Socket;
  readonly #ended: Promise<unknown>;
  #hasEnded = false;

  /**
   * Begins when it has made its file. A process of its own: the one that makes the load would count
   * its own delays.
   *
   * @throws Error if it cannot write where temporary files are.
   */
  static async start(): Promise<DiskProbe> {
    const path = join(await temporaryFolder(), 'probe');
    const args = ['--import', 'tsx', THIS_FILE, path];
    const child = spawnWithParent(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    // Pipes of a child are sockets.
    const { stdin, stdout } = child as unknown as Pipes;
    const probe = new DiskProbe({ stdin, stdout }, once(child, 'close'));
    await Promise.race([once(stdout, 'data'), probe.#ended]);
    if (probe.#hasEnded) throw new Error(`the disk probe cannot write ${path}: see above`);
    // A benchmark that fails ends all the same, and the probe with it.
    for (const handle of [child, stdin, stdout]) handle.unref();
    return probe;
  }

  private constructor({ stdin, stdout }: Pipes, ended: Promise<unknown>) {
    this.#stdin = stdin;
    stdin.on('error', () => undefined); // It has ended, which is noticed below.
    createInterface({ input: stdout }).on('line', (tookMs) => {
      this.#waits.record(Math.max(1, Math.round(Number(tookMs) * 1e6)));
    });
    this.#ended = ended.finally(() => {
      this.#hasEnded = true;
    });
  }

  /** What it saw, a sync that is under way included; null if it ended before. */
  async stop(): Promise<LatencyMs | null> {
    const isEarly = this.#hasEnded;
    this.#stdin.end();
    await this.#ended;
    return isEarly ? null : latencyOf(this.#waits);
  }
}

function probe(path: string): void {
  const [fd, bytes] = [openSync(path, 'w'), Buffer.alloc(BYTES)];
  const sync = (): number => {
    const startMs = performance.now();
    writeSync(fd, bytes, 0, BYTES, 0);
    fdatasyncSync(fd);
    return performance.now() - startMs;
  };
  sync(); // Makes the file longer, which none after it does.
  setInterval(() => process.stdout.write(`${sync()}\n`), EVERY_MS);
  process.stdin.resume().once('close', () => process.exit()); // Told to stop.
}

const [, file, path] = process.argv;
if (file === THIS_FILE && path !== undefined) probe(path);
