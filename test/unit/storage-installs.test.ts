/** A storage node that learns a shard, and primaries that send it: only one of them counts. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Epoch, Seq } from '../../src/model/ids.js';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { shardOfSlot, slotOf } from '../../src/model/slot.js';
import { encodeDataRecord } from '../../src/replication/data-record.js';
import { LOG_START, NO_CHAIN } from '../../src/replication/entry.js';
import type { ReplicaMessage } from '../../src/replication/messages.js';
import {
  decodeFrame,
  encodeFrame,
  type ReplicationRecord,
} from '../../src/storage/replication-frame.js';
import { nodeOf, placeOf, uuidOf } from '../support/configs.js';
import { NodeUnderTest, Recorder, settle, SHARDS } from '../support/storage-harness.js';

const [s2, s3] = [nodeOf('s2'), nodeOf('s3')];
const shard = shardOfSlot(slotOf(Buffer.from('k')), SHARDS);
const shardUuid = uuidOf(`shard-${shard}`);
const BASE = { seq: 7 as Seq, epoch: 1 as Epoch, chain: 'c4'.repeat(16) as typeof NO_CHAIN };
let test: NodeUnderTest;
let leader: ReturnType<NodeUnderTest['lead']>;

/** It learns all shards, whose primary is s2, then s3. */
function learning(epoch: number, change: Partial<ShardConfig> = {}): readonly ShardConfig[] {
  const [primary, learners] = [epoch === 1 ? s2.id : s3.id, [test.self.id]];
  const replicas = [placeOf(test.self), placeOf(s2), placeOf(s3)];
  const isr = [s2.id, s3.id];
  return test.configs({ epoch: epoch as Epoch, primary, isr, learners, replicas, ...change });
}

/** A primary's stream to it. */
class Sender {
  readonly #outgoing = new Recorder<Buffer>();
  readonly #epoch: Epoch;
  readonly events;

