/** Opening a data directory: whose it is, and how it was left. */
import { describe, expect, it } from 'vitest';
import type { Epoch, LeaderEpoch, MemberId, Seq, ShardId } from '../../src/model/ids.js';
import { UnusableDirectoryError } from '../../src/ports/disk.js';
import { CorruptRecordError } from '../../src/replication/data-record.js';
import { Store } from '../../src/storage/store.js';
import { uuidOf } from '../support/configs.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { CountingRandom, OWNER } from '../support/storage-harness.js';

const open = (disk: MemoryDisk, change: Partial<typeof OWNER> = {}) =>
  Store.open(disk, { ...OWNER, ...change }, new CountingRandom());

const state = (shard: number, lastSeq: number, epoch = 1) => ({
  shard: shard as ShardId,
  shardUuid: uuidOf(`shard-${shard}`),
  promisedEpoch: epoch as Epoch,
  lastSeq: lastSeq as Seq,
});

const put = (key: string, value: string, seq: number) => ({
  type: 'put' as const,
  key: Buffer.from(key),
  value: Buffer.from(value),
  seq: seq as Seq,
});

describe('opening', () => {
  it('a new directory gets an identity of its own, and keeps it', async () => {
    const disk = new MemoryDisk();
    const { identity, lastStop } = await open(disk);
    expect(lastStop).toBe('new');
    expect((await open(disk.afterCrash())).identity).toEqual(identity);
  });

  it('S20 tells a clean stop from a crash of the process and one of the system', async () => {
    const disk = new MemoryDisk();
    const first = await open(disk);
    expect((await open(disk)).lastStop).toBe('process-crash');
    expect((await open(disk, { bootId: 'other' })).lastStop).toBe('system-crash');
    const batch = disk.batch();
    first.writeCleanMarker(batch);
    await batch.writeDurably();
    expect((await open(disk, { bootId: 'other' })).lastStop).toBe('clean');
    expect((await open(disk, { bootId: 'other' })).lastStop).toBe('process-crash');
  });

  it('counts how often it was opened', async () => {
    const disk = new MemoryDisk();
    for (const generation of [1, 2, 3]) expect((await open(disk)).generation).toBe(generation);
  });

  it('a directory of another cluster, another node or another program is refused', async () => {
    const disk = new MemoryDisk();
    await open(disk);
    await expect(open(disk, { cluster: 'other' })).rejects.toThrow(
      'belongs to cluster "default", this node is of cluster "other"',
    );
    await expect(open(disk, { node: 's2' as MemberId })).rejects.toThrow('belongs to node "s1"');
    const foreign = new MemoryDisk();
    foreign.medium.plant('something', Buffer.from('else'));
    await expect(open(foreign)).rejects.toThrow('not a Portolan store');
    expect(Array.from(foreign.medium.contents(), ([key]) => key)).toEqual(['something']);
  });

  it('a record of the directory that is garbled or of a newer format is refused', async () => {
    for (const garbage of ['{', '[]', 'null', '{"format":1}', '{"format":2}']) {
      for (const name of ['identity', 'marker', 'leader-epoch']) {
        const disk = new MemoryDisk();
        await open(disk);
        disk.medium.plant(`\0\0\0\0${name}`, Buffer.from(garbage));
        await expect(open(disk)).rejects.toBeInstanceOf(UnusableDirectoryError);
      }
    }
  });

  it('S17 the highest leaderEpoch is there again', async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    const batch = disk.batch();
    store.writeLeaderEpoch(batch, 9 as LeaderEpoch);
    await batch.writeDurably();
    expect((await open(disk)).leaderEpoch).toBe(9);
  });
});

describe('replicas', () => {
  it('their data and states are there again, each under a prefix of its own', async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    const batch = disk.batch();
    store.write(batch, state(0, 1), [put('k', 'zero', 1)]);
    store.write(batch, state(1, 2), [put('k', 'one', 2)]);
    await batch.writeDurably();

    const again = await open(disk);
    expect([...again.replicas()]).toEqual([state(0, 1), state(1, 2)]);
    const key = Buffer.from('k');
    expect(again.read(uuidOf('shard-0'), key)?.value.toString()).toBe('zero');
    expect(again.read(uuidOf('shard-1'), key)).toEqual({ seq: 2, value: Buffer.from('one') });
    expect(again.read(uuidOf('shard-2'), key)).toBeUndefined();

    const third = disk.batch();
    again.write(third, state(2, 1), [put('k', 'two', 1)]);
    await third.writeDurably();
    expect((await open(disk)).read(uuidOf('shard-0'), key)?.value.toString()).toBe('zero');
  });

  it('S2 S22 neither a promise nor the last position may go back', async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    store.write(disk.batch(), state(0, 5, 3), []);
    expect(() => store.write(disk.batch(), state(0, 4, 3), [])).toThrow('invariant S22');
    expect(() => store.write(disk.batch(), state(0, 5, 2), [])).toThrow('invariant S2');
  });

  it('S20 a record that does not match is refused, a damaged state is no replica', async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    const batch = disk.batch();
    store.write(batch, state(0, 1), [put('k', 'value', 1)]);
    await batch.writeDurably();
    for (const [name, record] of disk.medium.contents()) {
      if (!name.endsWith('Dk') && !name.includes('replica')) continue;
      const damaged = Buffer.from(record);
      damaged[damaged.length - 1]! ^= 1;
      disk.medium.plant(name, damaged);
    }
    expect(() => store.read(uuidOf('shard-0'), Buffer.from('k'))).toThrow(CorruptRecordError);
    const again = await open(disk);
    expect(again.corruptStates).toBe(1);
    expect([...again.replicas()]).toEqual([]);
  });
});
