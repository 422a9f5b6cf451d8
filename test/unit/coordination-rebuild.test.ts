/** What a recovery writes, and what it leaves as it is. */
import { describe, expect, it } from 'vitest';
import { ensureCluster } from '../../src/coordination/cluster-layout.js';
import {
  ClusterExistsError,
  readKnown,
  rebuildCluster,
  type RebuiltShard,
} from '../../src/coordination/rebuild.js';
import type { Epoch, LeaderEpoch, ShardId } from '../../src/model/ids.js';
import { decodeLeaderRecord } from '../../src/model/leader-record.js';
import { encodeCompletePlacement } from '../../src/model/placement-record.js';
import { encodeNodeRecord } from '../../src/model/registrations.js';
import { decodeShardConfig, encodeShardConfig } from '../../src/model/shard-config.js';
import { nodeZnode, shardZnode, ZNODES } from '../../src/model/znodes.js';
import { clusterOf, configOf, nodeOf, uuidOf } from '../support/configs.js';
import { ok } from '../support/coordinator-checks.js';
import { FakeTree } from '../support/fake-session.js';

const SHARDS = 100;
const cluster = clusterOf({ shards: SHARDS });
const known = (shard: number, epoch: number) => ({
  ...configOf(shard, nodeOf('s1')),
  epoch: epoch as Epoch,
});
const settled = (shard: number, used: number) => ({
  config: known(shard, 1_000_001),
  used: used as Epoch,
  hasServed: true,
});
const rebuiltOf = (...shards: readonly RebuiltShard[]) => ({
  ...{ cluster, leaderEpoch: 3 as LeaderEpoch, shards, nonce: 'n' },
});

async function withCluster() {
  const tree = new FakeTree();
  const session = tree.session();
  ok(await ensureCluster(session, cluster));
  const put = (shard: number, epoch: number) => {
    tree.put(shardZnode(shard as ShardId), encodeShardConfig(known(shard, epoch)));
  };
  const epochOf = (shard: number) => {
    const path = shardZnode(shard as ShardId);
    return decodeShardConfig(shard as ShardId, tree.get(path)!.data).epoch;
  };
  return { tree, session, put, epochOf };
}

