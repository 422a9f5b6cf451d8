/**
 * A data directory in use, as far as it is about itself: whose it is, which leader it has heard of,
 * and how the process before this one left it. Its replicas are in `replica-store.ts`.
 *
 * Opening refuses a directory of another node or cluster.
 */
import { assert } from '../model/assert.js';
import type { LeaderEpoch, MemberId, Uuid } from '../model/ids.js';
import { ANCESTRY_MAX } from '../model/registrations.js';
import { type Disk, type DiskBatch, UnusableDirectoryError } from '../ports/disk.js';
import type { Random } from '../ports/random.js';
import { ALL_KEYS, NODE_KEYS } from './keys.js';
import {
  decodeIdentity,
  decodeLeaderEpoch,
  decodeLives,
  decodeMarker,
  encodeIdentity,
  encodeLeaderEpoch,
  encodeLives,
  encodeMarker,
  type Life,
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

/** So many lives before this one are kept, whether anybody counted on them or not. */
const LATEST_KEPT = 16;

export class Store {
  #identity: StoreIdentity;
  readonly lastStop: LastStop;
  readonly #marker: Marker;
  #leaderEpoch = 0 as LeaderEpoch;
  #before: readonly Life[] = [];
  /** This process, once it is to be on record. */
  #life: Life | undefined;

  private constructor(opened: { identity: StoreIdentity; lastStop: LastStop; marker: Marker }) {
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
    const store = new Store({ identity, lastStop: lastStopOf(before, owner), marker });
    const leaderEpoch = disk.get(NODE_KEYS.leaderEpoch);
    if (leaderEpoch !== undefined) store.#leaderEpoch = decodeLeaderEpoch(leaderEpoch);
    const lives = disk.get(NODE_KEYS.lives);
    if (lives !== undefined) store.#before = decodeLives(lives);

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

  /** The processes before this one that configurations may count on, the latest last. */
  get ancestry(): readonly Uuid[] {
    return this.#before.map(({ process }) => process);
  }

  /** Configurations may count on this process from now on. */
  writeLife(batch: DiskBatch, process: Uuid): void {
    this.#writeLives(batch, { process, isCounted: false });
  }

  /** One does. */
  writeCounted(batch: DiskBatch): void {
    const life = this.#life;
    assert(life !== undefined, 'a process that is counted on is on record');
    this.#writeLives(batch, { ...life, isCounted: true });
  }

  /**
   * Behind those before it. The earliest gives way, but first one that nobody counted on; none of
   * the latest: their leader may have counted on them without their hearing of it.
   */
  #writeLives(batch: DiskBatch, life: Life): void {
    this.#life = life;
    const lives = [...this.#before];
    if (lives.length >= ANCESTRY_MAX) {
      const early = lives.slice(0, -LATEST_KEPT);
      const idle = early.findIndex(({ isCounted }) => !isCounted);
      lives.splice(Math.max(idle, 0), 1);
    }
    batch.put(NODE_KEYS.lives, encodeLives([...lives, life]));
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
