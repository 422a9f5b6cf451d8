/** The replicas of a data directory: what a batch holds, what is read, what is sent. */
import { describe, expect, it } from 'vitest';
import type { Epoch } from '../../src/model/ids.js';
import { CorruptRecordError, encodeDataRecord } from '../../src/replication/data-record.js';
import { type Chain, opsOf } from '../../src/replication/entry.js';
import { dataKey, markKey } from '../../src/storage/keys.js';
import { logEndOf, logKey } from '../../src/storage/replica-layout.js';
import { ReplicaStore } from '../../src/storage/replica-store.js';
import { MemoryDisk } from '../support/memory-disk.js';
import {
  del,
  idOf,
  NO_PERSIST,
  pairsOf,
  put,
  seqOf,
  storeOf,
  StoredBody,
  write,
} from '../support/stored-body.js';

const { shardUuid } = idOf(0);
const key = (name: string) => Buffer.from(name);
const text = (bytes: Buffer) => bytes.toString('latin1');
const keysOf = (disk: MemoryDisk) => Array.from(disk.medium.contents(), ([name]) => name);

describe('persisting', () => {
  it('the log record has the bytes of the entry, the data slices of them', async () => {
    const disk = new MemoryDisk();
    const store = await ReplicaStore.open(disk);
    const replica = new StoredBody(disk, store);
    const entry = replica.append(put('a', '1'), put('b', '2'), del('c'), { type: 'barrier' });
    replica.commit();
    await replica.round();
    const contents = new Map(disk.medium.contents());
    expect(contents.get(text(logKey(1, logEndOf(entry))))).toEqual(entry.bytes);
    const records = [...opsOf(entry)].flatMap((op) => (op.type === 'put' ? [op.record] : []));
    expect(contents.get(text(dataKey(1, key('a'))))).toEqual(records[0]);
    expect(contents.get(text(dataKey(1, key('b'))))).toEqual(records[1]);
    expect(contents.size).toBe(4);
    expect(store.read(shardUuid, key('b'))).toEqual({ seq: 2, value: Buffer.from('2') });
    expect(store.read(shardUuid, key('c'))).toBeUndefined();
  });

  it('a later write and a delete take the place of an earlier one, also within a batch', async () => {
    const disk = new MemoryDisk();
    const { store, replica } = await storeOf(disk, put('a', '1'), put('b', '2'), del('a'));
    expect(store.read(shardUuid, key('a'))).toBeUndefined();
    replica.append(put('b', '3'), del('b'), put('b', '4'));
    replica.append(put('a', '5'), del('a'));
    replica.commit();
    await replica.round();
    expect(store.read(shardUuid, key('b'))).toEqual({ seq: 6, value: Buffer.from('4') });
    expect(store.read(shardUuid, key('a'))).toBeUndefined();
  });

  it('what is not committed is in the log and not in the data; truncated, it is gone', async () => {
    const disk = new MemoryDisk();
    const { store, replica } = await storeOf(disk, put('a', '1'));
    const entry = replica.append(put('a', '2'));
    await replica.round();
    expect(store.read(shardUuid, key('a'))?.seq).toBe(1);
    expect(store.entry(shardUuid, entry)).toEqual(entry);
    replica.body.truncateAfter(seqOf(1));
    const other = replica.append(put('b', '2'));
    await replica.round();
    expect(() => store.entry(shardUuid, entry)).toThrow('log record 2 is not there');
    expect(store.entry(shardUuid, other).bytes).toEqual(other.bytes);
    const again = await ReplicaStore.open(disk.afterCrash());
    expect(again.recovered(shardUuid)?.entries.map(({ chain }) => chain)).toEqual([
      replica.body.log.positionAt(seqOf(1))?.chain,
      other.chain,
    ]);
  });

  it('trimmed log records are gone, and the base says what the rest follows', async () => {
    const disk = new MemoryDisk();
    const drafts = Array.from({ length: 9 }, (_, index) => put('k', `${index}`));
    const { replica } = await storeOf(disk, ...drafts);
    const { log } = replica.body;
    expect(log.base.seq).toBeGreaterThan(4);
    expect(keysOf(disk).filter((name) => name.startsWith('\0\0\0\x01L'))).toHaveLength(log.length);
    const again = await ReplicaStore.open(disk.afterCrash());
    expect(again.recovered(shardUuid)?.entries).toHaveLength(log.length);
    expect(again.damaged()).toEqual([]);
  });

  it('replicas have a prefix each, and do not see each other', async () => {
    const disk = new MemoryDisk();
    const { store } = await storeOf(disk, put('k', 'zero'));
    const other = new StoredBody(disk, store, 1);
    await other.round();
    expect(store.read(other.id.shardUuid, key('k'))).toBeUndefined();
    await other.putAll(put('k', 'one'));
    expect(store.read(shardUuid, key('k'))?.value.toString()).toBe('zero');
    expect(store.read(other.id.shardUuid, key('k'))?.value.toString()).toBe('one');
    expect(await pairsOf(store.snapshot(other.id.shardUuid))).toHaveLength(1);
  });

  it('S2 S8 S9 S10 S19 what breaks a promise is not written', async () => {
    const disk = new MemoryDisk();
    const { store, replica } = await storeOf(disk, put('a', '1'), put('a', '2'));
    const { id, body } = replica;
    const state = body.state()!;
    const persist = (change: Partial<typeof NO_PERSIST>, whose = id) =>
      store.persist(disk.batch(), whose, { ...NO_PERSIST, ...change });
    const [entry] = store.recovered(shardUuid)?.entries ?? [replica.append(put('b', '3'))];
    expect(() => persist({ state: { ...state, promisedEpoch: 0 as Epoch } })).toThrow('S2');
    expect(() => persist({ state: { ...state, appliedSeq: seqOf(1) } })).toThrow('S9');
    expect(() => persist({ append: [{ ...entry!, first: seqOf(9) }] })).toThrow('S8');
    expect(() => persist({ apply: [entry!] })).toThrow('S9');
    expect(() => persist({ truncateAfter: seqOf(1) })).toThrow('S10');
    expect(() => persist({ trim: [seqOf(3)] })).toThrow('S9');
    expect(() => persist({ switchTo: body.log.last, state })).toThrow('S15');
    expect(() => persist({ append: [entry!] }, idOf(5))).toThrow('S19');
    expect(() => persist({ state }, idOf(5))).toThrow('a state is of its replica');
  });
});

