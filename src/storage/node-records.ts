/** The records of a data directory that are about the directory itself: JSON, read at start. */
import {
  isCount,
  isLeaderEpoch,
  isUuid,
  type LeaderEpoch,
  type MemberId,
  type Uuid,
} from '../model/ids.js';
import { UnusableDirectoryError } from '../ports/disk.js';

/** Of the whole directory: 2 since replicas have logs, 3 since it knows its lives. */
const FORMAT = 3;

/** What a data directory is, and never ceases to be. */
export interface StoreIdentity {
  /** Minted with the directory: an empty one is another store, whatever its path (S19). */
  readonly store: Uuid;
  readonly node: MemberId;
  readonly cluster: string;
  /** Of the cluster it belongs to; null until the node has seen it in ZooKeeper. */
  readonly clusterUuid: Uuid | null;
}

/** Written unclean at every opening and clean at an orderly close. */
export interface Marker {
  readonly clean: boolean;
  /** Of the system that ran: with the same one, the page cache has survived. */
  readonly bootId: string;
  /** +1 at every opening. */
  readonly generation: number;
}

/** A process that had the directory, and was about to register at least. */
export interface Life {
  readonly process: Uuid;
  /** It has heard a configuration that counts on it. */
  readonly isCounted: boolean;
}

export function encodeIdentity(identity: StoreIdentity): Buffer {
  return encode(identity);
}

/** @throws UnusableDirectoryError */
export function decodeIdentity(bytes: Buffer): StoreIdentity {
  const { store, node, cluster, clusterUuid } = decode<StoreIdentity>('identity', bytes);
  const isGood =
    isUuid(store) &&
    typeof node === 'string' &&
    typeof cluster === 'string' &&
    (clusterUuid === null || isUuid(clusterUuid));
  if (!isGood) throw unreadable('identity');
  return { store, node, cluster, clusterUuid };
}

export function encodeMarker(marker: Marker): Buffer {
  return encode(marker);
}

/** @throws UnusableDirectoryError */
export function decodeMarker(bytes: Buffer): Marker {
  const { clean, bootId, generation } = decode<Marker>('marker', bytes);
  if (typeof clean !== 'boolean' || typeof bootId !== 'string' || !isCount(generation)) {
    throw unreadable('marker');
  }
  return { clean, bootId, generation };
}

export function encodeLeaderEpoch(leaderEpoch: LeaderEpoch): Buffer {
  return encode({ leaderEpoch });
}

/** @throws UnusableDirectoryError */
export function decodeLeaderEpoch(bytes: Buffer): LeaderEpoch {
  const { leaderEpoch } = decode<{ leaderEpoch: LeaderEpoch }>('leader-epoch', bytes);
  if (!isLeaderEpoch(leaderEpoch, 0)) throw unreadable('leader-epoch');
  return leaderEpoch;
}

export function encodeLives(lives: readonly Life[]): Buffer {
  return encode({ lives });
}

/** @throws UnusableDirectoryError */
export function decodeLives(bytes: Buffer): readonly Life[] {
  const { lives } = decode<{ lives: readonly Life[] }>('lives', bytes);
  if (!Array.isArray(lives) || !lives.every(isLife)) throw unreadable('lives');
  return lives;
}

function isLife(value: Partial<Life> | null): value is Life {
  return isUuid(value?.process) && typeof value.isCounted === 'boolean';
}

function encode(record: object): Buffer {
  return Buffer.from(JSON.stringify({ format: FORMAT, ...record }));
}

/** The fields a record may have; the caller checks each before it believes it. */
function decode<T>(name: string, bytes: Buffer): Partial<T> {
  let record: unknown;
  try {
    record = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw unreadable(name, error);
  }
  if (typeof record !== 'object' || record === null) throw unreadable(name);
  const format = 'format' in record ? record.format : undefined;
  if (format !== FORMAT) {
    throw new UnusableDirectoryError(
      `it has format ${JSON.stringify(format)}, this version knows ${FORMAT}`,
    );
  }
  return record;
}

function unreadable(name: string, cause?: unknown): UnusableDirectoryError {
  return new UnusableDirectoryError(`its record "${name}" is unreadable`, {
    cause,
  });
}
