/**
 * A storage node on a real data directory that serves every shard by itself: no ZooKeeper, no
 * sockets. As a program it writes without pause and says on stdout what was acknowledged, one line
 * each, until it is killed or its disk fails.
 */
import type { Epoch, LeaderEpoch, MemberId, ShardId } from '../../src/model/ids.js';
import type { Registration } from '../../src/model/registrations.js';
import { slotRangeOf } from '../../src/model/slot.js';
import { LevelDisk } from '../../src/leveldb/level-disk.js';
import type { LeaderMessage } from '../../src/model/member-messages.js';
import { StorageNode } from '../../src/storage/node.js';
import { ReplicaStore } from '../../src/storage/replica-store.js';
import { Store } from '../../src/storage/store.js';
import { systemClock } from '../../src/system/clock.js';
import { systemRandom } from '../../src/system/random.js';
import { clusterOf, configOf, nodeOf, uuidOf } from './configs.js';
import { FakeDialer } from './fake-dialer.js';
import { answerOf, getRequest, putRequest } from './storage-harness.js';

/** As many as `configOf` lays out. */
export const WRITER_SHARDS = 6;
const quiet = () => undefined;
const SILENT = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export interface WriterNode {
  readonly disk: LevelDisk;
  readonly store: Store;
  readonly node: StorageNode;
  /** Ends the node in the middle of whatever it does, and closes the directory. */
  readonly close: () => Promise<void>;
  readonly put: (key: string, value: string | Buffer) => Promise<number>;
  readonly get: (key: string) => Promise<{ value?: string | undefined; version?: number }>;
}

/** Opens the directory; its generation is the life and the epoch of this process. */
export async function openWriterNode(
  directory: string,
  failed: (error: unknown) => void = (error) => {
    throw error;
  },
): Promise<WriterNode> {
  const disk = await LevelDisk.open(directory);
  const owner = { node: 's1' as MemberId, cluster: 'default', bootId: 'boot' };
  const store = await Store.open(disk, owner, systemRandom);
  const self = { ...nodeOf('s1', store.generation), store: store.identity.store };
  const node = new StorageNode({
    disk,
    store,
    replicaStore: await ReplicaStore.open(disk),
    random: systemRandom,
    dialer: new FakeDialer(),
    failed,
    clock: systemClock,
    log: SILENT,
    process: self.process,
    isDiskFull: () => false,
  });
  await node.join(clusterOf({ shards: WRITER_SHARDS }));
  await lead(node, self);
  const context = { budgetMs: 60_000, onCancel: quiet };
  return {
    disk,
    store,
    node,
    close: async () => {
      node.stop();
      await disk.close();
    },
    put: async (key, value) => {
      const answer = answerOf('put', await node.kv.call('put', putRequest(key, value), context));
      return answer.version ?? 0;
    },
    get: async (key) => answerOf('get', await node.kv.call('get', getRequest(key), context)),
  };
}

/** Creates the shards, or gives them the epoch of this life, and waits until they are served. */
async function lead(node: StorageNode, self: Registration): Promise<void> {
  const life = Number(self.incarnation);
  let reported: () => void = quiet;
  const created = new Promise<void>((resolve) => {
    reported = resolve;
  });
  const said = new Set<ShardId>();
  const events = node.follow(
    {
      write: (message) => {
        if (message.type === 'replicas') for (const { shard } of message.replicas) said.add(shard);
        if (said.size === WRITER_SHARDS) reported();
        return true;
      },
      end: quiet,
    },
    'leader',
  );
  const say = (message: LeaderMessage) => events.message(message);
  const tell = (state: 'creating' | 'active', version: number) => {
    const shards = Array.from({ length: WRITER_SHARDS }, (_, id) => {
      const slots = slotRangeOf(id as ShardId, WRITER_SHARDS);
      return { config: configOf(id, self, { state, slots, epoch: life as Epoch }), version };
    });
    say({ type: 'map', shards, nodes: [self] });
  };
  const leaderEpoch = life as LeaderEpoch;
  say({ type: 'hello', clusterUuid: uuidOf('cluster'), leader: 'r1' as MemberId, leaderEpoch });
  tell(life === 1 ? 'creating' : 'active', 2 * life);
  await created;
  tell('active', 2 * life + 1);
  while (node.served !== WRITER_SHARDS) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Writes for ever, so many at a time, each to keys of its own; until the disk fails. */
async function writeForEver(directory: string, writers: number): Promise<void> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  let failure: unknown;
  const { store, put } = await openWriterNode(directory, (error) => {
    failure = error;
    say(`failed ${String(error)}`);
  });
  say(`opened ${store.generation} ${store.lastStop}`);
  const write = async (writer: number) => {
    for (let count = 0; ; count++) {
      const key = `key-${writer}-${count % 50}`;
      const value = `${store.generation}:${count}:${'x'.repeat((count * 97) % 3_000)}`;
      const version = await put(key, value);
      say(`wrote ${key} ${version} ${value}`);
    }
  };
  await Promise.allSettled(Array.from({ length: writers }, (_, writer) => write(writer)));
  if (failure === undefined) throw new Error('the writers ended, and the disk is well');
  process.exit();
}

if (process.argv[2] === '--write-for-ever') await writeForEver(process.argv[3]!, 32);
