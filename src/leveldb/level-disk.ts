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
import { type Iterator, Level } from 'level';
import {
  type Disk,
  type DiskBatch,
  type DiskSnapshot,
  StorageFailure,
  UnusableDirectoryError,
} from '../ports/disk.js';
import { findDamage, keepFinding, refuseDamaged, refuseIncomplete } from './damage.js';
import { findLogGap } from './log-gaps.js';
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

/** What is read at a time: each costs a hop to another thread, and memory meanwhile. */
const CHUNK_BYTES = 256 * 1024;
const CHUNK_ROWS = 1_000;

type Database = Level<Buffer, Buffer>;
type Rows = Pick<Iterator<Database, Buffer, Buffer>, 'nextv' | 'close'>;

export class LevelDisk implements Disk {
  readonly #database: Database;
  readonly #directory: string;
  /** The first write that failed: the reason to refuse all others. */
  #failure: StorageFailure | undefined;
  /** Batches that are being written. */
  readonly #underWay = new Set<Promise<void>>();

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
    try {
      return await LevelDisk.#open(directory);
    } catch (error) {
      throw error instanceof UnusableDirectoryError ? error : unusable(directory, error);
    }
  }

  static async #open(directory: string): Promise<LevelDisk> {
    await makeDirectory(directory);
    const files = await readdir(directory);
    refuseDamaged(directory);
    refuseIncomplete(directory, files);
    const gap = findLogGap(directory, files);
    // Before LevelDB reads the log, and deletes it: the next opening would find nothing.
    if (gap !== undefined) keepFinding(directory, gap);
    const database: Database = new Level<Buffer, Buffer>(directory, SETTINGS);
    await database.open();
    try {
      const damage = findDamage(directory);
      if (damage !== undefined) throw damage;
    } catch (error) {
      await database.close();
      throw error;
    }
    return new LevelDisk(database, directory);
  }

  batch(): DiskBatch {
    const batch = this.#database.batch();
    return {
      put: (key, value) => void batch.put(key, value),
      remove: (key) => void batch.del(key),
      writeDurably: () => {
        const written = this.#write(() => batch.write({ sync: true })).finally(() => {
          this.#underWay.delete(written);
        });
        this.#underWay.add(written);
        return written;
      },
    };
  }

  get(key: Buffer): Buffer | undefined {
    return this.#taking(() => this.#database.getSync(key));
  }

  scan(gte: Buffer, lt: Buffer): AsyncIterable<readonly [key: Buffer, value: Buffer]> {
    const highWaterMarkBytes = CHUNK_BYTES;
    return this.#readChunks(() => this.#database.iterator({ gte, lt, highWaterMarkBytes }));
  }

  snapshot(): DiskSnapshot {
    const snapshot = this.#taking(() => this.#database.snapshot());
    let isClosed = false;
    return {
      scan: (gte, lt) => {
        if (isClosed) throw new StorageFailure(`a snapshot of ${this.#directory} is closed`);
        const highWaterMarkBytes = CHUNK_BYTES;
        return this.#readChunks(() =>
          this.#database.iterator({
            gte,
            lt,
            snapshot,
            highWaterMarkBytes,
          }),
        );
      },
      close: () => {
        isClosed = true;
        return snapshot.close();
      },
    };
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
    await Promise.allSettled(this.#underWay);
    await this.#database.close();
  }

  async *#readChunks(begin: () => Rows): AsyncIterable<readonly [key: Buffer, value: Buffer]> {
    const rows = this.#taking(begin);
    try {
      for (;;) {
        const chunk = await rows.nextv(CHUNK_ROWS);
        if (chunk.length === 0) return;
        yield* chunk;
      }
    } catch (error) {
      throw this.#unreadable(error);
    } finally {
      await rows.close();
    }
  }

  #taking<T>(take: () => T): T {
    try {
      return take();
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  #unreadable(cause: unknown): StorageFailure {
    return new StorageFailure(`reading ${this.#directory}: ${messageOf(cause)}`, { cause });
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
