/**
 * A data directory in use: its identity, its replicas and their data, over one {@link Disk}.
 *
 * It knows keys and records and no rules: what is written, and when, the replicas decide. Opening
 * verifies everything that can be verified without reading the data (B23), refuses a directory of
 * another node or cluster, and tells a clean stop from an unclean one.
 */
import { assert } from '../model/assert.js';
import type { Epoch, LeaderEpoch, MemberId, Uuid } from '../model/ids.js';
import { type Disk, type DiskBatch, UnusableDirectoryError } from '../ports/disk.js';
import type { Random } from '../ports/random.js';
import {
  CorruptRecordError,
  decodeDataRecord,
  encodeDataRecord,
  type StoredRecord,
} from '../replication/data-record.js';
import type { DataOp } from '../replication/replica-io.js';
import type { ReplicaState } from '../replication/replica-state.js';
import {
  ALL_KEYS,
  dataKey,
  markKey,
  markKeys,
  NODE_KEYS,
  prefixOfMark,
  type ReplicaPrefix,
} from './keys.js';
import { decodeState, encodeState } from './layout.js';
import {
  decodeIdentity,
  decodeLeaderEpoch,
  decodeMarker,
  encodeIdentity,
  encodeLeaderEpoch,
  encodeMarker,
  type Marker,
  type StoreIdentity,
} from './node-records.js';

export interface StoreOwner {
  readonly node: MemberId;
  readonly cluster: string;
  /** `/proc/sys/kernel/random/boot_id`, or empty where there is none. */
  readonly bootId: string;
}

/** How the process before this one left the directory. */
export type LastStop =
  | 'new'
  | 'clean'
  /** The process died, the system went on. */
  | 'process-crash'
  /** The system stopped, or was another one. */
  | 'system-crash';

interface Replica {
  readonly prefix: ReplicaPrefix;
  /** As of the newest batch, which may be under way. */
  state: ReplicaState;
  /** Promised when this directory was opened; 0 for a replica made since. */
  readonly openedEpoch: Epoch;
}

const NO_EPOCH = 0 as Epoch;

export class Store {
  readonly #disk: Disk;
  #identity: StoreIdentity;
  readonly lastStop: LastStop;
  readonly #marker: Marker;
  readonly #replicas = new Map<Uuid, Replica>();
  #prefixMax: ReplicaPrefix = 0;
  #leaderEpoch = 0 as LeaderEpoch;
  #corruptStates = 0;

  private constructor(
    disk: Disk,
    opened: { identity: StoreIdentity; lastStop: LastStop; marker: Marker },
  ) {
    this.#disk = disk;
    this.#identity = opened.identity;
    this.lastStop = opened.lastStop;
    this.#marker = opened.marker;
  }

  /**
   * Reads the directory's own records, and marks it as open.
   *
   * @throws UnusableDirectoryError if the directory is not this node's ("it …": the caller says
   *   which directory), StorageFailure
   */
  static async open(disk: Disk, owner: StoreOwner, random: Random): Promise<Store> {
    const identity = (await readIdentity(disk, owner)) ?? mintIdentity(owner, random);
    const stored = disk.get(NODE_KEYS.marker);
    const before = stored && decodeMarker(stored);
    const marker = {
      clean: false,
      bootId: owner.bootId,
      generation: (before?.generation ?? 0) + 1,
    };
    const store = new Store(disk, { identity, lastStop: lastStopOf(before, owner), marker });
    await store.#readReplicas();
    const leaderEpoch = disk.get(NODE_KEYS.leaderEpoch);
    if (leaderEpoch !== undefined) store.#leaderEpoch = decodeLeaderEpoch(leaderEpoch);

    const batch = disk.batch();
    batch.put(NODE_KEYS.identity, encodeIdentity(identity));
    batch.put(NODE_KEYS.marker, encodeMarker(marker));
    await batch.writeDurably();
    return store;
  }

  get identity(): StoreIdentity {
    return this.#identity;
  }

  /** Highest leaderEpoch this directory has ever heard of (S17). */
  get leaderEpoch(): LeaderEpoch {
    return this.#leaderEpoch;
  }

  /** How often this directory was opened. */
  get generation(): number {
    return this.#marker.generation;
  }

  /** Replicas whose state was unreadable at the opening; their shards find nothing here. */
  get corruptStates(): number {
    return this.#corruptStates;
  }

  replica(shardUuid: Uuid): ReplicaState | undefined {
    return this.#replicas.get(shardUuid)?.state;
  }

