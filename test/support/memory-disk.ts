/**
 * A disk in memory that keeps the port's contract, and can be told to misbehave.
 *
 * A batch becomes visible when its write resolves, at the earliest in a later turn, as on a real
 * disk. `hold()` keeps writes from finishing until `release()`; `failNextWrite()` breaks the disk.
 */
import { type Disk, type DiskBatch, StorageFailure } from '../../src/ports/disk.js';

type Change = readonly [key: string, value: Buffer | undefined];

export class MemoryDisk implements Disk {
  /** By latin1 text of the key, which sorts as the bytes do. */
  readonly entries = new Map<string, Buffer>();
  free = 1e12;
  /** Batches that became durable. */
  writes = 0;
  isClosed = false;
  #failure: StorageFailure | undefined;
  #failNext: string | undefined;
  #readFailure: string | undefined;
  #held: Promise<void> | undefined;
  #release: () => void = () => undefined;
  #idle: Promise<unknown> = Promise.resolve();

  /** The disk as a restart finds it: what is durable, nothing else. */
  afterCrash(): MemoryDisk {
    const disk = new MemoryDisk();
    for (const [key, value] of this.entries) disk.entries.set(key, value);
    return disk;
  }

  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#held = undefined;
    this.#release();
  }

  failNextWrite(problem = 'no space left on device'): void {
    this.#failNext = problem;
  }

  failReads(problem = 'input/output error'): void {
    this.#readFailure = problem;
  }

  batch(): DiskBatch {
    const changes: Change[] = [];
    return {
      // A disk copies what it is given: the caller's buffers may change afterwards.
      put: (key, value) => void changes.push([key.toString('latin1'), Buffer.from(value)]),
      remove: (key) => void changes.push([key.toString('latin1'), undefined]),
      writeDurably: () => {
        const written = this.#write(changes);
        this.#idle = Promise.allSettled([this.#idle, written]);
        return written;
      },
    };
  }

  get(key: Buffer): Buffer | undefined {
    if (this.#readFailure !== undefined) throw new StorageFailure(this.#readFailure);
    return this.entries.get(key.toString('latin1'));
  }

  async *scan(from: Buffer, to: Buffer): AsyncIterable<readonly [key: Buffer, value: Buffer]> {
    const [first, end] = [from.toString('latin1'), to.toString('latin1')];
    const keys = [...this.entries.keys()].filter((key) => first <= key && key < end).sort();
    for (const key of keys) {
      await Promise.resolve();
      const value = this.entries.get(key);
      if (value !== undefined) yield [Buffer.from(key, 'latin1'), value];
    }
  }

  freeBytes(): Promise<number> {
    return Promise.resolve(this.free);
  }

  async close(): Promise<void> {
    await this.#idle;
    this.isClosed = true;
  }

  async #write(changes: readonly Change[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.#held;
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#failNext !== undefined) {
      this.#failure = new StorageFailure(this.#failNext);
      throw this.#failure;
    }
    for (const [key, value] of changes) {
      if (value === undefined) this.entries.delete(key);
      else this.entries.set(key, value);
    }
    this.writes++;
  }
}