describe('reading', () => {
  it('S20 a damaged record is refused, and so is one from nowhere', async () => {
    const disk = new MemoryDisk();
    const { store, replica } = await storeOf(disk, put('a', '1'));
    const name = text(dataKey(1, key('a')));
    disk.medium.plant(name, encodeDataRecord(key('b'), key('1'), seqOf(1)));
    expect(() => store.read(shardUuid, key('a'))).toThrow(CorruptRecordError);
    await expect(store.digest(shardUuid)).rejects.toBeInstanceOf(CorruptRecordError);
    const snapshot = store.snapshot(shardUuid)!;
    await expect(snapshot.chunks().next()).rejects.toBeInstanceOf(CorruptRecordError);
    await snapshot.close();
    disk.medium.plant(name, encodeDataRecord(key('a'), key('1'), seqOf(2)));
    expect(() => store.read(shardUuid, key('a'))).toThrow('its version is ahead');
    replica.append(put('x', '1'));
    await replica.round();
    expect(store.read(shardUuid, key('a'))?.seq).toBe(2);
  });

  it('S20 a log record that is damaged, or another one, is not given to a peer', async () => {
    const disk = new MemoryDisk();
    const { store, replica } = await storeOf(disk, put('a', '1'), put('a', '2'));
    const { last } = replica.body.log;
    const name = text(logKey(1, logEndOf(last)));
    const record = new Map(disk.medium.contents()).get(name)!;
    const flipped = Buffer.from(record);
    flipped[record.length - 1]! ^= 1;
    for (const bytes of [Buffer.of(1), flipped]) {
      disk.medium.plant(name, bytes);
      expect(() => store.entry(shardUuid, last)).toThrow(CorruptRecordError);
    }
    disk.medium.plant(name, record);
    expect(store.entry(shardUuid, last).bytes).toEqual(record);
    const chain = `${last.chain.slice(0, 8)}${'0'.repeat(24)}` as Chain;
    expect(() => store.entry(shardUuid, { ...last, chain })).toThrow('another entry');
    expect(() => store.entry(idOf(5).shardUuid, last)).toThrow('is not there');
  });
});

