/** Whose record a key of a data directory holds: what checkers know of `storage/replica-layout.ts`. */
import type { Uuid } from '../../../src/model/ids.js';
import { CorruptRecordError } from '../../../src/replication/data-record.js';
import {
  dataKeys,
  type KeyRange,
  markKey,
  markKeys,
  NODE_KEYS,
  prefixOfKey,
  prefixOfMark,
  type ReplicaPrefix,
} from '../../../src/storage/keys.js';
import { decodeLives } from '../../../src/storage/node-records.js';
import { decodeState, logKeys } from '../../../src/storage/replica-layout.js';
import { ByteMap } from '../byte-map.js';
import type { DiskImage } from '../fault-injections.js';
import type { SimDisk } from '../sim-disk.js';

/** What a record says: how a replica stands, an entry of its log, the value of a key. */
export type RecordKind = 'state' | 'log' | 'data';

export interface ReplicaRecord {
  readonly kind: RecordKind;
  readonly prefix: ReplicaPrefix;
}

/** Undefined: it is no record of a replica. */
export function recordAt(key: Buffer): ReplicaRecord | undefined {
  const named = prefixOfMark('replica', key);
  if (named !== undefined) return { kind: 'state', prefix: named };
  const prefix = prefixOfKey(key);
  if (isIn(logKeys(prefix), key)) return { kind: 'log', prefix };
  return isIn(dataKeys(prefix), key) ? { kind: 'data', prefix } : undefined;
}

/** Processes that a disk has on record, or what an image was taken of. */
export function livesOn(disk: SimDisk | DiskImage): readonly Uuid[] {
  const { lives } = NODE_KEYS;
  const isImage = disk instanceof ByteMap;
  const stored = isImage ? disk.get(ByteMap.keyOf(lives)) : disk.stored(lives);
  return stored === undefined ? [] : decodeLives(stored).map(({ process }) => process);
}

/** The shard of each replica on a disk, by prefix. Not of those whose state does not verify. */
export function shardsOn(disk: SimDisk): ReadonlyMap<ReplicaPrefix, Uuid> {
  const shards = new Map<ReplicaPrefix, Uuid>();
  const { from, to } = markKeys('replica');
  for (const [key, record] of disk.storedIn(from, to)) {
    const prefix = prefixOfMark('replica', Buffer.from(key, 'latin1'));
    const shardUuid = prefix === undefined ? undefined : shardOf(prefix, record);
    if (prefix !== undefined && shardUuid !== undefined) shards.set(prefix, shardUuid);
  }
  return shards;
}

/** Whether a state is there for this prefix, readable or not. */
export function hasState(disk: SimDisk, prefix: ReplicaPrefix): boolean {
  return disk.stored(markKey('replica', prefix)) !== undefined;
}

/** Whether a replica was set aside there, and is kept. */
export function isSetAside(disk: SimDisk, prefix: ReplicaPrefix): boolean {
  return disk.stored(markKey('damaged', prefix)) !== undefined;
}

function shardOf(prefix: ReplicaPrefix, record: Buffer): Uuid | undefined {
  try {
    return decodeState(prefix, record).shardUuid;
  } catch (error) {
    if (error instanceof CorruptRecordError) return undefined;
    throw error;
  }
}

function isIn({ from, to }: KeyRange, key: Buffer): boolean {
  return key.compare(from) >= 0 && key.compare(to) < 0;
}