  /** The epoch that a replica had promised when this directory was opened; 0 if it had none. */
  openedEpoch(shardUuid: Uuid): Epoch {
    return this.#replicas.get(shardUuid)?.openedEpoch ?? NO_EPOCH;
  }

  /** Every replica that exists, or is about to with the batch under way. */
  *replicas(): Iterable<ReplicaState> {
    for (const { state } of this.#replicas.values()) yield state;
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
    if (decoded.seq > replica.state.lastSeq) throw new CorruptRecordError('its version is ahead');
    return decoded;
  }

  /** Adds one replica's round to a batch. The replica begins to exist with its first state. */
  write(batch: DiskBatch, state: ReplicaState, data: readonly DataOp[]): void {
    const known = this.#replicas.get(state.shardUuid);
    const replica = known ?? { prefix: ++this.#prefixMax, state, openedEpoch: NO_EPOCH };
    assert(state.lastSeq >= replica.state.lastSeq, 'S22', () => ({ state, was: replica.state }));
    assert(state.promisedEpoch >= replica.state.promisedEpoch, 'S2', () => ({
      state,
      was: replica.state,
    }));
    replica.state = state;
    if (known === undefined) this.#replicas.set(state.shardUuid, replica);
    const { prefix } = replica;
    for (const op of data) {
      if (op.type === 'remove') batch.remove(dataKey(prefix, op.key));
      else batch.put(dataKey(prefix, op.key), encodeDataRecord(op.key, op.value, op.seq));
    }
    batch.put(markKey('replica', prefix), encodeState(prefix, state));
  }

  writeLeaderEpoch(batch: DiskBatch, leaderEpoch: LeaderEpoch): void {
    assert(leaderEpoch >= this.#leaderEpoch, 'S17', () => ({ leaderEpoch }));
    this.#leaderEpoch = leaderEpoch;
    batch.put(NODE_KEYS.leaderEpoch, encodeLeaderEpoch(leaderEpoch));
  }

  /** The directory belongs to this cluster from now on. */
  writeClusterUuid(batch: DiskBatch, clusterUuid: Uuid): void {
    assert(this.#identity.clusterUuid === null, 'a store has one cluster');
    this.#identity = { ...this.#identity, clusterUuid };
    batch.put(NODE_KEYS.identity, encodeIdentity(this.#identity));
  }

  writeCleanMarker(batch: DiskBatch): void {
    batch.put(NODE_KEYS.marker, encodeMarker({ ...this.#marker, clean: true }));
  }

  async #readReplicas(): Promise<void> {
    const { from, to } = markKeys('replica');
    for await (const [key, record] of this.#disk.scan(from, to)) {
      const prefix = prefixOfMark('replica', key);
      if (prefix === undefined) continue;
      this.#prefixMax = Math.max(this.#prefixMax, prefix);
      try {
        const state = decodeState(prefix, record);
        const openedEpoch = state.promisedEpoch;
        this.#replicas.set(state.shardUuid, { prefix, state, openedEpoch });
      } catch (error) {
        if (!(error instanceof CorruptRecordError)) throw error;
        this.#corruptStates++;
      }
    }
  }
}

/** Undefined: the directory is empty. */
async function readIdentity(disk: Disk, owner: StoreOwner): Promise<StoreIdentity | undefined> {
  const bytes = disk.get(NODE_KEYS.identity);
  if (bytes === undefined) {
    const first = await disk.scan(ALL_KEYS.from, ALL_KEYS.to)[Symbol.asyncIterator]().next();
    if (first.done !== true) {
      throw new UnusableDirectoryError(
        'it holds a LevelDB that is not a Portolan store; choose another directory',
      );
    }
    return undefined;
  }
  const identity = decodeIdentity(bytes);
  if (identity.cluster !== owner.cluster) {
    throw new UnusableDirectoryError(
      `it belongs to cluster "${identity.cluster}", ` +
        `this node is of cluster "${owner.cluster}"`,
    );
  }
  if (identity.node !== owner.node) {
    throw new UnusableDirectoryError(
      `it belongs to node "${identity.node}", this node is "${owner.node}"`,
    );
  }
  return identity;
}

function mintIdentity({ node, cluster }: StoreOwner, random: Random): StoreIdentity {
  return { store: random.uuid(), node, cluster, clusterUuid: null };
}

function lastStopOf(before: Marker | undefined, { bootId }: StoreOwner): LastStop {
  if (before === undefined) return 'new';
  if (before.clean) return 'clean';
  return before.bootId === bootId && bootId !== '' ? 'process-crash' : 'system-crash';
}
