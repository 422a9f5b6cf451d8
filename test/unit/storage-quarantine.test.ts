/** What a node does with a damaged replica: kept, told to the leader, and learnt anew elsewhere. */
import { describe, expect, it } from 'vitest';
import { shardOfSlot, slotOf } from '../../src/model/slot.js';
import type { Epoch, MemberId } from '../../src/model/ids.js';
import { dataKey, markKey, prefixKeys } from '../../src/storage/keys.js';
import { decodeQuarantine, QUARANTINE_MAX } from '../../src/storage/quarantine.js';
import { ReplicaStore } from '../../src/storage/replica-store.js';
import { nodeOf, placeOf } from '../support/configs.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { NodeUnderTest, settle, SHARDS } from '../support/storage-harness.js';
import { idOf, put, storeOf, StoredBody, write } from '../support/stored-body.js';

const { shard, shardUuid } = idOf(0);
const KEY = Buffer.from('a');
const ROT = 'a stored record is corrupt: too short';

async function contentsUnder(disk: MemoryDisk, prefix: number): Promise<string[]> {
  const { from, to } = prefixKeys(prefix, prefix + 1);
  const found: string[] = [];
  for await (const [key, value] of disk.scan(from, to)) {
    found.push(`${key.toString('hex')}=${value.toString('hex')}`);
  }
  return found;
}

async function setAside(disk: MemoryDisk, replica: StoredBody, problem: string): Promise<void> {
  replica.body.setAside(problem);
  await replica.round();
  await replica.putAll(put('a', problem));
}

describe('a replica that is set aside', () => {
  it('S19 S20 keeps its data as it was, with a record of what, when and why', async () => {
    const disk = new MemoryDisk();
    const { store, replica } = await storeOf(disk, put('a', '1'), put('b', '2'));
    const before = await contentsUnder(disk, 1);
    expect(before.length).toBeGreaterThan(3);
    await setAside(disk, replica, 'a checksum');
    expect(await contentsUnder(disk, 1)).toEqual(before);
    expect(store.read(shardUuid, KEY)?.value.toString()).toBe('a checksum');
    expect(store.read(shardUuid, Buffer.from('b'))).toBeUndefined();

    const again = await ReplicaStore.open(disk.afterCrash());
    expect([...again.states()].map(({ promisedEpoch }) => promisedEpoch)).toEqual([1]);
    expect(again.damaged()).toMatchObject([{ prefix: 1, shard, problem: 'a checksum' }]);
    const record = decodeQuarantine(disk.get(markKey('damaged', 1))!);
    expect(record).toMatchObject({ shard, shardUuid, problem: 'a checksum' });
    expect(Date.parse(record.at)).toBeGreaterThan(0);
    expect(disk.get(markKey('replica', 1))).toBeUndefined();
  });

  it('makes room when many were set aside after it, and is garbage only then', async () => {
    const disk = new MemoryDisk();
    const { store, replica } = await storeOf(disk, put('a', '1'));
    for (let n = 1; n <= QUARANTINE_MAX; n++) await setAside(disk, replica, `problem ${n}`);
    expect(store.damaged()).toHaveLength(QUARANTINE_MAX);
    expect(store.nextGarbage()).toBeUndefined();
    await setAside(disk, replica, 'one more');
    expect(store.damaged()).toHaveLength(QUARANTINE_MAX);
    expect(store.nextGarbage()).toBe(1);
    const again = await ReplicaStore.open(disk.afterCrash());
    expect(again.damaged().map(({ prefix }) => prefix)).not.toContain(1);
    expect(again.nextGarbage()).toBe(1);
  });
});

