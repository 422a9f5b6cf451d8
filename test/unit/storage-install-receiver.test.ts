/** Data of a shard that arrives: when the replica may switch to it. */
import { describe, expect, it } from 'vitest';
import type { Epoch, MemberId, Seq, ShardId } from '../../src/model/ids.js';
import { CorruptRecordError, encodeDataRecord } from '../../src/replication/data-record.js';
import { NO_CHAIN } from '../../src/replication/entry.js';
import { dataKeys } from '../../src/storage/keys.js';
import { InstallReceiver } from '../../src/storage/install-receiver.js';
import type { DataAck } from '../../src/storage/replication-frame.js';
import { ReplicaStore } from '../../src/storage/replica-store.js';
import type { Work } from '../../src/storage/rounds.js';
import { uuidOf } from '../support/configs.js';
import { MemoryDisk } from '../support/memory-disk.js';

const FROM = 's1' as MemberId;
const OTHER = 's2' as MemberId;
const SHARD = 0 as ShardId;
const nameOf = (number: number) => ({ shard: SHARD, shardUuid: uuidOf('shard'), number });
const BASE = { seq: 7 as Seq, epoch: 1 as Epoch, chain: NO_CHAIN };
const partOf = (number: number, ...keys: string[]) => ({
  type: 'data' as const,
  ...nameOf(number),
  pairs: keys.map((text) => {
    const key = Buffer.from(text);
    return { key, record: encodeDataRecord(key, Buffer.from('value'), 1 as Seq) };
  }),
});
const endOf = (number: number, pairs: number) => {
  return { type: 'dataEnd' as const, ...nameOf(number), base: BASE, pairs };
};
const installed = (number: number, from = FROM) => ({
  ...{ type: 'installed', from, number, base: BASE },
});

/** Rounds, one at a time: all records that wait share a batch. The test plays the replica. */
async function receive() {
  const disk = new MemoryDisk();
  let mailbox: Work[] = [];
  let awaited: { from: MemberId; number: number } | undefined = { from: FROM, number: 1 };
  const acks: DataAck[] = [];
  const store = await ReplicaStore.open(disk);
  const receiver = new InstallReceiver({
    store,
    submit: (work) => mailbox.push(work),
    isAwaited: (from, { number }) => from === awaited?.from && number === awaited.number,
  });
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
  /** What lies there of the install that was begun so many others later. */
  const stored = async (prefix = 1) => {
    const keys: string[] = [];
    const { from, to } = dataKeys(prefix);
    for await (const [key] of disk.scan(from, to)) keys.push(key.subarray(5).toString());
    return keys;
  };
  return {
    ...{ receiver, store, round, stored, acks },
    data: (number: number, ...keys: string[]) => {
      receiver.data(FROM, partOf(number, ...keys), (ack) => acks.push(ack));
    },
    /** From now on the replica waits for this one, or for none. */
    awaits: (number?: number, from = FROM) => {
      awaited = number === undefined ? undefined : { from, number };
    },
  };
}

describe('data of a shard that arrives', () => {
  it('S6 S15 a replica switches when all of it is durable, also when all comes at once', async () => {
    const { receiver, data, round, stored } = await receive();
    receiver.begin(FROM, nameOf(1));
    data(1, 'a', 'b');
    data(1, 'c');
    receiver.end(FROM, endOf(1, 3));
    expect(await round()).toEqual([]);
    expect(await stored()).toEqual(['a', 'b', 'c']);
    expect(await round()).toEqual([installed(1)]);
  });

  it('S15 a replica does not switch when a part is missing', async () => {
    const { receiver, data, round } = await receive();
    receiver.begin(FROM, nameOf(1));
    data(1, 'a');
    receiver.end(FROM, endOf(1, 2));
    expect(await round()).toEqual([]);
    expect(await round()).toEqual([]);
  });

  it('each part is acknowledged when it is durable, with its install', async () => {
    const { receiver, data, round, acks } = await receive();
    receiver.begin(FROM, nameOf(1));
    data(1, 'a');
    data(1, 'b');
    expect(acks).toEqual([]);
    await round();
    expect(acks).toEqual([1, 2].map((parts) => ({ type: 'dataAck', ...nameOf(1), parts })));
  });

  it('S15 a replica does not switch when another primary begins anew', async () => {
    const { receiver, data, round, awaits } = await receive();
    receiver.begin(FROM, nameOf(1));
    data(1, 'a');
    receiver.end(FROM, endOf(1, 1));
    receiver.begin(OTHER, nameOf(1));
    awaits(1, OTHER);
    expect(await round()).toEqual([]);
    expect(await round()).toEqual([]);
  });

  it('S3 an install that the replica does not wait for takes the place of none', async () => {
    const { receiver, data, round, stored, acks } = await receive();
    receiver.begin(FROM, nameOf(1));
    data(1, 'a');
    receiver.begin(OTHER, nameOf(1)); // Of a primary that was deposed.
    receiver.data(OTHER, partOf(1, 'x'), (ack) => acks.push(ack));
    receiver.end(OTHER, endOf(1, 1));
    data(1, 'b');
    receiver.end(FROM, endOf(1, 2));
    expect(await round()).toEqual([]);
    expect(await stored()).toEqual(['a', 'b']);
    expect(acks).toHaveLength(2);
    expect(await round()).toEqual([installed(1)]);
  });

  it('S6 S15 what is left of an install goes into none that was begun after it', async () => {
    const { receiver, data, round, stored, awaits } = await receive();
    receiver.begin(FROM, nameOf(1));
    data(1, 'a');
    await round();
    awaits(2);
    receiver.begin(FROM, nameOf(2));
    data(2, 'b');
    data(1, 'c');
    receiver.end(FROM, endOf(1, 1));
    expect(await round()).toEqual([]);
    expect([await stored(1), await stored(2)]).toEqual([['a'], ['b']]);
    data(2, 'd');
    receiver.end(FROM, endOf(2, 2));
    expect(await round()).toEqual([]);
    expect(await round()).toEqual([installed(2)]);
  });

  it('S20 a part with a record that is not what was written is not taken', async () => {
    const { receiver, round, stored } = await receive();
    receiver.begin(FROM, nameOf(1));
    const damaged = partOf(1, 'a', 'b');
    const { record } = damaged.pairs[1]!;
    record[record.length - 1]! ^= 1;
    expect(() => receiver.data(FROM, damaged, () => undefined)).toThrow(CorruptRecordError);
    receiver.end(FROM, endOf(1, 2));
    expect(await round()).toEqual([]);
    expect(await round()).toEqual([]);
    expect(await stored()).toEqual([]);
  });

  it('S15 a replica does not switch when it waits for it no longer: the stream broke', async () => {
    const { receiver, data, round, awaits, acks } = await receive();
    receiver.begin(FROM, nameOf(1));
    await round();
    data(1, 'a');
    receiver.end(FROM, endOf(1, 1));
    awaits();
    expect(await round()).toEqual([]);
    expect(await round()).toEqual([]);
    expect(acks).toEqual([]);
  });
});