describe('a cluster that ZooKeeper has', () => {
  it('S19 gets what is missing, unreadable or outdated, and keeps the rest', async () => {
    const { tree, session, put, epochOf } = await withCluster();
    for (let shard = 0; shard < SHARDS; shard++) put(shard, 4);
    tree.put(shardZnode(2 as ShardId), 'garbage');
    const others = Array.from({ length: SHARDS - 3 }, (_, n) => settled(n + 3, 5));
    const shards = [settled(0, 4), settled(1, 6), settled(2, 4), ...others];
    const { configs } = ok(await readKnown(session, cluster))!;
    expect([...configs.values()].slice(0, 3)).toEqual([known(0, 4), known(1, 4), undefined]);
    expect(ok(await rebuildCluster(session, rebuiltOf(...shards)))).toEqual({
      ...{ hasMadeCluster: false, shards: SHARDS - 1 },
    });
    expect(epochOf(0)).toBe(4);
    for (let shard = 1; shard < SHARDS; shard++) expect(epochOf(shard)).toBe(1_000_001);
  });

  it('S19 gets /shards back as that of a complete placement, and the rest of what it lacks', async () => {
    const { tree, session, epochOf } = await withCluster();
    const lost = [ZNODES.shards, ZNODES.nodes, ZNODES.leaderEpoch, ZNODES.leader];
    for (const path of lost) ok(await session.remove(path, 0));
    const seen: string[] = [];
    tree.watchers.add((path) => {
      if (path === ZNODES.shards) seen.push(tree.get(path)!.data.toString());
    });
    const shards = Array.from({ length: SHARDS }, (_, shard) => settled(shard, 6));
    ok(await rebuildCluster(session, rebuiltOf(...shards)));
    expect(seen).toEqual([encodeCompletePlacement('n').toString()]);
    for (let shard = 0; shard < SHARDS; shard++) expect(epochOf(shard)).toBe(1_000_001);
    for (const path of lost) expect(tree.get(path), path).toBeDefined();
    expect(decodeLeaderRecord(tree.get(ZNODES.leaderEpoch)!.data).leaderEpoch).toBe(3);
  });

  it('and nothing at all if a leader was faster', async () => {
    const { tree, session, put } = await withCluster();
    put(0, 7);
    const before = tree.get(shardZnode(0 as ShardId))!.stat.version;
    const done = ok(await rebuildCluster(session, rebuiltOf(settled(0, 6))));
    expect(done).toEqual({ hasMadeCluster: false, shards: 0 });
    expect(tree.get(shardZnode(0 as ShardId))!.stat.version).toBe(before);
  });

  it('S19 keeps a shard that was made since under the same number', async () => {
    const { tree, session } = await withCluster();
    const path = shardZnode(0 as ShardId);
    const anew = { ...known(0, 2), shardUuid: uuidOf('anew') };
    tree.put(path, encodeShardConfig(anew));
    ok(await rebuildCluster(session, rebuiltOf(settled(0, 6))));
    expect(decodeShardConfig(0 as ShardId, tree.get(path)!.data)).toEqual(anew);
    tree.put(path, encodeShardConfig({ ...anew, state: 'creating' }));
    ok(await rebuildCluster(session, rebuiltOf(settled(0, 6))));
    expect(decodeShardConfig(0 as ShardId, tree.get(path)!.data)).toEqual(known(0, 1_000_001));
  });

  it('tells who is registered; a registration that does not parse keeps nobody from recovering', async () => {
    const { tree, session } = await withCluster();
    const { id, process } = nodeOf('s1');
    tree.put(nodeZnode(id), encodeNodeRecord(nodeOf('s1')));
    tree.put(nodeZnode(nodeOf('s2').id), 'garbage');
    const { registered } = ok(await readKnown(session, cluster))!;
    expect([...registered.values()]).toMatchObject([{ id, process }]);
  });

  it('S19 overwrites what is as new only if the replicas of that configuration are abandoned', async () => {
    const { session, put, epochOf } = await withCluster();
    put(0, 6);
    const { nonce } = known(0, 6);
    ok(await rebuildCluster(session, rebuiltOf({ ...settled(0, 6), abandons: 'another' })));
    expect(epochOf(0)).toBe(6);
    ok(await rebuildCluster(session, rebuiltOf({ ...settled(0, 6), abandons: nonce })));
    expect(epochOf(0)).toBe(1_000_001);
  });

  it('S19 overwrites one that is being created only if a log has an entry of it', async () => {
    const { tree, session, epochOf } = await withCluster();
    const path = shardZnode(0 as ShardId);
    tree.put(path, encodeShardConfig({ ...known(0, 6), state: 'creating' }));
    ok(await rebuildCluster(session, rebuiltOf({ ...settled(0, 6), hasServed: false })));
    expect(epochOf(0)).toBe(6);
    ok(await rebuildCluster(session, rebuiltOf(settled(0, 6))));
    expect(epochOf(0)).toBe(1_000_001);
  });

  it('S19 is not touched if it is another one', async () => {
    const { tree, session } = await withCluster();
    const other = { ...cluster, clusterUuid: uuidOf('other') };
    const rebuilt = { ...rebuiltOf(settled(0, 6)), cluster: other };
    await expect(rebuildCluster(session, rebuilt)).rejects.toThrow(ClusterExistsError);
    await expect(readKnown(session, other)).rejects.toThrow(ClusterExistsError);
    expect(tree.get(shardZnode(0 as ShardId))).toBeUndefined();
  });
});

