/** What a node does with a damaged replica: kept, told to the leader, and learnt anew elsewhere. */
import { describe, expect, it } from 'vitest';
import { shardOfSlot, slotOf } from '../../src/model/slot.js';
import type { Epoch, MemberId, Seq } from '../../src/model/ids.js';
import { type Chain, LOG_START } from '../../src/replication/entry.js';
import type { ReplicaMessage } from '../../src/replication/messages.js';
import type { ReplicaInput, ShardReplica } from '../../src/replication/shard-replica.js';
import { dataKey, markKey, prefixKeys } from '../../src/storage/keys.js';
import { decodeQuarantine, KEPT_PER_SHARD } from '../../src/storage/quarantine.js';
import { ReplicaStore } from '../../src/storage/replica-store.js';
import { nodeOf, placeOf } from '../support/configs.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { NodeUnderTest, settle, SHARDS } from '../support/storage-harness.js';
import { idOf, put, storeOf, StoredBody, write } from '../support/stored-body.js';

const { shard, shardUuid } = idOf(0);
const KEY = Buffer.from('a');
const OTHER = 's2' as MemberId;
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

/** What s2 says to this node's replica of a shard. */
class PrimaryOf {
  readonly #test: NodeUnderTest;
  readonly #replica: ShardReplica;

  constructor(test: NodeUnderTest, shard: number) {
    this.#test = test;
    this.#replica = [...test.node.replicas()].find(({ body }) => body.shard === shard)!;
  }

  attaches(epoch: number): Promise<void> {
    const after = { ...LOG_START, seq: 9 as Seq };
    return this.says({ type: 'attach', epoch: epoch as Epoch, number: 1, after });
  }

  says(message: ReplicaMessage): Promise<void> {
    return this.#step({ type: 'message', from: OTHER, message });
  }

  /** All data of the first install has come. */
  async sentAll(): Promise<void> {
    const { shardUuid, promisedEpoch: epoch } = this.#replica.body;
    await write(this.#test.disk, (batch) => this.#test.replicaStore.beginInstall(batch, shardUuid));
    const base = { seq: 9 as Seq, epoch, chain: 'c4'.repeat(16) as Chain };
    await this.#step({ type: 'installed', from: OTHER, number: 1, base });
    expect(this.#replica.body).toMatchObject({ isInstalling: false, durableSeq: 9 });
  }

  #step(input: ReplicaInput): Promise<void> {
    this.#replica.step(input, this.#test.clock.now());
    return this.#test.tick();
  }
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

  it('S19 is kept whatever becomes of other shards, as nothing here has what it has', async () => {
    const disk = new MemoryDisk();
    const store = await ReplicaStore.open(disk);
    for (let shard = 0; shard < 20; shard++) {
      const replica = new StoredBody(disk, store, shard);
      await replica.round();
      await replica.putAll(put('a', '1'));
      await setAside(disk, replica, 'its primary lacks what it has');
    }
    const again = await ReplicaStore.open(disk.afterCrash());
    for (const damaged of [store.damaged(), again.damaged()]) {
      expect(damaged.map((one) => one.shard)).toEqual(Array.from({ length: 20 }, (_, id) => id));
    }
    expect([store.nextGarbage(), again.nextGarbage()]).toEqual([undefined, undefined]);
  });

  it('S19 is the one that is kept, not the learners after it, until one has been in sync', async () => {
    const disk = new MemoryDisk();
    const { store, replica } = await storeOf(disk, put('a', 'the only copy'));
    for (let n = 1; n <= 5; n++) await setAside(disk, replica, `problem ${n}`);
    const prefixes = () => store.damaged().map(({ prefix }) => prefix);
    expect(prefixes()).toEqual([1]);
    expect(store.nextGarbage()).toBe(2);
    const again = await ReplicaStore.open(disk.afterCrash());
    expect(again.damaged()).toMatchObject([{ prefix: 1, problem: 'problem 1' }]);
    expect(again.nextGarbage()).toBe(2);

    await write(disk, (batch) => store.succeeded(batch, 1));
    await setAside(disk, replica, 'after it was in sync');
    expect(prefixes()).toEqual([1, 6]);
    const last = await ReplicaStore.open(disk.afterCrash());
    expect(last.damaged().map(({ hasSuccessor }) => hasSuccessor)).toEqual([true, false]);
  });

  it('S19 cannot be released before another one has been in sync', async () => {
    const disk = new MemoryDisk();
    const { store, replica } = await storeOf(disk, put('a', '1'));
    await setAside(disk, replica, 'a checksum');
    expect(() => store.release(disk.batch(), 1)).toThrow('S19');
    await write(disk, (batch) => {
      store.succeeded(batch, 1);
      store.release(batch, 1);
    });
    expect(store.damaged()).toEqual([]);
    expect(store.nextGarbage()).toBe(1);
  });

  it('S19 S20 stays after the next opening if its record has rotted, and so does the next', async () => {
    const disk = new MemoryDisk();
    const { store, replica } = await storeOf(disk, put('a', '1'));
    await setAside(disk, replica, 'a checksum');
    const rot = Buffer.from('rot');
    await write(disk, (batch) => batch.put(markKey('damaged', 1), rot));
    await write(disk, (batch) => store.succeeded(batch, 1));
    await setAside(disk, replica, 'after it was in sync');
    expect(store.damaged().map(({ prefix }) => prefix)).toEqual([1, 2]);
    const again = await ReplicaStore.open(disk.afterCrash());
    expect(again.damaged().map(({ at }) => at === undefined)).toEqual([true, false]);
    expect(() => again.release(disk.batch(), 1)).toThrow('S19');
  });
});

