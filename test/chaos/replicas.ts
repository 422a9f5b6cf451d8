/**
 * What the replicas on disk hold, when nobody writes to them any more: all replicas of a shard the
 * same. No client could see a difference that lies in replicas that are not primary, until they are.
 */
import { createHash } from 'node:crypto';
import { LevelDisk } from '../../src/leveldb/level-disk.js';
import { opsOf } from '../../src/replication/entry.js';
import { ReplicaStore } from '../../src/storage/replica-store.js';

/** Per shard: a digest of its keys and records after the whole log was applied, and how many. */
export type Contents = ReadonlyMap<number, { readonly keys: number; readonly sha256: string }>;

/** Of the data directory of a storage node that does not run. */
export async function contentsOf(directory: string): Promise<Contents> {
  const disk = await LevelDisk.open(directory);
  const contents = new Map<number, { keys: number; sha256: string }>();
  try {
    const store = await ReplicaStore.open(disk);
    for (const { shard, shardUuid } of store.states()) {
      const records = await recordsOf(store, shardUuid);
      const sha256 = createHash('sha256');
      for (const key of [...records.keys()].sort()) {
        sha256.update(`${key} ${records.get(key)!.toString('hex')}\n`);
      }
      contents.set(shard, { keys: records.size, sha256: sha256.digest('hex') });
    }
  } finally {
    await disk.close();
  }
  return contents;
}

/** What differs, in words; empty if every shard is the same on every node. */
export function differences(contents: ReadonlyMap<string, Contents>): readonly string[] {
  const shards = new Set([...contents.values()].flatMap((of) => [...of.keys()]));
  return [...shards].flatMap((shard) => {
    const replicas = [...contents].map(([node, of]) => ({ node, replica: of.get(shard) }));
    if (new Set(replicas.map(({ replica }) => replica?.sha256)).size === 1) return [];
    const each = replicas.map(({ node, replica }) => {
      return `${node} ${replica?.keys ?? 'no'} keys ${replica?.sha256.slice(0, 8) ?? ''}`;
    });
    return [`shard ${shard}: ${each.join(', ')}`];
  });
}

/** By key in hex, so that the order is that of the bytes. */
async function recordsOf(
  store: ReplicaStore,
  shardUuid: Parameters<ReplicaStore['recovered']>[0],
): Promise<ReadonlyMap<string, Buffer>> {
  const records = new Map<string, Buffer>();
  const snapshot = store.snapshot(shardUuid)!;
  for await (const chunk of snapshot.chunks()) {
    for (const [key, record] of chunk) records.set(key.toString('hex'), record);
  }
  await snapshot.close();
  const { state, entries } = store.recovered(shardUuid)!;
  // Which is what a start does with them; those below are in the data already.
  for (const entry of entries.filter(({ seq }) => seq > state.appliedSeq)) {
    for (const op of opsOf(entry)) {
      if (op.type === 'put') records.set(op.key.toString('hex'), op.record);
      else if (op.type === 'delete') records.delete(op.key.toString('hex'));
    }
  }
  return records;
}
