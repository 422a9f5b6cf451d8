/**
 * The replicas of a data directory, over one {@link Disk}: what their cores want persisted becomes
 * changes of a batch, and what a restart finds is given back to them.
 *
 * It writes no batch itself: whoever drives the replicas puts all of them into one and writes that,
 * one at a time, in the order in which they were filled. What is known here is as of the newest
 * batch that was filled, which may be under way.
 *
 * An install writes under a prefix of its own that is marked as garbage, until the batch that
 * switches to it moves the mark to the prefix before. So a crash at any moment leaves the old data
 * or the new, whole, and the other one marked.
 *
 * Upholds S19 and S20: see `replica-recovery.ts` for what is not trusted, and `garbage.ts` for what
 * is removed.
 */
import { assert } from '../model/assert.js';
import type { Seq, ShardId, Uuid } from '../model/ids.js';
import type { Disk, DiskBatch } from '../ports/disk.js';
import {
  CorruptRecordError,
  decodeDataRecord,
  type StoredRecord,
} from '../replication/data-record.js';
import {
  type Entry,
  LOG_START,
  MalformedEntryError,
  parseEntry,
  type Position,
} from '../replication/entry.js';
import type { DurableState, Persist, Recovered } from '../replication/replica-body.js';
import { dataKey, markKey, PREFIX_MAX, type ReplicaPrefix } from './keys.js';
import { encodeState, logEndOf, logKey } from './replica-layout.js';
import { decodeQuarantine, encodeQuarantine, type QuarantineRecord } from './quarantine.js';
import { type DamagedReplica, findReplicas, type Found, NOT_REPLACED } from './replica-recovery.js';
import { type Pair, type ShardDigest, ShardSnapshot } from './shard-snapshot.js';
import { StoredReplica } from './stored-replica.js';

const NOTHING = Buffer.alloc(0);

export class ReplicaStore {
  readonly #disk: Disk;
  readonly #replicas = new Map<Uuid, StoredReplica>();
  readonly #recovered = new Map<Uuid, Recovered>();
  #damaged: readonly DamagedReplica[];
  /** Prefixes to be emptied, with nobody writing under them any more. */
  readonly #garbage: Set<ReplicaPrefix>;
  readonly #wallTime: () => string;
  /** Where data for a replica is being received. */
  readonly #installs = new Map<Uuid, ReplicaPrefix>();
  #prefixMax: ReplicaPrefix;

  private constructor(disk: Disk, found: Found, wallTime: () => string) {
    const { replicas, damaged, garbage, prefixMax } = found;
    this.#disk = disk;
    this.#wallTime = wallTime;
    this.#damaged = damaged;
    this.#garbage = new Set(garbage);
    this.#prefixMax = prefixMax;
    for (const { prefix, state, entries } of replicas) {
      this.#replicas.set(state.shardUuid, new StoredReplica(prefix, { state, entries }));
      this.#recovered.set(state.shardUuid, { state, entries });
    }
  }

  /**
   * Reads and verifies the states and logs of all replicas.
   *
   * @param wallTime For the records of what is set aside.
   * @throws StorageFailure
   */
  static async open(disk: Disk, wallTime = () => new Date().toISOString()): Promise<ReplicaStore> {
    return new ReplicaStore(disk, await findReplicas(disk), wallTime);
  }

  /** What is kept here without being trusted, and why. */
  damaged(): readonly DamagedReplica[] {
    return this.#damaged;
  }

