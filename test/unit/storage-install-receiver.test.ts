/** Data of a shard that arrives: when the replica may switch to it. */
import { describe, expect, it } from 'vitest';
import type { Epoch, MemberId, Seq, ShardId } from '../../src/model/ids.js';
import { CorruptRecordError, encodeDataRecord } from '../../src/replication/data-record.js';
import { NO_CHAIN } from '../../src/replication/entry.js';
import { dataKeys } from '../../src/storage/keys.js';
import { InstallReceiver } from '../../src/storage/install-receiver.js';
import { ReplicaStore } from '../../src/storage/replica-store.js';
import type { Work } from '../../src/storage/rounds.js';
import { uuidOf } from '../support/configs.js';
import { MemoryDisk } from '../support/memory-disk.js';

const FROM = 's1' as MemberId;
const SHARD = 0 as ShardId;
const NAME = { shard: SHARD, shardUuid: uuidOf('shard') };
const BASE = { seq: 7 as Seq, epoch: 1 as Epoch, chain: NO_CHAIN };
const part = (...keys: string[]) => ({
  type: 'data' as const,
  ...NAME,
  pairs: keys.map((text) => {
    const key = Buffer.from(text);
    return { key, record: encodeDataRecord(key, Buffer.from('value'), 1 as Seq) };
  }),
});
const end = (pairs: number) => ({ type: 'dataEnd' as const, ...NAME, base: BASE, pairs });

/** Rounds, one at a time: all records that wait share a batch. */
async function receive() {
  const disk = new MemoryDisk();
  let mailbox: Work[] = [];
  const receiver = new InstallReceiver(await ReplicaStore.open(disk), (work) => mailbox.push(work));
  const round = async () => {
    const taken = mailbox;
    mailbox = [];
    const records = taken.filter((work) => work.type === 'record');
    const batch = disk.batch();
    for (const { write } of records) write(batch);
    await batch.writeDurably();
    for (const { done } of records) done();
    return taken.flatMap((work) => (work.type === 'replica' ? [work.input] : []));
  };
  const stored = async () => {
    const keys: string[] = [];
    const { from, to } = dataKeys(1);
    for await (const [key] of disk.scan(from, to)) keys.push(key.subarray(5).toString());
    return keys;
  };
  return { receiver, round, stored };
}

describe('data of a shard that arrives', () => {
  it('S6 S15 a replica switches when all of it is durable, also when all comes at once', async () => {
    const { receiver, round, stored } = await receive();
    receiver.begin(FROM, NAME);
    receiver.data(FROM, part('a', 'b'), () => undefined);
    receiver.data(FROM, part('c'), () => undefined);
    receiver.end(FROM, end(3));
    expect(await round()).toEqual([]);
    expect(await stored()).toEqual(['a', 'b', 'c']);
    expect(await round()).toEqual([{ type: 'installed', base: BASE }]);
  });

  it('S15 a replica does not switch when a part is missing', async () => {
    const { receiver, round } = await receive();
    receiver.begin(FROM, NAME);
    receiver.data(FROM, part('a'), () => undefined);
    receiver.end(FROM, end(2));
    expect(await round()).toEqual([]);
    expect(await round()).toEqual([]);
  });

  it('S15 a replica does not switch when another primary begins anew', async () => {
    const { receiver, round } = await receive();
    receiver.begin(FROM, NAME);
    receiver.data(FROM, part('a'), () => undefined);
    receiver.end(FROM, end(1));
    receiver.begin('s2' as MemberId, NAME);
    expect(await round()).toEqual([]);
    expect(await round()).toEqual([]);
  });

  it('S20 a part with a record that is not what was written is not taken', async () => {
    const { receiver, round, stored } = await receive();
    receiver.begin(FROM, NAME);
    const damaged = part('a', 'b');
    const { record } = damaged.pairs[1]!;
    record[record.length - 1]! ^= 1;
    expect(() => receiver.data(FROM, damaged, () => undefined)).toThrow(CorruptRecordError);
    receiver.end(FROM, end(2));
    expect(await round()).toEqual([]);
    expect(await round()).toEqual([]);
    expect(await stored()).toEqual([]);
  });

  it('S15 a replica does not switch when the stream broke meanwhile', async () => {
    const { receiver, round } = await receive();
    receiver.begin(FROM, NAME);
    receiver.data(FROM, part('a'), () => undefined);
    receiver.end(FROM, end(1));
    receiver.abandon(FROM);
    expect(await round()).toEqual([]);
    expect(await round()).toEqual([]);
  });
});
