/** Garbage is removed in the background, and nothing else is. */
import { describe, expect, it } from 'vitest';
import type { DiskBatch } from '../../src/ports/disk.js';
import { encodeDataRecord } from '../../src/replication/data-record.js';
import { dataKey, markKey } from '../../src/storage/keys.js';
import { GarbageRemoval } from '../../src/storage/garbage.js';
import { ReplicaStore } from '../../src/storage/replica-store.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { idOf, pairsOf, put, seqOf, storeOf, write } from '../support/stored-body.js';

const { shardUuid } = idOf(0);
const PAIRS = 600;

const pairs = Array.from({ length: PAIRS }, (_, index) => {
  const key = Buffer.from(`k${1_000 + index}`);
  return [key, encodeDataRecord(key, Buffer.from('v'), seqOf(index + 1))] as const;
});

/** A replica with one key, and an install that was given up after all data had come. */
async function withGarbage() {
  const disk = new MemoryDisk();
  const { store } = await storeOf(disk, put('mine', '1'));
  await write(disk, (batch) => store.beginInstall(batch, shardUuid));
  await write(disk, (batch) => store.install(batch, shardUuid, pairs));
  store.abandonInstall(shardUuid);
  return { disk, store };
}

/** Counts the batches, and may do something before one. */
function writerOf(disk: MemoryDisk, before: (count: number) => void = () => undefined) {
  const counted = {
    count: 0,
    write: (fill: (batch: DiskBatch) => void) => {
      before(++counted.count);
      return write(disk, fill);
    },
  };
  return counted;
}

const leftOf = (disk: MemoryDisk) =>
  Array.from(disk.medium.contents(), ([key]) => key).filter((key) => key.startsWith('\0\0\0\x02'));

describe('the removal of garbage', () => {
  it('S19 removes all of it some keys at a time, then the mark, and nothing else', async () => {
    const { disk, store } = await withGarbage();
    const writer = writerOf(disk);
    const removal = new GarbageRemoval({ disk, store, write: writer.write });
    await Promise.all([removal.run(), removal.run()]);
    expect(writer.count).toBe(1 + 3 + 1);
    expect(leftOf(disk)).toEqual([]);
    expect(store.nextGarbage()).toBeUndefined();
    expect(await pairsOf(store.snapshot(shardUuid))).toHaveLength(1);
    const again = await ReplicaStore.open(disk.afterCrash());
    expect(again.nextGarbage()).toBeUndefined();
    expect(again.damaged()).toEqual([]);
    await removal.run();
    expect(writer.count).toBe(5);
  });

  it('a crash at every batch leaves the rest marked, and a restart goes on', async () => {
    for (let crashAt = 1; crashAt <= 5; crashAt++) {
      const { disk, store } = await withGarbage();
      let image: MemoryDisk | undefined;
      const writer = writerOf(disk, (count) => {
        if (count === crashAt) image = disk.afterCrash();
      });
      await new GarbageRemoval({ disk, store, write: writer.write }).run();
      const again = await ReplicaStore.open(image!);
      expect(again.nextGarbage()).toBe(2);
      expect(again.damaged()).toEqual([]);
      const { write } = writerOf(image!);
      await new GarbageRemoval({ disk: image!, store: again, write }).run();
      expect(leftOf(image!)).toEqual([]);
      expect(again.nextGarbage()).toBeUndefined();
    }
  });

  it('ends with its chunk when it is stopped', async () => {
    const { disk, store } = await withGarbage();
    const writer = writerOf(disk, (count) => {
      if (count === 2) removal.stop();
    });
    const removal = new GarbageRemoval({ disk, store, write: writer.write });
    await removal.run();
    expect(leftOf(disk)).toHaveLength(PAIRS - 256);
    expect(store.nextGarbage()).toBe(2);
    await removal.run();
    expect(writer.count).toBe(2);
  });

  it('removes also what an install had under way when it was given up', async () => {
    const disk = new MemoryDisk();
    const { store } = await storeOf(disk);
    await write(disk, (batch) => store.beginInstall(batch, shardUuid));
    const underWay = write(disk, (batch) => store.install(batch, shardUuid, pairs));
    store.abandonInstall(shardUuid);
    await new GarbageRemoval({ disk, store, write: writerOf(disk).write }).run();
    await underWay;
    expect(leftOf(disk)).toEqual([]);
  });

  it('reads large values only some at a time', async () => {
    const { disk, store } = await withGarbage();
    for (const name of ['a', 'b', 'c']) {
      const key = dataKey(2, Buffer.from(name)).toString('latin1');
      disk.medium.plant(key, Buffer.alloc(600_000));
    }
    const writer = writerOf(disk);
    await new GarbageRemoval({ disk, store, write: writer.write }).run();
    expect(writer.count).toBe(1 + 4 + 1);
    expect(leftOf(disk)).toEqual([]);
  });

  it('S19 asserts with every batch that the prefix is nobody else’s', async () => {
    const { disk, store } = await withGarbage();
    for (const prefix of [1, 3]) {
      expect(() => store.assertGarbage(prefix)).toThrow('invariant S19');
      expect(() => store.markGarbage(disk.batch(), prefix)).toThrow('invariant S19');
      expect(() => store.unmarkGarbage(disk.batch(), prefix)).toThrow('invariant S19');
    }
    expect(markKey('garbage', 2).length).toBe(15);
  });
});
