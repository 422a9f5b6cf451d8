/**
 * Watches how much of the disk is free, and closes it for what needs more before LevelDB meets its
 * end.
 *
 * A full disk in the middle of a write stops the process (S20), and so does a data directory that
 * is gone. Below the reserve only what needs more is refused: reads go on, and deletes are how
 * space is made.
 */
import type { Cancel, Clock } from '../ports/clock.js';
import { type Disk, StorageFailure } from '../ports/disk.js';
import type { Log } from '../ports/log.js';

const LOOK_EVERY_MS = 1_000;
const PARTS_OF_RESERVE = 8;

export interface DiskGuardDeps {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  /** Is told of each look. */
  readonly metrics: { diskFreeBytes: number };
  /** What is refused when it is full, for the operator. */
  readonly refused: string;
  readonly reserveBytes: number;
  /** Called when it became full, or is so no more. */
  readonly changed: (isFull: boolean) => void;
  /** Called at most once: the data directory is not there any more. */
  readonly failed: (failure: StorageFailure) => void;
}

export class DiskGuard {
  readonly #deps: DiskGuardDeps;
  #isFull = false;
  /** Since the last look. */
  #written = 0;
  /** What was said of a look that failed. */
  #problem = '';
  #cancel: Cancel = () => undefined;
  #stopped = false;

  constructor(deps: DiskGuardDeps) {
    this.#deps = deps;
  }

  /** Whether less than the reserve is free. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Looks now, and every second from now on. Resolves after the first look. */
  async start(): Promise<void> {
    await this.#look();
  }

  /**
   * So many bytes were written: looks at once when they are a part of the reserve, which a second
   * of heavy writes may be larger than.
   */
  async wrote(bytes: number): Promise<void> {
    this.#written += bytes;
    if (this.#written < this.#deps.reserveBytes / PARTS_OF_RESERVE || this.#stopped) return;
    this.#cancel();
    await this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #look(): Promise<void> {
    const { disk, clock, log, metrics, refused, reserveBytes, changed, failed } = this.#deps;
    this.#written = 0;
    try {
      const freeBytes = await disk.freeBytes();
      metrics.diskFreeBytes = freeBytes;
      this.#problem = '';
      const isFull = freeBytes < reserveBytes;
      if (isFull !== this.#isFull && !this.#stopped) {
        this.#isFull = isFull;
        const fields = { freeBytes, reserveBytes };
        if (isFull) log.error(`the disk is full: ${refused} are refused`, fields);
        else log.info(`the disk has space again: ${refused} are taken`, fields);
        changed(isFull);
      }
    } catch (error) {
      if (this.#stopped) return;
      if (error instanceof StorageFailure) {
        this.stop();
        return failed(error);
      }
      const problem = String(error);
      if (problem !== this.#problem)
        log.warn('cannot see how much of the disk is free', { problem });
      this.#problem = problem;
    }
    if (!this.#stopped) this.#cancel = clock.after(LOOK_EVERY_MS, () => void this.#look());
  }
}