describe('a snapshot', () => {
  it('has all data of its moment, in bounded chunks', async () => {
    const disk = new MemoryDisk();
    const { store, replica } = await storeOf(disk);
    const value = 'v'.repeat(100_000);
    for (let index = 0; index < 9; index++) replica.append(put(`k${index}`, value));
    replica.commit();
    await replica.round();
    const snapshot = store.snapshot(shardUuid)!;
    await replica.putAll(del('k0'), put('k9', 'new'));
    const keys: string[] = [];
    const sizes: number[] = [];
    for await (const chunk of snapshot.chunks()) {
      sizes.push(chunk.length);
      for (const [name] of chunk) keys.push(name.toString());
    }
    await snapshot.close();
    expect(keys).toEqual(Array.from({ length: 9 }, (_, index) => `k${index}`));
    expect(sizes).toEqual([3, 3, 3]);
  });

  it('knows its position, with the batch under way in it or not', async () => {
    const seen = new Set<string>();
    for (let round = 0; round < 40; round++) {
      const disk = new MemoryDisk(round);
      const { store, replica } = await storeOf(disk, put('a', '1'));
      replica.append(put('b', '2'));
      const isApplyOnly = round % 2 === 0;
      if (isApplyOnly) await replica.round();
      replica.commit();
      const written = replica.round();
      const snapshot = store.snapshot(shardUuid)!;
      const position = await snapshot.position();
      const pairs = await pairsOf(snapshot);
      await written;
      expect(position).toEqual({ appliedSeq: pairs.length, isExact: true });
      seen.add(`${isApplyOnly} ${pairs.length}`);
    }
    expect([...seen].sort()).toEqual(['false 1', 'false 2', 'true 1', 'true 2']);
  });

  it('S8 replicas that applied the same have one digest, others another', async () => {
    const drafts = [put('a', '1'), put('b', '2'), del('a'), put('c', '3')];
    const [one, two] = [new MemoryDisk(), new MemoryDisk()];
    const { store, replica } = await storeOf(one, ...drafts);
    const other = await storeOf(two);
    for (const draft of drafts) other.replica.append(draft);
    other.replica.commit();
    await other.replica.round();
    const digest = await store.digest(shardUuid);
    expect(digest).toMatchObject({ appliedSeq: 4, isExact: true, pairs: 2 });
    expect(await other.store.digest(shardUuid)).toEqual(digest);
    await replica.putAll(put('c', 'other'));
    expect((await store.digest(shardUuid))?.sha256).not.toBe(digest?.sha256);
  });

  it('after a start a digest is not exact until all of the log is applied again', async () => {
    const disk = new MemoryDisk();
    const { replica } = await storeOf(disk, put('a', '1'));
    replica.append(put('a', '2'));
    replica.commit();
    await replica.round(); // Applied, with a log record and so without a state that says so.
    const store = await ReplicaStore.open(disk);
    const again = new StoredBody(disk, store);
    expect(await store.digest(shardUuid)).toMatchObject({ appliedSeq: 1, isExact: false });
    again.commit();
    await again.round();
    expect(await store.digest(shardUuid)).toMatchObject({ appliedSeq: 2, isExact: true });
  });
});