  /** Of every replica, as of the newest batch that wrote it. */
  *states(): Iterable<DurableState> {
    for (const { state } of this.#replicas.values()) yield state;
  }

  /** Where a replica has its records: another place for each set of data it ever had. */
  prefixOf(shardUuid: Uuid): ReplicaPrefix | undefined {
    return this.#replicas.get(shardUuid)?.prefix;
  }

  /** What the opening found of a replica. Given once: from then on its core has it. */
  recovered(shardUuid: Uuid): Recovered | undefined {
    const recovered = this.#recovered.get(shardUuid);
    this.#recovered.delete(shardUuid);
    return recovered;
  }

  /** Adds what one replica's core took to a batch. With the first, the replica begins to exist. */
  persist(
    batch: DiskBatch,
    { shard, shardUuid }: { readonly shard: ShardId; readonly shardUuid: Uuid },
    persist: Persist,
  ): void {
    const { state } = persist;
    const isItsOwn =
      state === undefined || (state.shard === shard && state.shardUuid === shardUuid);
    assert(isItsOwn, 'a state is of its replica', () => ({ shard, state }));
    const { setsAside } = persist;
    if (setsAside !== undefined) this.#setAside(batch, shardUuid, setsAside);
    const replica = this.#replicas.get(shardUuid) ?? this.#create(batch, shardUuid, state);
    if (persist.switchTo !== undefined) this.#switch(batch, replica, persist.switchTo);
    replica.write(batch, persist);
  }

  /**
   * The record of a key in a replica; undefined if there is none. Sees every batch that resolved.
   *
   * @throws CorruptRecordError, StorageFailure
   */
  read(shardUuid: Uuid, key: Buffer): StoredRecord | undefined {
    const replica = this.#replicas.get(shardUuid);
    if (replica === undefined) return undefined;
    const record = this.#disk.get(dataKey(replica.prefix, key));
    if (record === undefined) return undefined;
    const decoded = decodeDataRecord(key, record);
    // No write ever had a higher position: what claims one was not written by us.
    if (decoded.seq > replica.lastSeq) throw new CorruptRecordError('its version is ahead');
    return decoded;
  }

  /**
   * The entry that ends at a position of a replica's log, which must have it durably.
   *
   * @throws CorruptRecordError if it is not there as it was, StorageFailure
   */
  entry(shardUuid: Uuid, position: Pick<Position, 'seq' | 'chain'>): Entry {
    const { seq, chain } = position;
    const replica = this.#replicas.get(shardUuid);
    const bytes = replica && this.#disk.get(logKey(replica.prefix, logEndOf(position)));
    if (bytes === undefined) throw new CorruptRecordError(`log record ${seq} is not there`);
    const entry = parseLogged(bytes);
    if (entry.seq !== seq || entry.chain !== chain) {
      throw new CorruptRecordError(`log record ${seq} is another entry`);
    }
    return entry;
  }

  /** A place for data that is about to come; what came before for this replica is given up. */
  beginInstall(batch: DiskBatch, shardUuid: Uuid): void {
    this.abandonInstall(shardUuid);
    const prefix = this.#mintPrefix();
    batch.put(markKey('garbage', prefix), NOTHING);
    this.#installs.set(shardUuid, prefix);
  }

  /** Adds some of the data that came. The batch may be the one that switches to it, before that. */
  install(batch: DiskBatch, shardUuid: Uuid, pairs: Iterable<Pair>): void {
    const prefix = this.#installs.get(shardUuid);
    assert(prefix !== undefined, 'S15', () => ({ shardUuid }));
    for (const [key, record] of pairs) batch.put(dataKey(prefix, key), record);
  }

  /** No more data comes, and it is not switched to. Does nothing if there is no install. */
  abandonInstall(shardUuid: Uuid): void {
    const prefix = this.#installs.get(shardUuid);
    if (prefix === undefined) return;
    this.#installs.delete(shardUuid);
    this.#garbage.add(prefix);
  }

  /** A replica that took the place of what was set aside there, if it is kept, has been in sync. */
  succeeded(batch: DiskBatch, prefix: ReplicaPrefix): void {
    const kept = this.#damaged.find((damaged) => damaged.prefix === prefix);
    if (kept?.at === undefined || kept.hasSuccessor) return;
    const record = quarantineOf(this.#disk.get(markKey('damaged', prefix)));
    // One that has rotted too says nothing, and what it is about stays after the next opening.
    if (record !== undefined) {
      batch.put(markKey('damaged', prefix), encodeQuarantine({ ...record, hasSuccessor: true }));
    }
    this.#damaged = this.#damaged.map((one) => {
      return one === kept ? { ...kept, hasSuccessor: true } : one;
    });
  }

  /** What was set aside there is kept no longer. */
  release(batch: DiskBatch, prefix: ReplicaPrefix): void {
    const released = this.#damaged.find((damaged) => damaged.prefix === prefix);
    // Never what nothing has replaced, what may be the only copy, or what nobody knows.
    const mayGo = released?.at !== undefined && released.hasSuccessor;
    assert(mayGo, 'S19', () => ({ prefix }));
    batch.remove(markKey('damaged', prefix));
    this.#discard(batch, released);
  }

