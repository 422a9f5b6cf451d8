/** Data directories of nodes that do not run: what their replicas hold, and damage to it. */
import { join } from 'node:path';
import { LevelDisk } from '../../src/leveldb/level-disk.js';
import type { Disk } from '../../src/ports/disk.js';
import { dataKeys, type KeyRange, type ReplicaPrefix } from '../../src/storage/keys.js';
import type { DamagedReplica } from '../../src/storage/replica-recovery.js';
import { findReplicas } from '../../src/storage/replica-recovery.js';
import { logKeys } from '../../src/storage/replica-layout.js';
import { ReplicaStore } from '../../src/storage/replica-store.js';

export interface StoredShards {
  /** SHA-256 of each replica's data, by shard. */
  readonly digests: ReadonlyMap<number, string>;
  readonly damaged: readonly DamagedReplica[];
}

async function withDisk<T>(directory: string, use: (disk: Disk) => Promise<T>): Promise<T> {
  const disk = await LevelDisk.open(directory);
  try {
    return await use(disk);
  } finally {
    await disk.close();
  }
}

export function readShards(folder: string, node: string): Promise<StoredShards> {
  return withDisk(join(folder, node), async (disk) => {
    const store = await ReplicaStore.open(disk);
    const digests = new Map<number, string>();
    for (const { shard, shardUuid } of store.states()) {
      digests.set(shard, (await store.digest(shardUuid))!.sha256);
    }
    return { digests, damaged: store.damaged() };
  });
}

export type Part = 'data' | 'log';

/** Flips a bit in the middle of one record of this part of each replica; the shards concerned. */
export function damageShards(
  folder: string,
  node: string,
  part: Part,
  shards?: readonly number[],
): Promise<readonly number[]> {
  return withDisk(join(folder, node), async (disk) => {
    const { replicas } = await findReplicas(disk);
    const concerned: number[] = [];
    for (const { prefix, state } of replicas) {
      if (shards?.includes(state.shard) === false) continue;
      const range = rangeOf(prefix, part);
      const found = await middleOf(disk, range);
      if (found === undefined) continue;
      const [key, value] = found;
      const flipped = Buffer.from(value);
      flipped[flipped.length - 1]! ^= 1;
      const batch = disk.batch();
      batch.put(key, flipped);
      await batch.writeDurably();
      concerned.push(state.shard);
    }
    return concerned;
  });
}

function rangeOf(prefix: ReplicaPrefix, part: Part): KeyRange {
  return part === 'data' ? dataKeys(prefix) : logKeys(prefix);
}

async function middleOf(disk: Disk, { from, to }: KeyRange) {
  const records: (readonly [Buffer, Buffer])[] = [];
  for await (const record of disk.scan(from, to)) records.push(record);
  return records[Math.floor(records.length / 2)];
}
