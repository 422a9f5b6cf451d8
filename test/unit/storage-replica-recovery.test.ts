/** What a start makes of a data directory: what it gives back, and what it does not trust. */
import { describe, expect, it } from 'vitest';
import type { Epoch } from '../../src/model/ids.js';
import { dataKey, markKey } from '../../src/storage/keys.js';
import { decodeState, encodeState, logEndOf, logKey } from '../../src/storage/replica-layout.js';
import { type Entry, LOG_START, sealEntry } from '../../src/replication/entry.js';
import type { DurableState } from '../../src/replication/replica-body.js';
import { ReplicaStore } from '../../src/storage/replica-store.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { idOf, pairsOf, put, seqOf, storeOf, StoredBody, write } from '../support/stored-body.js';

const { shard, shardUuid } = idOf(0);
const text = (key: Buffer) => key.toString('latin1');
const STATE_KEY = text(markKey('replica', 1));

/** A disk with shard 0 under prefix 1, a log of three entries, all of them applied. */
async function sound() {
  const disk = new MemoryDisk();
  const { replica } = await storeOf(disk, put('a', '1'), put('b', '2'), put('a', '3'));
  return { disk, replica };
}

const contentsOf = (disk: MemoryDisk) => new Map(disk.medium.contents());

/** Opens what is on the disk, whose one replica must not be given back, and says why not. */
async function problemOf(disk: MemoryDisk): Promise<string> {
  const before = contentsOf(disk);
  const store = await ReplicaStore.open(disk.afterCrash());
  expect(store.recovered(shardUuid)).toBeUndefined();
  expect([...store.states()]).toEqual([]);
  expect(store.read(shardUuid, Buffer.from('a'))).toBeUndefined();
  expect(store.nextGarbage()).toBeUndefined();
  expect(contentsOf(disk)).toEqual(before);
  const [damaged, ...others] = store.damaged();
  expect(others).toEqual([]);
  return damaged!.problem;
}

/** Changes the state on disk, with a checksum that matches. */
function changeState(disk: MemoryDisk, change: (state: DurableState) => Partial<DurableState>) {
  const state = decodeState(1, contentsOf(disk).get(STATE_KEY)!);
  disk.medium.plant(STATE_KEY, encodeState(1, { ...state, ...change(state) }));
}