  constructor({ id: node, store, process }: typeof s2, epoch: number) {
    this.#epoch = epoch as Epoch;
    this.events = test.node.replicate(this.#outgoing, 'peer');
    this.say({ type: 'hello', node, store, process, clusterUuid: uuidOf('cluster') });
  }

  /** What it is told of data that it sent. */
  get answers(): readonly unknown[] {
    return this.#outgoing.messages.flatMap(decodeFrame).flatMap((record): unknown[] => {
      if (record.type === 'dataAck') return [{ number: record.number, parts: record.parts }];
      const isInstalled = record.type === 'replica' && record.message.type === 'installed';
      return isInstalled ? ['installed'] : [];
    });
  }

  say(record: ReplicationRecord): void {
    this.events.message(encodeFrame([record]));
  }

  message(message: ReplicaMessage): void {
    this.say({ type: 'replica', shard, shardUuid, message });
  }

  async attach(): Promise<void> {
    const after = { ...LOG_START, seq: 9 as Seq };
    this.message({ type: 'attach', epoch: this.#epoch, number: 1, after });
    await settle();
  }

  install(number: number): void {
    this.message({ type: 'install', epoch: this.#epoch, number });
  }

  data(number: number, text: string): void {
    const key = Buffer.from(text);
    const record = encodeDataRecord(key, Buffer.from('v'), 1 as Seq);
    this.say({ type: 'data', shard, shardUuid, number, pairs: [{ key, record }] });
  }

  end(number: number, pairs: number): void {
    this.say({ type: 'dataEnd', shard, shardUuid, number, base: BASE, pairs });
  }
}

/** Keys of the data that came, as they lie on the disk, and marks of garbage. */
function onDisk() {
  const keys = Array.from(test.disk.medium.contents(), ([key]) => key);
  return {
    data: keys.flatMap((key) => (key.includes('Dkey-') ? [key.slice(key.indexOf('key-'))] : [])),
    garbage: keys.filter((key) => key.includes('garbage')).length,
  };
}

beforeEach(async () => {
  test = await NodeUnderTest.start();
  leader = test.lead(1);
  await test.tell(leader, learning(1), 1);
});

/** The primary of the first epoch has begun to send; it is about to be deposed. */
async function begun(): Promise<Sender> {
  const sender = new Sender(s2, 1);
  await sender.attach();
  sender.install(1);
  sender.data(1, 'key-a');
  await settle();
  expect(sender.answers).toEqual([{ number: 1, parts: 1 }]);
  return sender;
}

describe('what comes of an install', () => {
  it('S3 S15 L2 that a deposed primary begins late: that of the new one goes on', async () => {
    const deposed = await begun();
    await test.tell(leader, learning(2), 2);
    const sender = new Sender(s3, 2);
    await sender.attach();
    sender.install(1);
    deposed.install(2);
    deposed.data(2, 'key-x');
    deposed.end(2, 1);
    sender.data(1, 'key-b');
    sender.end(1, 1);
    await settle();
    expect(sender.answers).toEqual([{ number: 1, parts: 1 }, 'installed']);
    expect(deposed.answers).toHaveLength(1);
    expect(onDisk().data).not.toContain('key-x');
  });

  it('S6 S15 that its primary stopped: nothing of it gets into the next one', async () => {
    const sender = await begun();
    sender.install(2);
    sender.data(2, 'key-b');
    sender.data(1, 'key-c');
    sender.end(1, 1);
    await settle();
    sender.data(2, 'key-d');
    sender.end(2, 2);
    await settle();
    expect(sender.answers.slice(1)).toEqual([
      ...[1, 2].map((parts) => ({ number: 2, parts })),
      'installed',
    ]);
    await test.tick();
    expect(onDisk()).toEqual({ data: ['key-b', 'key-d'], garbage: 0 });
  });
});

describe('L5 nothing is left on disk of an install', () => {
  /** After the next look at the time, and the rounds that follow from it. */
  const left = async () => {
    await test.tick();
    expect(test.failure).toBeUndefined();
    return onDisk();
  };

  it('whose stream broke', async () => {
    const sender = await begun();
    expect(onDisk()).toEqual({ data: ['key-a'], garbage: 1 });
    sender.events.closed('reset');
    await settle();
    expect(onDisk()).toEqual({ data: [], garbage: 0 });
  });

  it('whose stream broke, with a part on its way', async () => {
    const sender = await begun();
    sender.data(1, 'key-b');
    sender.events.closed('reset');
    sender.data(1, 'key-c');
    await settle();
    expect(onDisk()).toEqual({ data: [], garbage: 0 });
  });

  it('whose primary was deposed, although its stream stands', async () => {
    await begun();
    await test.tell(leader, learning(2), 2);
    await new Sender(s3, 2).attach();
    expect(await left()).toEqual({ data: [], garbage: 0 });
  });

  it('of a replica that moved away', async () => {
    await begun();
    const replicas = [placeOf(s2), placeOf(s3)];
    await test.tell(leader, learning(1, { learners: [], replicas }), 2);
    expect(await left()).toEqual({ data: [], garbage: 0 });
  });

  it('of a shard that was made anew', async () => {
    await begun();
    const anew = learning(2).map((one) => ({ ...one, shardUuid: uuidOf(`anew ${one.shard}`) }));
    await test.tell(leader, anew, 2);
    expect(await left()).toEqual({ data: [], garbage: 0 });
  });

  it('of a replica that was set aside', async () => {
    const sender = await begun();
    const replica = [...test.node.replicas()].find(({ body }) => body.shard === shard)!;
    replica.step({ type: 'damaged', problem: 'a flipped bit' }, test.clock.now());
    sender.data(1, 'key-b');
    await test.tell(leader, learning(2), 2);
    sender.data(1, 'key-c');
    expect(replica.body.damage).toBeUndefined();
    expect(await left()).toEqual({ data: [], garbage: 0 });
  });

  it('but of the one that began in the same round as it ended', async () => {
    const sender = await begun();
    sender.events.closed('reset');
    const again = new Sender(s2, 1);
    await again.attach();
    again.install(1);
    again.data(1, 'key-b');
    expect((await left()).data).toEqual(['key-b']);
    again.end(1, 1);
    expect(await left()).toEqual({ data: ['key-b'], garbage: 0 });
    expect(again.answers).toEqual([{ number: 1, parts: 1 }, 'installed']);
  });
});