describe('a node with a damaged record', () => {
  it('S19 removes what was set aside when the disk is full, if its shard is in sync here', async () => {
    const { test, leader, prefix } = await damaged();
    const { learner, inSync } = configsOf(test, 2);
    await test.tell(leader, [learner], 3);
    test.isDiskFull = true;
    test.node.makeRoom();
    await settle();
    expect(test.node.setAside()).toEqual({ kept: 1, withoutSuccessor: 1 });
    const stays = 'the disk is full: replicas that were set aside stay';
    expect(test.log.has(stays)).toBe(true);
    expect(await test.put('b', 'x')).toEqual({ code: 'DISK_FULL' });
    await test.tell(leader, [inSync], 4);
    await settle(60);
    expect(test.replicaStore.damaged()).toEqual([]);
    expect(test.log.has('a replica that was set aside is removed')).toBe(true);
    expect(await contentsUnder(test.disk, prefix)).toEqual([]);
    expect(test.failures).toEqual([]);
  });

  it('S19 keeps some of a shard that is in sync here, until the disk is full', async () => {
    const { test, leader, prefix } = await damaged();
    const { learner, inSync } = configsOf(test, 2);
    await test.tell(leader, [learner], 3);
    await test.tell(leader, [inSync], 4);
    expect(test.node.setAside()).toEqual({ kept: 1, withoutSuccessor: 0 });
    for (let epoch = 3; epoch <= 2 + KEPT_PER_SHARD; epoch++) {
      const { learner: again, inSync: after } = configsOf(test, epoch);
      await damage(test);
      await test.tell(leader, [again], 1);
      const all = { kept: epoch - 1, withoutSuccessor: 1 };
      expect(test.node.setAside()).toEqual(all);
      await test.tell(leader, [after], 2);
      await settle(60);
    }
    expect(test.node.setAside()).toEqual({ kept: KEPT_PER_SHARD, withoutSuccessor: 0 });
    expect(await contentsUnder(test.disk, prefix)).toEqual([]);
    test.node.makeRoom();
    await settle(60);
    expect(test.node.setAside()).toEqual({ kept: 0, withoutSuccessor: 0 });
    expect(test.log.has('the disk is full: replicas that were set aside stay')).toBe(false);
    expect(test.failures).toEqual([]);
  });

  /** A scrub, say, finds the replica damaged, while it is in sync. */
  async function damage(test: NodeUnderTest): Promise<void> {
    const replica = [...test.node.replicas()].find(({ body }) => body.shard === damagedShard)!;
    replica.step({ type: 'damaged', problem: ROT }, test.clock.now());
    await settle();
  }

  /** Another node leads the shard; this one learns it, and then is in sync. */
  function configsOf(test: NodeUnderTest, epoch: number) {
    const other = nodeOf('s2');
    const learner = test.configs({
      ...{ epoch: epoch as Epoch, primary: other.id, isr: [other.id] },
      ...{ learners: [test.self.id], replicas: [placeOf(other), placeOf(test.self)] },
    })[damagedShard]!;
    return { learner, inSync: { ...learner, isr: [other.id, test.self.id], learners: [] } };
  }

  it('S19 removes none while the data of that one is replaced, before it hears that it learns', async () => {
    const { test, leader, prefix } = await damaged();
    const { learner, inSync } = configsOf(test, 2);
    await test.tell(leader, [learner], 3);
    await test.tell(leader, [inSync], 4);
    const primary = new PrimaryOf(test, damagedShard);
    await primary.attaches(2);
    await primary.says({ type: 'install', epoch: 2 as Epoch, number: 1 });
    test.isDiskFull = true;
    test.node.makeRoom();
    await settle(60);
    expect(test.node.setAside()).toEqual({ kept: 1, withoutSuccessor: 0 });
    expect(await contentsUnder(test.disk, prefix)).not.toEqual([]);

    await primary.sentAll();
    await test.tell(leader, [learner], 5);
    await test.tell(leader, [inSync], 6);
    await settle(60);
    expect(test.node.setAside()).toEqual({ kept: 0, withoutSuccessor: 0 });
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

it('S19 a configuration that comes late tells of no successor of what was set aside since', async () => {
  const test = await NodeUnderTest.serving();
  await test.put('a', '1');
  const place = shardOfSlot(slotOf(KEY), SHARDS);
  const leader = test.lead(2);
  const other = nodeOf('s2');
  const replicas = [placeOf(other), placeOf(test.self)];
  const isr = [other.id, test.self.id];
  const all = test.configs({ epoch: 2 as Epoch, primary: other.id, isr, replicas });
  const inSync = all[place]!;
  await test.tell(leader, [inSync], 4);
  // It is a learner by now, and hears that from the primary first, which has something else.
  const primary = new PrimaryOf(test, place);
  await primary.attaches(2);
  await primary.says({ type: 'diverged', epoch: 2 as Epoch });
  await primary.says({ type: 'install', epoch: 2 as Epoch, number: 1 });
  test.isDiskFull = true;
  const onlyCopy = { kept: 1, withoutSuccessor: 1 };
  await test.tell(leader, [{ ...inSync, nonce: 'late' }], 3);
  await settle(60);
  expect(test.node.setAside(), 'while its data is replaced').toEqual(onlyCopy);
  await primary.sentAll();
  await test.tell(leader, [{ ...inSync, nonce: 'late' }], 3);
  await settle(60);
  expect(test.node.setAside(), 'before it is in sync').toEqual(onlyCopy);

  await test.tell(leader, [{ ...inSync, isr: [other.id], learners: [test.self.id] }], 5);
  expect(test.node.setAside()).toEqual(onlyCopy);
  await test.tell(leader, [inSync], 6);
  await settle(60);
  expect(test.node.setAside()).toEqual({ kept: 0, withoutSuccessor: 0 });
  expect(test.failures).toEqual([]);
});

it('S19 a configuration older than what is promised here tells of no successor', async () => {
  const test = await NodeUnderTest.serving();
  await test.put('a', '1');
  await test.tick();
  const place = shardOfSlot(slotOf(KEY), SHARDS);
  const prefix = place + 1;
  await write(test.disk, (batch) => batch.put(dataKey(prefix, KEY), Buffer.from('rot')));
  const leader = test.lead(2);
  await settle();
  await test.get('a');
  const other = nodeOf('s2');
  const base = { primary: other.id, replicas: [placeOf(other), placeOf(test.self)] };
  const learning = { epoch: 3 as Epoch, isr: [other.id], learners: [test.self.id] };
  await test.tell(leader, [test.configs({ ...base, ...learning })[place]!], 5);
  expect(test.node.setAside()).toEqual({ kept: 1, withoutSuccessor: 1 });
  const after = { seq: 9, epoch: 2, chain: 'aa'.repeat(16) };
  const attach = { type: 'attach', epoch: 3, number: 1, after } as never;
  const learner = [...test.node.replicas()].find(({ body }) => body.shard === place)!;
  learner.step({ type: 'message', from: other.id, message: attach }, test.clock.now());
  await test.tick();

  // ZooKeeper is set back to when this node was in sync, and the node starts again.
  const again = await NodeUnderTest.start(test.disk.afterCrash(), 2);
  const isr = [other.id, again.self.id];
  await again.tell(again.lead(3), [again.configs({ ...base, epoch: 2 as Epoch, isr })[place]!], 3);
  again.isDiskFull = true;
  again.node.makeRoom();
  await settle(60);
  expect(again.node.setAside()).toEqual({ kept: 1, withoutSuccessor: 1 });
  expect(await contentsUnder(again.disk, prefix)).not.toEqual([]);

  // Settled, and in sync as before: only the epoch is another.
  const epoch = 1_000_001 as Epoch;
  await again.tell(again.lead(4), [again.configs({ ...base, epoch, isr })[place]!], 4);
  await settle(60);
  expect(again.node.setAside()).toEqual({ kept: 0, withoutSuccessor: 0 });
});