describe('a start', () => {
  it('finds nothing in an empty directory', async () => {
    const store = await ReplicaStore.open(new MemoryDisk());
    expect([...store.states()]).toEqual([]);
    expect(store.damaged()).toEqual([]);
    expect(store.recovered(shardUuid)).toBeUndefined();
    expect(store.snapshot(shardUuid)).toBeUndefined();
    expect(await store.digest(shardUuid)).toBeUndefined();
  });

  it('gives back the state and the log, once', async () => {
    const { disk, replica } = await sound();
    const store = await ReplicaStore.open(disk.afterCrash());
    const found = store.recovered(shardUuid);
    expect(found?.state).toEqual(replica.body.state());
    const { base, last } = replica.body.log;
    expect(found?.entries.at(0)?.previous).toBe(base.chain);
    expect(found?.entries.at(-1)?.chain).toBe(last.chain);
    expect([...store.states()]).toEqual([found?.state]);
    expect(store.recovered(shardUuid)).toBeUndefined();
  });

  it('S20 a state with a flipped bit is no replica, whatever the bit', async () => {
    const { disk } = await sound();
    const record = contentsOf(disk).get(STATE_KEY)!;
    for (let at = 0; at < record.length; at++) {
      const damaged = Buffer.from(record);
      damaged[at]! ^= 1 << (at & 7);
      disk.medium.plant(STATE_KEY, damaged);
      expect(await problemOf(disk)).toMatch(/format|checksum/);
    }
  });

  it('S20 a log record with a flipped bit is found, wherever it is', async () => {
    const { disk, replica } = await sound();
    const log = replica.body.log.positionsFrom(seqOf(1));
    expect(log.length).toBe(3);
    for (const position of log) {
      const key = text(logKey(1, logEndOf(position)));
      const record = contentsOf(disk).get(key)!;
      for (let at = 0; at < record.length; at += 3) {
        const damaged = Buffer.from(record);
        damaged[at]! ^= 1 << (at & 7);
        disk.medium.plant(key, damaged);
        expect(await problemOf(disk)).toMatch(/malformed entry|log record/);
      }
      disk.medium.plant(key, record);
    }
    expect((await ReplicaStore.open(disk.afterCrash())).damaged()).toEqual([]);
  });

  it('S8 a log with a gap, or without its end, is no replica', async () => {
    const { disk, replica } = await sound();
    const keys = replica.body.log.positionsFrom(seqOf(1)).map((end) => logKey(1, logEndOf(end)));
    const problems: string[] = [];
    for (const key of keys) {
      const copy = disk.afterCrash();
      await write(copy, (batch) => batch.remove(key));
      problems.push(await problemOf(copy));
    }
    expect(problems).toEqual([
      expect.stringContaining('log record 2 does not begin behind 0'),
      expect.stringContaining('log record 3 does not begin behind 1'),
      expect.stringContaining('its log ends at 2, without applied 3'),
    ]);
  });

  it('S8 a log that does not follow its base, or its promise, is no replica', async () => {
    const { disk } = await sound();
    const chain = 'f'.repeat(32) as DurableState['base']['chain'];
    changeState(disk, ({ base }) => ({ base: { ...base, chain } }));
    expect(await problemOf(disk)).toContain('log record 1 does not follow the one before it');
    const other = await sound();
    changeState(other.disk, () => ({ promisedEpoch: 0 as Epoch }));
    expect(await problemOf(other.disk)).toContain('epoch 1 in its log, 0 promised');
    const third = await sound();
    const alien = Buffer.concat([logKey(1, { seq: seqOf(9), check: 0 }), Buffer.of(1)]);
    third.disk.medium.plant(text(alien), Buffer.alloc(0));
    expect(await problemOf(third.disk)).toContain('no key of a log record');
  });

  it('S8 a log whose epochs go back is no replica', async () => {
    const { disk } = await sound();
    const state = decodeState(1, contentsOf(disk).get(STATE_KEY)!);
    const log: Entry[] = [];
    for (const epoch of [2, 1] as Epoch[]) {
      const before = log.at(-1) ?? LOG_START;
      log.push(sealEntry(before, { epoch, commitSeq: seqOf(0) }, [put('a', '1')]));
    }
    const other = new MemoryDisk();
    const promised = { ...state, promisedEpoch: 2 as Epoch, appliedSeq: seqOf(0) };
    await write(other, (batch) => {
      batch.put(markKey('replica', 1), encodeState(1, promised));
      for (const entry of log) batch.put(logKey(1, logEndOf(entry)), entry.bytes);
    });
    expect(await problemOf(other)).toContain('log record 2 does not follow the one before it');
  });

  it('S20 a shard with two states has none', async () => {
    const { disk } = await sound();
    const state = decodeState(1, contentsOf(disk).get(STATE_KEY)!);
    disk.medium.plant(text(markKey('replica', 2)), encodeState(2, state));
    const store = await ReplicaStore.open(disk);
    expect(store.recovered(shardUuid)).toBeUndefined();
    expect(store.damaged().map(({ prefix }) => prefix)).toEqual([1, 2]);
  });

  it('S19 one damaged replica leaves the others alone, and is learnt again elsewhere', async () => {
    const { disk, replica } = await sound();
    const store = await ReplicaStore.open(disk);
    const other = new StoredBody(disk, store, 1);
    await other.round();
    await other.putAll(put('x', 'y'));
    const { last } = replica.body.log;
    const record = logKey(1, logEndOf(last));
    await write(disk, (batch) => batch.put(record, Buffer.from('garbage')));
    const kept = contentsOf(disk);

    const again = await ReplicaStore.open(disk);
    expect(again.damaged()).toMatchObject([{ prefix: 1, shard, shardUuid }]);
    expect(again.recovered(other.id.shardUuid)?.state).toEqual(other.body.state());
    const fresh = new StoredBody(disk, again);
    await fresh.round();
    await fresh.putAll(put('a', 'new'));
    const inOldArea = [...kept].filter(([key]) => key.startsWith('\0\0\0\x01'));
    expect(inOldArea.length).toBeGreaterThan(3);
    for (const [key, value] of inOldArea) expect(contentsOf(disk).get(key)).toEqual(value);

    const third = await ReplicaStore.open(disk);
    expect(third.recovered(shardUuid)?.state).toEqual(fresh.body.state());
    expect(third.read(shardUuid, Buffer.from('a'))?.value.toString()).toBe('new');
    const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string;
    expect(third.damaged()).toMatchObject([{ prefix: 1, shard, shardUuid, at }]);
    expect(third.damaged()[0]?.problem).toBe('malformed entry: too short');
    expect(third.nextGarbage()).toBeUndefined();
  });

  it('S19 what nothing names is kept, said, and its prefix not used again', async () => {
    const { disk } = await sound();
    for (const prefix of [2, 7]) {
      disk.medium.plant(text(dataKey(prefix, Buffer.from('k'))), Buffer.from('whose?'));
    }
    const store = await ReplicaStore.open(disk);
    expect(store.damaged().map(({ prefix, problem }) => [prefix, problem])).toEqual([
      [2, 'nothing says whose it is'],
      [7, 'nothing says whose it is'],
    ]);
    const replica = new StoredBody(disk, store, 1);
    await replica.round();
    await replica.putAll(put('k', 'mine'));
    expect(contentsOf(disk).has(text(dataKey(8, Buffer.from('k'))))).toBe(true);
  });

  it('S19 a mark of garbage on what a state names is not believed', async () => {
    const { disk } = await sound();
    disk.medium.plant(text(markKey('garbage', 1)), Buffer.alloc(0));
    const store = await ReplicaStore.open(disk);
    expect(store.nextGarbage()).toBeUndefined();
    expect(await pairsOf(store.snapshot(shardUuid))).toHaveLength(2);
    expect(() => store.assertGarbage(1)).toThrow('invariant S19');
  });
});
