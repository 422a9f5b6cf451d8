/**
 * What is on the disks when all is over: every data directory opens and verifies, but for what has
 * rotted and was set aside, and the replicas of a shard hold the same data up to the same position
 * with the same chain (S8, S9).
 */
import type { ShardConfig } from '../../../src/model/shard-config.js';
import type { ReplicaPrefix } from '../../../src/storage/keys.js';
import { ReplicaStore } from '../../../src/storage/replica-store.js';
import { Prng } from '../prng.js';
import { type DiskHost, SimDisk } from '../sim-disk.js';
import { must } from './promise.js';

/** Everything takes no time, and no simulation has to run. */
const AT_ONCE: DiskHost = { after: (_, task) => queueMicrotask(task), latencyMs: () => 0 };

export interface DiskCheck {
  readonly configs: readonly (ShardConfig | undefined)[];
  readonly diskOf: (node: string) => SimDisk | undefined;
  readonly hasRotted: (node: string, prefix: ReplicaPrefix) => boolean;
}

/** @throws BrokenPromiseError */
export async function checkDisks({ configs, diskOf, hasRotted }: DiskCheck): Promise<void> {
  const stores = new Map<string, ReplicaStore>();
  for (const config of configs) {
    if (config === undefined) continue;
    const found = new Map<string, string>();
    for (const node of config.isr) {
      const disk = diskOf(node);
      if (disk === undefined) continue;
      const store = stores.get(node) ?? (await openCopy(disk));
      stores.set(node, store);
      const damaged = store.damaged().flatMap(({ prefix, problem }) => {
        return hasRotted(node, prefix) ? [] : problem;
      });
      must(damaged.length === 0, 'S20', `the disk of ${node} does not verify: ${damaged.join()}`);
      found.set(node, await contentOf(store, config));
    }
    const contents = [...found].map(([node, content]) => `${node}: ${content}`).join('; ');
    must(new Set(found.values()).size <= 1, 'S9', `shard ${config.shard} differs: ${contents}`);
  }
}

async function openCopy(disk: SimDisk): Promise<ReplicaStore> {
  const copy = new SimDisk(Prng.of(0));
  copy.restore(disk.image());
  return ReplicaStore.open(copy.open(AT_ONCE));
}

async function contentOf(store: ReplicaStore, { shardUuid }: ShardConfig): Promise<string> {
  const recovered = store.recovered(shardUuid);
  const snapshot = store.snapshot(shardUuid);
  if (recovered === undefined || snapshot === undefined) return 'nothing';
  const last = recovered.entries.at(-1) ?? recovered.state.base;
  const { sha256, pairs } = await snapshot.digest();
  await snapshot.close();
  return `log to ${last.seq} ${last.chain}, ${pairs} keys ${sha256}`;
}
