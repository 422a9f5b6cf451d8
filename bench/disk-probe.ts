/**
 * How long the disk itself takes while a benchmark runs, as one small file says that is written and
 * synced 20 times a second: no write can be faster, and a disk that stalls is told from a bug.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createHistogram } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './folder.js';
import { type LatencyMs, latencyOf } from './gauge.js';

const THIS_FILE = fileURLToPath(import.meta.url);
const EVERY_MS = 50;
/** Less than a page, like most batches of a log. */
const BYTES = 512;

export class DiskProbe {
  readonly #waits = createHistogram({ highest: 120_000_000_000 });
  readonly #child: ChildProcess;

  /**
   * A process of its own: the one that makes the load would count its own delays.
   *
   * @throws Error if it cannot write where temporary files are.
   */
  static async start(): Promise<DiskProbe> {
    const path = join(await temporaryFolder(), 'probe');
    const probe = new DiskProbe(fork(THIS_FILE, [path], { execArgv: ['--import', 'tsx'] }));
    const ended = new AbortController();
    probe.#child.once('exit', () => ended.abort());
    await once(probe.#child, 'message', { signal: ended.signal }).catch(() => {
      throw new Error(`the disk probe could not write ${path}: what it said is above`);
    });
    return probe;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (tookMs: number) => {
      this.#waits.record(Math.max(1, Math.round(tookMs * 1e6)));
    });
  }

  /** @throws Error if the probe ended before: the disk is full, say. */
  async stop(): Promise<LatencyMs> {
    if (!this.#child.connected)
      throw new Error('the disk probe ended early: what it said is above');
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
    return latencyOf(this.#waits);
  }
}

function probe(path: string): void {
  const [fd, bytes] = [openSync(path, 'w'), Buffer.alloc(BYTES)];
  setInterval(() => {
    const startMs = performance.now();
    writeSync(fd, bytes, 0, BYTES, 0);
    fdatasyncSync(fd);
    process.send?.(performance.now() - startMs);
  }, EVERY_MS);
  // Said to stop, or left alone.
  process.once('disconnect', () => process.exit());
}

const [, file, path] = process.argv;
if (file === THIS_FILE && path !== undefined) probe(path);