describe('a digest after a start', () => {
  it('is exact as soon as what may have been applied is truncated', async () => {
    const disk = new MemoryDisk();
    const { replica } = await storeOf(disk, put('a', '1'));
    replica.append(put('a', '2'));
    await replica.round();
    const store = await ReplicaStore.open(disk);
    const again = new StoredBody(disk, store);
    expect(await store.digest(shardUuid)).toMatchObject({ appliedSeq: 1, isExact: false });
    again.body.truncateAfter(seqOf(1));
    await again.round();
    expect(await store.digest(shardUuid)).toMatchObject({ appliedSeq: 1, isExact: true });
  });
});

describe('an install', () => {
  const pair = (name: string, seq: number) =>
    [key(name), encodeDataRecord(key(name), key('v'), seqOf(seq))] as const;

  it('S15 takes no data without a place', async () => {
    const disk = new MemoryDisk();
    const { store } = await storeOf(disk);
    const batch = disk.batch();
    expect(() => store.install(batch, shardUuid, [pair('a', 1)])).toThrow('S15');
  });

  it('one that is given up or begun anew is garbage, also after a restart', async () => {
    const disk = new MemoryDisk();
    const { store } = await storeOf(disk, put('a', '1'));
    await write(disk, (batch) => store.beginInstall(batch, shardUuid));
    await write(disk, (batch) => store.install(batch, shardUuid, [pair('b', 9)]));
    expect(store.nextGarbage()).toBeUndefined();
    expect(() => store.assertGarbage(2)).toThrow('invariant S19');
    await write(disk, (batch) => store.beginInstall(batch, shardUuid));
    expect(store.nextGarbage()).toBe(2);
    store.abandonInstall(shardUuid);
    store.abandonInstall(shardUuid);
    expect(() => store.assertGarbage(3)).not.toThrow();
    const again = await ReplicaStore.open(disk.afterCrash());
    expect(again.nextGarbage()).toBe(2);
    expect(() => again.assertGarbage(3)).not.toThrow();
    expect(again.read(shardUuid, key('a'))?.seq).toBe(1);
    expect(again.read(shardUuid, key('b'))).toBeUndefined();
  });

  it('S15 a crash at every batch leaves the old data or the new, whole', async () => {
    const disk = new MemoryDisk();
    const { store, replica } = await storeOf(disk, put('a', '1'), put('b', '2'));
    const old = await pairsOf(store.snapshot(shardUuid));
    const base = { seq: seqOf(20), epoch: 1 as Epoch, chain: 'ab'.repeat(16) as Chain };
    const steps: (() => Promise<void>)[] = [
      async () => {
        replica.body.beginInstall();
        await replica.round();
      },
      () => write(disk, (batch) => store.beginInstall(batch, shardUuid)),
      () => write(disk, (batch) => store.install(batch, shardUuid, [pair('c', 18)])),
      () => write(disk, (batch) => store.install(batch, shardUuid, [pair('d', 20)])),
    ];
    for (const step of steps) {
      await step();
      const crashed = await ReplicaStore.open(disk.afterCrash());
      expect(crashed.damaged()).toEqual([]);
      expect(crashed.recovered(shardUuid)?.state).toMatchObject({ isInstalling: true });
      expect(await pairsOf(crashed.snapshot(shardUuid))).toEqual(old);
    }
    replica.body.installed(base);
    await replica.round();
    for (const opened of [store, await ReplicaStore.open(disk.afterCrash())]) {
      expect((await pairsOf(opened.snapshot(shardUuid))).map((line) => line[0])).toEqual([
        'c',
        'd',
      ]);
      expect(opened.nextGarbage()).toBe(1);
      expect([...opened.states()]).toMatchObject([{ isInstalling: false, base, appliedSeq: 20 }]);
    }
    expect(keysOf(disk)).not.toContain(text(markKey('garbage', 2)));
    await replica.putAll(put('e', '21'));
    expect(store.read(shardUuid, key('e'))?.seq).toBe(21);
  });
});