describe('a cluster that somebody else makes while it is recovered', () => {
  const all = Array.from({ length: SHARDS }, (_, shard) => settled(shard, 6));
  const rebuilt = rebuiltOf(...all);
  const paths = [
    ...[ZNODES.cluster, ZNODES.leaderEpoch, ZNODES.shards],
    ...all.map(({ config }) => shardZnode(config.shard)),
  ];
  const contentsOf = (tree: FakeTree) => paths.map((path) => tree.get(path));

  /** The calls of a recovery, and which of them begin a part of what it writes. */
  async function callsOf() {
    const session = new FakeTree().session();
    const done = ok(await rebuildCluster(session, rebuilt));
    expect(done).toEqual({ hasMadeCluster: true, shards: SHARDS });
    const { made } = session;
    const begins = made.flatMap((name, at) =>
      name === 'read' && ['create', 'multi'].includes(made[at - 1]!) ? [at] : [],
    );
    expect(begins, 'two parts, and the end').toHaveLength(3);
    return { made, begins };
  }

  /** A recovery that has come so far that it reads what it is to write next. */
  async function heldBefore(part: number) {
    const tree = new FakeTree();
    const session = tree.session();
    const at = (await callsOf()).begins[part]!;
    session.faults.set(at, 'hold');
    const recovery = rebuildCluster(session, rebuilt);
    while (session.calls <= at) await Promise.resolve();
    return { tree, session, recovery };
  }

  it.each([0, 1, 2])('S17 S19 is theirs from then on: part %i is not written', async (part) => {
    const { tree, session, recovery } = await heldBefore(part);
    const other = tree.session();
    ok(await rebuildCluster(other, { ...rebuilt, nonce: 'other' }));
    // A leader goes on from there.
    tree.put(shardZnode(99 as ShardId), encodeShardConfig(known(99, 1_000_002)));
    const theirs = contentsOf(tree);
    session.release();
    expect(await recovery).toMatchObject({
      ...{ status: 'failed', message: 'somebody else has recovered the cluster meanwhile' },
    });
    expect(contentsOf(tree)).toEqual(theirs);
    ok(await rebuildCluster(session, rebuilt));
    expect(contentsOf(tree)).toEqual(theirs);
  });

  it.each([0, 1, 2])(
    'S19 is another one if a router made it: part %i is not written',
    async (n) => {
      const { tree, session, recovery } = await heldBefore(n);
      ok(await ensureCluster(tree.session(), { ...cluster, clusterUuid: uuidOf('other') }));
      const theirs = contentsOf(tree);
      session.release();
      await expect(recovery).rejects.toThrow(ClusterExistsError);
      expect(contentsOf(tree)).toEqual(theirs);
    },
  );

  it.each(['lost-before', 'lost-after'] as const)(
    'is not taken for theirs because of an answer that is %s',
    async (fault) => {
      const { made } = await callsOf();
      for (const at of made.flatMap((name, call) => (name === 'multi' ? [call] : []))) {
        const session = new FakeTree().session();
        session.faults.set(at, fault);
        ok(await rebuildCluster(session, rebuilt));
        expect([...ok(await readKnown(session, cluster))!.configs.values()]).toEqual(
          all.map(({ config }) => config),
        );
      }
    },
  );
});

it('a ZooKeeper without a cluster gets all of it, `/cluster` last', async () => {
  const tree = new FakeTree();
  const session = tree.session();
  expect(ok(await readKnown(session, cluster))).toBeUndefined();
  const touched: string[] = [];
  tree.watchers.add((path) => touched.push(path));
  ok(await rebuildCluster(session, rebuiltOf(settled(0, 6), settled(1, 6))));
  expect(touched.at(-1)).toBe(ZNODES.cluster);
  expect([...ok(await readKnown(session, cluster))!.configs.values()].slice(0, 3)).toEqual([
    ...[known(0, 1_000_001), known(1, 1_000_001), undefined],
  ]);
});
