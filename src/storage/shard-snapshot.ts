/**
 * The data of one replica as of one moment: what is sent to a replica whose log does not reach, and
 * what replicas are compared by.
 *
 * Upholds S20: every record is verified before it leaves, so that damage is never propagated.
 */
import { createHash } from 'node:crypto';
import type { Seq } from '../model/ids.js';
import type { DiskSnapshot } from '../ports/disk.js';
import { decodeDataRecord } from '../replication/data-record.js';
import { dataKeys, keyOfData, type ReplicaPrefix } from './keys.js';

/** A key and its data-record. */
export type Pair = readonly [key: Buffer, record: Buffer];

/** A key, and its value if that is not always the same, that is there if and only if a batch is. */
export interface BatchSign {
  readonly key: Buffer;
  readonly record?: Buffer;
}

/** What its store knew of a replica when the snapshot was taken. */
export interface SnapshotPoint {
  readonly prefix: ReplicaPrefix;
  /** After the newest batch. */
  readonly appliedSeq: Seq;
  /** The data may hold committed writes up to here, if that is higher. */
  readonly aheadTo: Seq;
  /** The newest batch of this replica: it may be under way, and in the snapshot or not. */
  readonly newest: { readonly sign: BatchSign; readonly appliedBefore: Seq } | undefined;
}

export interface SnapshotPosition {
  /** The data holds every write up to here: the base of a log that goes on from it. */
  readonly appliedSeq: Seq;
  /**
   * And none above. False for a while after a start: committed writes that were applied before it
   * may be there, and are applied again in their order.
   */
  readonly isExact: boolean;
}

export interface ShardDigest extends SnapshotPosition {
  readonly pairs: number;
  /** SHA-256 over keyBytes:u32 recordBytes:u32 key record of all pairs in order, in hex. */
  readonly sha256: string;
}

/** Pairs sent at a time: one message. A single pair may be larger. */
const CHUNK_BYTES = 256 * 1024;
const CHUNK_PAIRS = 4_096;

/** To be closed by whoever took it. */
export class ShardSnapshot {
  readonly #source: DiskSnapshot;
  readonly #point: SnapshotPoint;

  constructor(source: DiskSnapshot, point: SnapshotPoint) {
    this.#source = source;
    this.#point = point;
  }

  /** Where the replica had its data when this was taken. */
  get prefix(): ReplicaPrefix {
    return this.#point.prefix;
  }

  /** @throws StorageFailure */
  async position(): Promise<SnapshotPosition> {
    const { appliedSeq: after, aheadTo, newest } = this.#point;
    const isThere = newest === undefined || (await this.#holds(newest.sign));
    const appliedSeq = isThere ? after : newest.appliedBefore;
    return { appliedSeq, isExact: appliedSeq >= aheadTo };
  }

  /**
   * All pairs, in order of their keys, some at a time.
   *
   * @throws CorruptRecordError, StorageFailure
   */
  async *chunks(): AsyncGenerator<readonly Pair[]> {
    let pairs: Pair[] = [];
    let byteCount = 0;
    const { from, to } = dataKeys(this.#point.prefix);
    for await (const [full, record] of this.#source.scan(from, to)) {
      const key = keyOfData(full);
      decodeDataRecord(key, record);
      pairs.push([key, record]);
      byteCount += key.length + record.length;
      if (byteCount < CHUNK_BYTES && pairs.length < CHUNK_PAIRS) continue;
      yield pairs;
      pairs = [];
      byteCount = 0;
    }
    if (pairs.length > 0) yield pairs;
  }

  /**
   * Reads all of it. Replicas at the same exact position have the same digest.
   *
   * @throws CorruptRecordError, StorageFailure
   */
  async digest(): Promise<ShardDigest> {
    const position = await this.position();
    const sha256 = createHash('sha256');
    let pairs = 0;
    for await (const chunk of this.chunks()) {
      pairs += chunk.length;
      for (const [key, record] of chunk) {
        const lengths = Buffer.allocUnsafe(8);
        lengths.writeUInt32BE(key.length, 0);
        lengths.writeUInt32BE(record.length, 4);
        sha256.update(lengths).update(key).update(record);
      }
    }
    return { ...position, pairs, sha256: sha256.digest('hex') };
  }

  /** May be called again. */
  close(): Promise<void> {
    return this.#source.close();
  }

  async #holds({ key, record }: BatchSign): Promise<boolean> {
    const behind = Buffer.concat([key, Buffer.of(0)]);
    for await (const [, found] of this.#source.scan(key, behind)) {
      return record === undefined || record.equals(found);
    }
    return false;
  }
}
