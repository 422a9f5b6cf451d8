/**
 * What a start finds of the replicas in a data directory: their states and logs, verified, and what
 * of it cannot be trusted.
 *
 * Upholds S19 and S20. A replica that does not verify is not used and not touched: its shard finds
 * nothing here, and it is learnt again under another prefix. Nothing is repaired in place. The data
 * is not read: each of its records is verified when it is.
 */
import type { ShardId, Uuid } from '../model/ids.js';
import type { Disk } from '../ports/disk.js';
import { CorruptRecordError } from '../replication/data-record.js';
import { type Entry, MalformedEntryError, parseEntry } from '../replication/entry.js';
import type { DurableState, Recovered } from '../replication/replica-body.js';
import {
  type MarkName,
  markKeys,
  PREFIX_MAX,
  prefixKeys,
  prefixOfKey,
  prefixOfMark,
  type ReplicaPrefix,
} from './keys.js';
import { decodeQuarantine } from './quarantine.js';
import { decodeState, logEndOf, logEndOfKey, logKeys } from './replica-layout.js';

export interface FoundReplica extends Recovered {
  readonly prefix: ReplicaPrefix;
}

/** Something that is kept, and not trusted. */
export interface DamagedReplica {
  readonly prefix: ReplicaPrefix;
  /** Whose it is, as far as that can be told. */
  readonly shard: ShardId | undefined;
  readonly shardUuid: Uuid | undefined;
  /** For the operator. */
  readonly problem: string;
  /** When it was set aside; undefined: nothing has taken its place. */
  readonly at: string | undefined;
  /** What took its place has been in sync since. */
  readonly hasSuccessor: boolean;
  /** Its state as found, if a state still names it. */
  readonly record: Buffer | undefined;
}

export interface Found {
  readonly replicas: readonly FoundReplica[];
  readonly damaged: readonly DamagedReplica[];
  /** To be emptied. Never one that a state names. */
  readonly garbage: readonly ReplicaPrefix[];
  /** Nothing lies under a higher prefix. */
  readonly prefixMax: ReplicaPrefix;
}

interface StateFound {
  readonly prefix: ReplicaPrefix;
  readonly record: Buffer;
  /** Or the reason why there is none. */
  readonly state: DurableState | string;
}

/** @throws StorageFailure */
export async function findReplicas(disk: Disk): Promise<Found> {
  const states: StateFound[] = [];
  const damaged: DamagedReplica[] = [];
  for await (const [prefix, record] of marks(disk, 'replica')) {
    states.push({ prefix, record, state: tryDecode(prefix, record) });
  }
  for await (const [prefix, record] of marks(disk, 'damaged')) {
    damaged.push({ prefix, ...tryDecodeQuarantine(record), record: undefined });
  }
  const named = new Set([...states, ...damaged].map(({ prefix }) => prefix));
  const garbage: ReplicaPrefix[] = [];
  for await (const [prefix] of marks(disk, 'garbage')) {
    if (!named.has(prefix)) garbage.push(prefix);
  }
  const replicas: FoundReplica[] = [];
  for (const found of states) {
    const problem = await verifyInto(replicas, disk, found, states);
    if (problem !== undefined) {
      damaged.push({ ...damageOf(found, problem), record: found.record });
    }
  }
  const known = [...named, ...garbage].sort((left, right) => left - right);
  const strays = await findStrays(disk, known);
  for (const prefix of strays) {
    const problem = 'nothing says whose it is';
    damaged.push({ prefix, ...OF_NOBODY, problem, record: undefined });
  }
  return { replicas, damaged, garbage, prefixMax: Math.max(0, ...known, ...strays) };
}

async function* marks(
  disk: Disk,
  name: MarkName,
): AsyncGenerator<readonly [prefix: ReplicaPrefix, record: Buffer]> {
  const { from, to } = markKeys(name);
  for await (const [key, record] of disk.scan(from, to)) {
    const prefix = prefixOfMark(name, key);
    if (prefix !== undefined) yield [prefix, record];
  }
}

function tryDecode(prefix: ReplicaPrefix, record: Buffer): DurableState | string {
  try {
    return decodeState(prefix, record);
  } catch (error) {
    return problemOf(error);
  }
}