describe('a node with a damaged record', () => {
  it('S19 removes what was set aside when the disk is full, if its shard is in sync here', async () => {
    const { test, leader, prefix } = await damaged();
    const learner = {
      ...{ epoch: 2 as Epoch, primary: nodeOf('s2').id, isr: [nodeOf('s2').id] },
      ...{ learners: [test.self.id], replicas: [placeOf(nodeOf('s2')), placeOf(test.self)] },
    };
    const config = test.configs(learner)[damagedShard]!;
    await test.tell(leader, [config], 3);
    test.node.makeRoom();
    await settle();
    expect(test.replicaStore.damaged()).toHaveLength(1);
    const isr = [...config.isr, test.self.id];
    await test.tell(leader, [{ ...config, isr, learners: [] }], 4);
    test.node.makeRoom();
    await settle(60);
    expect(test.replicaStore.damaged()).toEqual([]);
    expect(test.log.has('the disk is full: a replica that was set aside is removed')).toBe(true);
    expect(await contentsUnder(test.disk, prefix)).toEqual([]);
    expect(test.failures).toEqual([]);
  });

  const damagedShard = shardOfSlot(slotOf(KEY), SHARDS);

  async function damaged() {
    const test = await NodeUnderTest.serving();
    await test.put('a', '1');
    await test.tick();
    const prefix = damagedShard + 1;
    await write(test.disk, (batch) => batch.put(dataKey(prefix, KEY), Buffer.from('rot')));
    const leader = test.lead(2);
    await settle();
    expect(await test.get('a')).toEqual({ code: 'CORRUPT_RECORD' });
    await settle();
    return { test, leader, prefix };
  }

  const reportsOf = (leader: Awaited<ReturnType<typeof damaged>>['leader']) =>
    leader.heard.messages.flatMap((message) =>
      message.type === 'replicas' ? message.replicas.filter((r) => r.shard === damagedShard) : [],
    );

  it('S20 tells the leader, serves what is sound, and nothing that is not', async () => {
    const { test, leader } = await damaged();
    expect(reportsOf(leader).at(-1)).toMatchObject({ problem: ROT, epoch: 1 });
    expect(test.failures).toEqual([]);
    expect(await test.put('{a}other', 'x')).toMatchObject({ applied: true });
    expect(await test.get('a')).toEqual({ code: 'CORRUPT_RECORD' });
    expect(test.replicaStore.damaged()).toEqual([]);
  });

  it('S16 S20 sets it aside once it is a learner in a later epoch, and says that it is sound', async () => {
    const { test, leader, prefix } = await damaged();
    const before = await contentsUnder(test.disk, prefix);
    const other = nodeOf('s2');
    const learner = {
      ...{ epoch: 2 as Epoch, primary: other.id, isr: [other.id] },
      ...{ learners: [test.self.id], replicas: [placeOf(other), placeOf(test.self)] },
    };
    const config = test.configs(learner)[damagedShard]!;
    await test.tell(leader, [{ ...config, epoch: 1 as Epoch }], 2);
    expect(test.replicaStore.damaged()).toEqual([]);
    await test.tell(leader, [config], 3);
    const [kept] = test.replicaStore.damaged();
    expect(kept).toMatchObject({ prefix, shard: damagedShard, problem: ROT });
    expect(await contentsUnder(test.disk, prefix)).toEqual(before);
    expect(reportsOf(leader).at(-1)).toMatchObject({ epoch: 1, lastSeq: 0 });
    expect(reportsOf(leader).at(-1)?.problem).toBeUndefined();
    expect(test.log.has('a damaged replica was set aside')).toBe(true);
    expect((await test.get('a')).code).toBe('NOT_PRIMARY');
  });

  it('S20 a replica that is not there is said to be lost', async () => {
    const test = await NodeUnderTest.start();
    const leader = test.lead(1);
    const others = { isr: [test.self.id, 's2' as MemberId] };
    const config = test.configs({
      ...others,
      replicas: [placeOf(test.self), placeOf(nodeOf('s2'))],
    })[damagedShard]!;
    await test.tell(leader, [config]);
    const problem = 'its data directory does not hold it';
    expect(reportsOf(leader)).toMatchObject([{ problem, epoch: 0 }]);
  });
});