  /** The data of a replica as it is now; to be closed. Undefined if there is no replica. */
  snapshot(shardUuid: Uuid): ShardSnapshot | undefined {
    const replica = this.#replicas.get(shardUuid);
    return replica && new ShardSnapshot(this.#disk.snapshot(), replica.snapshotPoint);
  }

  /**
   * For comparing replicas; reads all data of one. Undefined if there is no replica.
   *
   * @throws CorruptRecordError, StorageFailure
   */
  async digest(shardUuid: Uuid): Promise<ShardDigest | undefined> {
    const snapshot = this.snapshot(shardUuid);
    try {
      return await snapshot?.digest();
    } finally {
      await snapshot?.close();
    }
  }

  /** A prefix to be emptied, if there is one. */
  nextGarbage(): ReplicaPrefix | undefined {
    return this.#garbage.values().next().value;
  }

  /** Says again that a prefix is to be emptied: behind every batch that wrote under it. */
  markGarbage(batch: DiskBatch, prefix: ReplicaPrefix): void {
    this.assertGarbage(prefix);
    batch.put(markKey('garbage', prefix), NOTHING);
  }

  /** Nothing lies under a prefix any more. */
  unmarkGarbage(batch: DiskBatch, prefix: ReplicaPrefix): void {
    this.assertGarbage(prefix);
    batch.remove(markKey('garbage', prefix));
    this.#garbage.delete(prefix);
  }

  /** Nothing under a prefix belongs to any replica, present, coming or damaged (S19). */
  assertGarbage(prefix: ReplicaPrefix): void {
    const isNamed =
      [...this.#replicas.values()].some((replica) => replica.prefix === prefix) ||
      [...this.#installs.values()].includes(prefix) ||
      this.#damaged.some((damaged) => damaged.prefix === prefix);
    assert(this.#garbage.has(prefix) && !isNamed, 'S19', () => ({ prefix, isNamed }));
  }

  #create(batch: DiskBatch, shardUuid: Uuid, state: DurableState | undefined): StoredReplica {
    assert(state !== undefined, 'S19', () => ({ shardUuid })); // Nothing is made by a mere write.
    this.#giveUpDamaged(batch, shardUuid);
    const empty = { ...state, base: LOG_START, appliedSeq: 0 as Seq };
    const replica = new StoredReplica(this.#mintPrefix(), { state: empty, entries: [] });
    this.#replicas.set(shardUuid, replica);
    return replica;
  }

  /** The replica ends, and its data stays as it is. Another one begins with the same batch. */
  #setAside(batch: DiskBatch, shardUuid: Uuid, problem: string): void {
    const replica = this.#replicas.get(shardUuid);
    assert(replica !== undefined, 'S19', () => ({ shardUuid, problem }));
    const { prefix, state } = replica;
    this.#replicas.delete(shardUuid);
    const record = encodeState(prefix, state);
    this.#damaged = [
      ...this.#damaged,
      { prefix, shard: state.shard, shardUuid, problem, ...NOT_REPLACED, record },
    ];
  }

  /**
   * A new replica takes the place of what is damaged, whose data stays as it is. But not if one is
   * kept since which nothing here was in sync: then this one only ever learnt from others, and
   * holds nothing that they did not give it. So no disk that rots is filled with learners.
   */
  #giveUpDamaged(batch: DiskBatch, shardUuid: Uuid): void {
    const ofShard = this.#damaged.filter((damaged) => damaged.shardUuid === shardUuid);
    const mayBeOnlyCopy = ofShard.some(({ at, hasSuccessor }) => at !== undefined && !hasSuccessor);
    for (const damaged of ofShard) {
      if (damaged.record === undefined) continue;
      if (!mayBeOnlyCopy) this.#keepDamaged(batch, damaged);
      else {
        batch.remove(markKey('replica', damaged.prefix));
        this.#discard(batch, damaged);
      }
    }
  }

  /** It becomes garbage. */
  #discard(batch: DiskBatch, damaged: DamagedReplica): void {
    const { prefix } = damaged;
    batch.put(markKey('garbage', prefix), NOTHING);
    this.#damaged = this.#damaged.filter((one) => one !== damaged);
    this.#garbage.add(prefix);
  }

  /** Its record says what happened to it, and is not that of a replica any more. */
  #keepDamaged(batch: DiskBatch, damaged: DamagedReplica): void {
    const { prefix, shard, shardUuid, problem, record } = damaged;
    assert(shard !== undefined && shardUuid !== undefined && record !== undefined, 'S19');
    const at = this.#wallTime();
    const state = record.toString('hex');
    const kept = { shard, shardUuid, at, problem, state, hasSuccessor: false };
    batch.remove(markKey('replica', prefix));
    batch.put(markKey('damaged', prefix), encodeQuarantine(kept));
    const staying = this.#damaged.filter((one) => one !== damaged);
    this.#damaged = [...staying, { ...damaged, at, record: undefined }];
  }

  #switch(batch: DiskBatch, replica: StoredReplica, base: Position): void {
    const { shardUuid } = replica.state;
    const [before, prefix] = [replica.prefix, this.#installs.get(shardUuid)];
    assert(prefix !== undefined, 'S15', () => ({ shardUuid, base: base.seq }));
    this.#installs.delete(shardUuid);
    replica.switchTo(batch, prefix, base);
    batch.remove(markKey('garbage', prefix));
    batch.put(markKey('garbage', before), NOTHING);
    this.#garbage.add(before);
  }

  #mintPrefix(): ReplicaPrefix {
    assert(this.#prefixMax < PREFIX_MAX, 'S19', () => ({ prefixMax: this.#prefixMax }));
    return ++this.#prefixMax;
  }
}

function quarantineOf(bytes: Buffer | undefined): QuarantineRecord | undefined {
  try {
    return bytes && decodeQuarantine(bytes);
  } catch (error) {
    if (error instanceof CorruptRecordError) return undefined;
    throw error;
  }
}

function parseLogged(bytes: Buffer): Entry {
  try {
    return parseEntry(bytes);
  } catch (error) {
    if (!(error instanceof MalformedEntryError)) throw error;
    throw new CorruptRecordError(error.message);
  }
}
