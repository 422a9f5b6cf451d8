/**
 * What a storage node needs of its disk: one ordered store of bytes per data directory, batches
 * that happen whole or not at all, and an error that is never papered over.
 */

/** A batch under construction. Spent after `write`. */
export interface DiskBatch {
  put(key: Buffer, value: Buffer): void;
  remove(key: Buffer): void;
  /**
   * Writes everything at once; resolves when it is on stable storage.
   *
   * @throws StorageFailure: the outcome is unknown, and the disk takes no further writes until it
   *   is opened again (S20).
   */
  writeDurably(): Promise<void>;
}

/** Everything as it was at one moment. It costs the disk space until it is closed. */
export interface DiskSnapshot {
  /**
   * Entries with `from` <= key < `to`, in byte order, read in chunks as they are taken.
   *
   * @throws StorageFailure, also if this or the disk is closed.
   */
  scan(from: Buffer, to: Buffer): AsyncIterable<readonly [key: Buffer, value: Buffer]>;
  /** May be called again, and also when the disk is closed. */
  close(): Promise<void>;
}

export interface Disk {
  batch(): DiskBatch;
  /**
   * The value of a key, undefined if there is none. Synchronous: a read of a cached block costs
   * less than a hop to another thread. Sees every batch that resolved.
   *
   * @throws StorageFailure
   */
  get(key: Buffer): Buffer | undefined;
  /** Entries with `from` <= key < `to`, in byte order. For start-up, not for the hot path. */
  scan(from: Buffer, to: Buffer): AsyncIterable<readonly [key: Buffer, value: Buffer]>;
  /**
   * Sees every batch that resolved and none that is begun later. A batch that is under way is in it
   * or is not; if it is, it is durable.
   *
   * @throws StorageFailure
   */
  snapshot(): DiskSnapshot;
  /**
   * Bytes free for this process on the file system of the data directory.
   *
   * @throws StorageFailure if that directory is gone: what is written from then on is, too.
   */
  freeBytes(): Promise<number>;
  /** Waits for the batch under way, then closes. */
  close(): Promise<void>;
}

/** The disk refused or lied. The replica stops; nothing is repaired in place (S20). */
export class StorageFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StorageFailure';
  }
}

/** The data directory cannot be used at all: in use, foreign, or not writable. For the operator. */
export class UnusableDirectoryError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UnusableDirectoryError';
  }
}

/** What was in the data directory is not all there any more. It was left as it is. */
export class DamagedDirectoryError extends UnusableDirectoryError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DamagedDirectoryError';
  }
}
