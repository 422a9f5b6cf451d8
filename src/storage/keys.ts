/**
 * The keys of a data directory: whose area each lies in.
 *
 *   key         = node-key / replica-key
 *   node-key    = 00000000 name            one record of the directory itself
 *               / 00000000 mark prefix:u32 one record about one replica
 *   replica-key = prefix:u32 kind:u8 ...   what belongs to that replica
 *
 * Numbers are big-endian. A prefix is minted when a replica is made, or its data anew; it starts at
 * 1 and is not used again while anything lies under it. The marks of one name lie side by side, so
 * that a start reads them without touching the data.
 */

/** Names a replica in this directory. 1 and up; 0 is the node itself. */
export type ReplicaPrefix = number;

/** Keys with `from` <= key < `to`. */
export interface KeyRange {
  readonly from: Buffer;
  readonly to: Buffer;
}

export type MarkName = 'replica' | 'damaged' | 'garbage';

export const PREFIX_BYTES = 4;
const DATA = 0x44; // "D"
const NODE_PREFIX = Buffer.alloc(PREFIX_BYTES);
const nodeKey = (name: string) => Buffer.concat([NODE_PREFIX, Buffer.from(name)]);
const MARKS: Readonly<Record<MarkName, Buffer>> = {
  replica: nodeKey('replica'),
  damaged: nodeKey('damaged'),
  garbage: nodeKey('garbage'),
};

export const NODE_KEYS = {
  identity: nodeKey('identity'),
  leaderEpoch: nodeKey('leader-epoch'),
  lives: nodeKey('lives'),
  marker: nodeKey('marker'),
} as const;

/** All keys: a key is shorter than this many 0xff bytes. */
export const ALL_KEYS: KeyRange = { from: Buffer.alloc(0), to: Buffer.alloc(2048, 0xff) };

export function dataKey(prefix: ReplicaPrefix, key: Buffer): Buffer {
  const full = Buffer.allocUnsafe(PREFIX_BYTES + 1 + key.length);
  full.writeUInt32BE(prefix, 0);
  full[PREFIX_BYTES] = DATA;
  key.copy(full, PREFIX_BYTES + 1);
  return full;
}

/** The inverse of {@link dataKey}, for a key of a replica's data. */
export function keyOfData(full: Buffer): Buffer {
  return full.subarray(PREFIX_BYTES + 1);
}

/** The data of a replica. */
export function dataKeys(prefix: ReplicaPrefix): KeyRange {
  return kindKeys(prefix, DATA);
}

/** Everything of one kind that belongs to a replica. */
export function kindKeys(prefix: ReplicaPrefix, kind: number): KeyRange {
  const from = Buffer.concat([prefixBytes(prefix), Buffer.of(kind)]);
  return { from, to: Buffer.concat([prefixBytes(prefix), Buffer.of(kind + 1)]) };
}

/** Everything that belongs to the replicas from `first` up to, and without, `end`. */
export function prefixKeys(first: ReplicaPrefix, end: ReplicaPrefix): KeyRange {
  const to = end > PREFIX_MAX ? ALL_KEYS.to : prefixBytes(end);
  return { from: prefixBytes(first), to };
}

/** Highest prefix there can be. */
export const PREFIX_MAX = 0xffff_ffff;

export function markKey(name: MarkName, prefix: ReplicaPrefix): Buffer {
  return Buffer.concat([MARKS[name], prefixBytes(prefix)]);
}

/** Whose area a key lies in. */
export function prefixOfKey(key: Buffer): ReplicaPrefix {
  const padded = Buffer.alloc(PREFIX_BYTES);
  key.copy(padded);
  return padded.readUInt32BE(0);
}

/** All marks of a name. */
export function markKeys(name: MarkName): KeyRange {
  const from = MARKS[name];
  return { from, to: Buffer.concat([from, Buffer.alloc(PREFIX_BYTES + 1, 0xff)]) };
}

/** The inverse of {@link markKey}; undefined for any other key. */
export function prefixOfMark(name: MarkName, key: Buffer): ReplicaPrefix | undefined {
  const at = MARKS[name].length;
  if (key.length !== at + PREFIX_BYTES || !key.subarray(0, at).equals(MARKS[name])) {
    return undefined;
  }
  return key.readUInt32BE(at);
}

export function prefixBytes(prefix: ReplicaPrefix): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES);
  bytes.writeUInt32BE(prefix, 0);
  return bytes;
}
