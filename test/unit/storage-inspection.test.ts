/** What a node answers an operator: its inventory, and scrubs that wait for a position. */
import { describe, expect, it } from 'vitest';
import type { Epoch, Seq, ShardId } from '../../src/model/ids.js';
import { shardOfSlot, slotOf } from '../../src/model/slot.js';
import { dataKey } from '../../src/storage/keys.js';
import { clusterOf, nodeOf, placeOf, uuidOf } from '../support/configs.js';
import { NodeUnderTest, settle, SHARDS } from '../support/storage-harness.js';
import { write } from '../support/stored-body.js';

const KEY = Buffer.from('a');
const SHARD = shardOfSlot(slotOf(KEY), SHARDS);

function heldBy({ node }: NodeUnderTest) {
  return node.inspection.inventory().replicas.find(({ shard }) => shard === SHARD)!;
}

describe('an inventory', () => {
  it('names the directory, every replica and every configuration that was heard', async () => {
    const test = await NodeUnderTest.serving();
    await test.put('a', '1');
    const inventory = test.node.inspection.inventory();
    const { identity } = test.store;
    expect(inventory).toMatchObject({
      ...{ node: 's1', store: identity.store, clusterUuid: uuidOf('cluster') },
      cluster: { shards: SHARDS },
      leaderEpoch: 1,
    });
    expect(inventory.configs).toHaveLength(SHARDS);
    expect(inventory.replicas).toHaveLength(SHARDS);
    expect(heldBy(test)).toMatchObject({ epoch: 1, lastSeq: 2, lastEpoch: 1, problem: undefined });
  });

  it('S19 names this life when the directory has it on record, not before', async () => {
    const first = await NodeUnderTest.start();
    const before = nodeOf('s1', 1).process;
    expect(first.node.inspection.inventory().lives).toEqual([before]);
    const { process } = nodeOf('s1', 2);
    const { node, disk } = await NodeUnderTest.open(first.disk.afterCrash(), 2);
    expect(node.inspection.inventory()).toMatchObject({ process, lives: [before] });
    disk.hold();
    const joined = node.join(clusterOf({ shards: SHARDS }));
    await settle();
    expect(node.inspection.inventory().lives, 'it is being written').toEqual([before]);
    disk.release();
    await joined;
    expect(node.inspection.inventory().lives).toEqual([before, process]);
  });

  it('S20 says which replica is damaged', async () => {
    const test = await NodeUnderTest.serving();
    await test.put('a', '1');
    await test.tick();
    await write(test.disk, (batch) => batch.put(dataKey(SHARD + 1, KEY), Buffer.from('rot')));
    const { shardUuid } = heldBy(test);
    const scrubbed = test.node.inspection.scrub({ shard: SHARD, shardUuid, at: undefined });
    expect(await scrubbed).toMatchObject({
      digest: undefined,
      problem: 'a stored record is corrupt: too short',
    });
    await settle();
    expect(heldBy(test).problem).toBe('a stored record is corrupt: too short');
  });
});

describe('a scrub that finds damage', () => {
  it('S20 does not blame what has taken the place of the data it read', async () => {
    const test = await NodeUnderTest.serving();
    await test.put('a', '1');
    await test.tick();
    await write(test.disk, (batch) => batch.put(dataKey(SHARD + 1, KEY), Buffer.from('rot')));
    const { shardUuid } = heldBy(test);
    const other = nodeOf('s2');
    const learner = {
      ...{ epoch: 2 as Epoch, primary: other.id, isr: [other.id], learners: [test.self.id] },
      replicas: [placeOf(other), placeOf(test.self)],
    };
    const leader = test.lead(2);
    test.disk.hold();
    const scrubbed = test.node.inspection.scrub({ shard: SHARD, shardUuid, at: undefined });
    // Another finds it first.
    expect(await test.get('a')).toEqual({ code: 'CORRUPT_RECORD' });
    await test.tell(leader, [test.configs(learner)[SHARD]!], 3);
    test.disk.release();
    expect(await scrubbed).toMatchObject({ problem: 'a stored record is corrupt: too short' });
    await settle();
    expect(test.replicaStore.damaged()).toHaveLength(1);
    expect(heldBy(test)).toMatchObject({ lastSeq: 0, problem: undefined });
    expect(test.failures).toEqual([]);
  });
});

describe('a scrub', () => {
  const scrub = (test: NodeUnderTest, at?: number, shardUuid = heldBy(test).shardUuid) =>
    test.node.inspection.scrub({ shard: SHARD, shardUuid, at: at as Seq | undefined });

  it('S9 gives equal replicas equal digests, and others another', async () => {
    const [one, same, other] = [
      await NodeUnderTest.serving(),
      await NodeUnderTest.serving(),
      await NodeUnderTest.serving(),
    ];
    for (const test of [one, same]) await test.put('a', '1');
    await other.put('a', '2');
    for (const test of [one, same, other]) await test.tick();
    const found = await scrub(one);
    expect(found).toMatchObject({ position: 2, isExact: true, pairs: 1 });
    expect(await scrub(same)).toEqual(found);
    expect((await scrub(other)).digest).not.toBe(found.digest);
  });

  it('waits until its data is as of the position asked for, and reads nothing beyond', async () => {
    const test = await NodeUnderTest.serving();
    await test.put('a', '1');
    await test.tick();
    const scrubbed = scrub(test, 3);
    await settle();
    await test.put('a', '2');
    await test.tick();
    await test.tick(); // It looks again.
    expect(await scrubbed).toMatchObject({ position: 3, pairs: 1, problem: undefined });
    expect((await scrubbed).digest).toMatch(/^[0-9a-f]{64}$/);
    expect(await scrub(test, 2)).toMatchObject({ position: 3, digest: undefined });
  });

  it('is refused for a replica that is not here', async () => {
    const test = await NodeUnderTest.serving();
    const stranger = uuidOf('another shard');
    await expect(scrub(test, undefined, stranger)).rejects.toMatchObject({ code: 'NODE_BEHIND' });
    const nowhere = { shard: 99 as ShardId, shardUuid: stranger, at: undefined };
    await expect(test.node.inspection.scrub(nowhere)).rejects.toMatchObject({
      code: 'NODE_BEHIND',
    });
  });
});
