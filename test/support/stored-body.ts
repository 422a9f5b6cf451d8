/** A real replica body over a real store on a disk that forgets nothing but what a crash takes. */
import type { Epoch, Seq, ShardId } from '../../src/model/ids.js';
import type { Disk, DiskBatch } from '../../src/ports/disk.js';
import { type Draft, type Entry, sealEntry } from '../../src/replication/entry.js';
import { type Persist, ReplicaBody } from '../../src/replication/replica-body.js';
import { ReplicaStore } from '../../src/storage/replica-store.js';
import type { ShardSnapshot } from '../../src/storage/shard-snapshot.js';
import { uuidOf } from './configs.js';

export const EPOCH = 1 as Epoch;

export const put = (key: string, value: string): Draft => ({
  type: 'put',
  key: Buffer.from(key),
  value: Buffer.from(value),
});

export const del = (key: string): Draft => ({ type: 'delete', key: Buffer.from(key) });

export const idOf = (shard: number) => ({
  shard: shard as ShardId,
  shardUuid: uuidOf(`shard-${shard}`),
});

/** Fills a batch and writes it. */
export async function write(disk: Disk, fill: (batch: DiskBatch) => void): Promise<void> {
  const batch = disk.batch();
  fill(batch);
  await batch.writeDurably();
}

export class StoredBody {
  readonly id: ReturnType<typeof idOf>;
  readonly body: ReplicaBody;
  readonly #disk: Disk;
  readonly #store: ReplicaStore;

  constructor(disk: Disk, store: ReplicaStore, shard = 0) {
    this.#disk = disk;
    this.#store = store;
    this.id = idOf(shard);
    const settings = {
      keepEntries: 2,
      keepBytes: 1_000_000,
      tailEntries: 1,
      tailBytes: 1_000,
      trimEntries: 2,
      trimMax: 4,
      pinnedBytes: 0,
    };
    this.body = new ReplicaBody(this.id, settings, store.recovered(this.id.shardUuid));
    if (!this.body.exists) this.body.create(EPOCH);
  }

  /** Appends an entry that nobody has yet. */
  append(...drafts: readonly Draft[]): Entry {
    const { log, commitSeq, promisedEpoch: epoch } = this.body;
    const entry = sealEntry(log.last, { epoch, commitSeq }, drafts);
    this.body.append(entry);
    return entry;
  }

  commit(): void {
    this.body.commitTo(this.body.log.last.seq);
    this.body.applySoon();
  }

  /** Writes what is to be persisted, if there is anything. */
  async round(): Promise<void> {
    const persist = this.body.takePersist();
    if (persist === undefined) return;
    await write(this.#disk, (batch) => this.#store.persist(batch, this.id, persist));
    this.body.onPersisted();
  }

  /** Each draft becomes an entry, durable with one batch and applied with the next. */
  async putAll(...drafts: readonly Draft[]): Promise<void> {
    for (const draft of drafts) {
      this.append(draft);
      await this.round();
      this.commit();
      await this.round();
    }
  }
}

/** A store on this disk with one replica that holds these. */
export async function storeOf(
  disk: Disk,
  ...drafts: readonly Draft[]
): Promise<{ readonly store: ReplicaStore; readonly replica: StoredBody }> {
  const store = await ReplicaStore.open(disk);
  const replica = new StoredBody(disk, store);
  await replica.round();
  await replica.putAll(...drafts);
  return { store, replica };
}

/** Everything in a snapshot, which is closed then: `key=seq`. */
export async function pairsOf(snapshot: ShardSnapshot | undefined): Promise<string[]> {
  const pairs: string[] = [];
  for await (const chunk of snapshot?.chunks() ?? []) {
    for (const [key, record] of chunk) pairs.push(`${key.toString()}=${record.toString('hex')}`);
  }
  await snapshot?.close();
  return pairs;
}

/** A persist that holds nothing, for tests that change a part. */
export const NO_PERSIST: Persist = {
  setsAside: undefined,
  switchTo: undefined,
  truncateAfter: undefined,
  append: [],
  apply: [],
  trim: [],
  state: undefined,
};

export const seqOf = (seq: number) => seq as Seq;
