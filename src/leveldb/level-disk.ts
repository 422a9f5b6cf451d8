/**
 * The data directory of a storage node, as one LevelDB (D7). The only importer of `level`.
 *
 * Batches are chained ones, because an array batch costs three times the CPU, and every batch is
 * written with `sync`: whatever resolved is on stable storage. Reads are synchronous, because an
 * asynchronous get costs three to five times the CPU of a read from a cached block.
 *
 * Upholds S20. LevelDB forgets a failed append (only a failed sync is sticky in it), and a record
 * appended behind a torn one is lost on the next start although its write was reported as done. So
 * after the first write that failed this adapter refuses every other one, and the directory has to
 * be opened again, which reads the log back.
 */
import { statSync } from 'node:fs';
import { mkdir, readdir, statfs } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Level } from 'level';
import { type Disk, type DiskBatch, StorageFailure } from '../ports/disk.js';
import { findDamage, refuseDamaged, refuseIncomplete } from './damage.js';
import { unusable } from './unusable.js';

const MIB = 1024 * 1024;

const SETTINGS = {
  createIfMissing: true,
  keyEncoding: 'buffer',
  valueEncoding: 'buffer',
  /**
   * Blocks kept uncompressed in memory. 8 MiB, the default, costs a quarter of the reads per
   * second at 100-byte values; more than 64 MiB gains only where the working set is larger.
   */
  cacheSize: 64 * MIB,
  /**
   * Bytes of log before LevelDB starts a table. Large, because fewer and larger tables leave fewer
   * files to search while compaction lags behind; the price is up to twice as much memory, and
   * about a second to read the log back after a crash.
   */
  writeBufferSize: 64 * MIB,
  /** Fewer files than with the default of 2 MiB, so that the table of open files suffices. */
  maxFileSize: 8 * MIB,
} as const;

type Database = Level<Buffer, Buffer>;

export class LevelDisk implements Disk {
  readonly #database: Database;
  readonly #directory: string;
  /** The first write that failed: the reason to refuse all others. */
  #failure: StorageFailure | undefined;
  /** Settles when no batch is under way; never rejects. */
  #idle: Promise<unknown> = Promise.resolve();

  private constructor(database: Database, directory: string) {
    this.#database = database;
    this.#directory = directory;
  }

  /**
   * Opens a data directory, or makes it, readable by its owner only; its parent must be there.
   *
   * @throws UnusableDirectoryError if it is in use, not writable, not a LevelDB, or lost a part of
   *   its database (see `damage.ts`).
   */
  static async open(location: string): Promise<LevelDisk> {
    const directory = resolve(location);
    let files: readonly string[];
    try {
      await makeDirectory(directory);
      files = await readdir(directory);
    } catch (error) {
      throw unusable(directory, error);
    }
    refuseDamaged(directory);
    refuseIncomplete(directory, files);
    const database: Database = new Level<Buffer, Buffer>(directory, SETTINGS);
    try {
      await database.open();
    } catch (error) {
      throw unusable(directory, error);
    }
    const damage = findDamage(directory);
    if (damage !== undefined) {
      await database.close();
      throw damage;
    }
    return new LevelDisk(database, directory);
  }

  batch(): DiskBatch {
    const batch = this.#database.batch();
    return {
      put: (key, value) => void batch.put(key, value),
      remove: (key) => void batch.del(key),
      writeDurably: () => {
        const written = this.#write(() => batch.write({ sync: true }));
        this.#idle = Promise.allSettled([this.#idle, written]);
        return written;
      },
    };
  }

  get(key: Buffer): Buffer | undefined {
    try {
      return this.#database.getSync(key);
    } catch (error) {
      throw new StorageFailure(`reading ${this.#directory}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  async *scan(from: Buffer, to: Buffer): AsyncIterable<readonly [key: Buffer, value: Buffer]> {
    try {
      yield* this.#database.iterator({ gte: from, lt: to });
    } catch (error) {
      throw new StorageFailure(`scanning ${this.#directory}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  async freeBytes(): Promise<number> {
    try {
      const { bavail, bsize } = await statfs(this.#directory);
      return bavail * bsize;
    } catch (cause) {
      if (!(cause instanceof Error) || !('code' in cause) || cause.code !== 'ENOENT') throw cause;
      const what = `data directory ${this.#directory} is gone: it was removed or moved`;
      throw new StorageFailure(what, { cause });
    }
  }

  async close(): Promise<void> {
    await this.#idle;
    await this.#database.close();
  }

  async #write(write: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await write();
    } catch (error) {
      this.#failure ??= new StorageFailure(`writing ${this.#directory}: ${messageOf(error)}`, {
        cause: error,
      });
      throw this.#failure;
    }
  }
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    if (!isDirectory(directory)) throw error;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