/** Nothing has taken its place yet. */
export const NOT_REPLACED = { at: undefined, hasSuccessor: false } as const;

const OF_NOBODY = { shard: undefined, shardUuid: undefined, ...NOT_REPLACED } as const;

function tryDecodeQuarantine(record: Buffer): Omit<DamagedReplica, 'prefix' | 'record'> {
  try {
    const { shard, shardUuid, at, problem, hasSuccessor } = decodeQuarantine(record);
    return { shard, shardUuid, at, problem, hasSuccessor };
  } catch (error) {
    return { ...OF_NOBODY, problem: problemOf(error) };
  }
}

function damageOf({ prefix, state }: StateFound, problem: string): DamagedReplica {
  const whose = { prefix, ...OF_NOBODY, problem, record: undefined };
  if (typeof state === 'string') return whose;
  return { ...whose, shard: state.shard, shardUuid: state.shardUuid };
}

/** Adds the replica with its log, or says what is wrong with it. */
async function verifyInto(
  replicas: FoundReplica[],
  disk: Disk,
  { prefix, state }: StateFound,
  all: readonly StateFound[],
): Promise<string | undefined> {
  if (typeof state === 'string') return state;
  const isOfSameShard = (other: StateFound) =>
    typeof other.state !== 'string' && other.state.shardUuid === state.shardUuid;
  if (all.filter(isOfSameShard).length > 1) return 'its shard has two states';
  try {
    replicas.push({ prefix, state, entries: await readLog(disk, prefix, state) });
    return undefined;
  } catch (error) {
    return problemOf(error);
  }
}

/** Rethrows what is not about the bytes of a record. */
function problemOf(error: unknown): string {
  if (error instanceof CorruptRecordError || error instanceof MalformedEntryError) {
    return error.message;
  }
  throw error;
}

/** @throws CorruptRecordError, MalformedEntryError, StorageFailure */
async function readLog(disk: Disk, prefix: ReplicaPrefix, state: DurableState): Promise<Entry[]> {
  const { base, appliedSeq, promisedEpoch } = state;
  const entries: Entry[] = [];
  let last = base;
  let isAppliedAnEnd = appliedSeq === base.seq;
  const { from, to } = logKeys(prefix);
  for await (const [key, bytes] of disk.scan(from, to)) {
    const end = logEndOfKey(key);
    const entry = parseEntry(bytes);
    if (entry.seq !== end.seq || logEndOf(entry).check !== end.check) {
      throw new CorruptRecordError(`log record ${end.seq} is not the one of its key`);
    }
    if (entry.first !== last.seq + 1) {
      throw new CorruptRecordError(`log record ${end.seq} does not begin behind ${last.seq}`);
    }
    if (entry.previous !== last.chain || entry.epoch < last.epoch) {
      throw new CorruptRecordError(`log record ${end.seq} does not follow the one before it`);
    }
    entries.push(entry);
    last = entry;
    if (entry.seq === appliedSeq) isAppliedAnEnd = true;
  }
  if (last.epoch > promisedEpoch) {
    throw new CorruptRecordError(`epoch ${last.epoch} in its log, ${promisedEpoch} promised`);
  }
  if (!isAppliedAnEnd) {
    throw new CorruptRecordError(`its log ends at ${last.seq}, without applied ${appliedSeq}`);
  }
  return entries;
}

/** Prefixes under which something lies although nothing names them; `known` is in order. */
async function findStrays(disk: Disk, known: readonly ReplicaPrefix[]): Promise<ReplicaPrefix[]> {
  const strays: ReplicaPrefix[] = [];
  let next = 1;
  for (const end of [...known, PREFIX_MAX + 1]) {
    while (next < end) {
      const stray = await firstPrefix(disk, next, end);
      if (stray === undefined) break;
      strays.push(stray);
      next = stray + 1;
    }
    next = end + 1;
  }
  return strays;
}

async function firstPrefix(
  disk: Disk,
  first: ReplicaPrefix,
  end: ReplicaPrefix,
): Promise<ReplicaPrefix | undefined> {
  const { from, to } = prefixKeys(first, end);
  for await (const [key] of disk.scan(from, to)) return prefixOfKey(key);
  return undefined;
}
