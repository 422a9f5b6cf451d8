/** The pace at which a shard is sent to a learner. */
import { describe, expect, it } from 'vitest';
import type { Epoch } from '../../src/model/ids.js';
import type { ReplicaStore } from '../../src/storage/replica-store.js';
import type { ReplicationRecord } from '../../src/storage/replication-frame.js';
import { CorruptRecordError } from '../../src/replication/data-record.js';
import { InstallSender } from '../../src/storage/install-sender.js';
import { LoneReplica, s1, s2, s3, threeOf } from '../support/replica-parts.js';
import { settle } from '../support/storage-harness.js';

const PARTS = 100;
const AHEAD = 4;
const DAMAGE = new CorruptRecordError('a flipped bit');

const without2 = threeOf({ isr: [s1.id, s3.id], learners: [s2.id] });

/** A primary that sends a shard of so many parts to s2, one of which may be damaged. */
function sending({ parts = PARTS, damagedPart = -1 } = {}) {
  const lone = LoneReplica.leading({ keepEntries: 0, trimEntries: 1 });
  const { replica } = lone;
  lone.config(without2, 2);
  lone.step({ type: 'session-down', node: s2.id, gone: false });
  expect(lone.attachEmpty(s2.id).installs).toEqual([s2.id]);
  let closed = 0;
  const said: string[] = [];
  const sent: ReplicationRecord[] = [];
  const store = {
    snapshot: () => ({
      async *chunks() {
        for (let part = 0; part < parts; part++) {
          await Promise.resolve();
          if (part === damagedPart) throw DAMAGE;
          yield [[Buffer.from(`k${part}`), Buffer.from('record')]];
        }
      },
      close: () => Promise.resolve(void closed++),
    }),
  } as unknown as ReplicaStore;
  const failed = (error: unknown) => {
    throw error;
  };
  const sender = new InstallSender({
    store,
    failed,
    damaged: (_, { message }) => said.push(message),
    installFailed: (_, to, attachNumber) => said.push(`${to} ${attachNumber}`),
    send: (_, record) => sent.push(record),
  });
  const { shard, shardUuid } = replica.body;
  let begun = 0;
  /** The install that was begun last, unless said otherwise. */
  const acknowledge = async (parts: number, number = begun) => {
    const ack = { type: 'dataAck', shard, shardUuid, number, parts } as const;
    const isProgress = sender.acknowledged(s2.id, ack);
    await settle();
    return isProgress;
  };
  return {
    lone,
    said,
    closed: () => closed,
    look: () => (sender.look(), settle()),
    acknowledge,
    begin: () => (begun++, sender.begin(replica, s2.id), settle()),
    stop: () => sender.abandon(s2.id),
    sent,
    /** Parts since the install began last. */
    parts: () => {
      const begun = sent.findLastIndex(({ type }) => type === 'replica');
      return sent.slice(begun).filter(({ type }) => type === 'data').length;
    },
    isOver: () => sent.at(-1)?.type === 'dataEnd',
  };
}

describe('a shard that is sent to a learner', () => {
  it('is a few parts ahead of what the learner has on disk, to the end', async () => {
    const test = sending();
    await test.begin();
    for (let acked = 0; acked + AHEAD < PARTS; acked++) {
      expect(test.parts()).toBe(acked + AHEAD);
      await test.acknowledge(acked + 1);
    }
    expect({ parts: test.parts(), isOver: test.isOver() }).toEqual({ parts: PARTS, isOver: true });
  });

  it('L5 is sent as long as the learner is to get it: no snapshot stays open for nobody', async () => {
    const test = sending();
    await test.begin();
    await test.look();
    await test.acknowledge(1);
    expect({ parts: test.parts(), closed: test.closed() }).toEqual({ parts: 1 + AHEAD, closed: 0 });
    // Somebody else leads: s2 asks there.
    test.lone.config(threeOf({ epoch: 2 as Epoch, primary: s3.id }), 3);
    await test.look();
    expect(test.closed()).toBe(1);
    await test.acknowledge(2);
    expect(test.parts()).toBe(1 + AHEAD);
  });

  it('S15 nor is it begun by a primary that is none any more: its data may have been replaced', async () => {
    const test = sending();
    test.lone.config(threeOf({ epoch: 2 as Epoch, primary: s3.id }), 3);
    await test.begin();
    expect({ parts: test.parts(), isOver: test.isOver() }).toEqual({ parts: 0, isOver: false });
  });

  it('S20 ends where a record is damaged, and that is said of the one that was to get it', async () => {
    const test = sending({ damagedPart: 2 });
    await test.begin();
    const { attachNumber } = test.lone.replica.primary!.peer(s2.id)!;
    expect(test.said).toEqual([DAMAGE.message, `${s2.id} ${attachNumber}`]);
    expect({ isOver: test.isOver(), closed: test.closed() }).toEqual({ isOver: false, closed: 1 });
  });

  it('S20 and not of one that is sent it anew already', async () => {
    const test = sending({ damagedPart: 0 });
    const first = test.begin(); // It has not come to the damage.
    await test.begin();
    await first;
    expect(test.said).toEqual([
      ...[DAMAGE.message, DAMAGE.message],
      expect.stringMatching(/^s2 \d+$/),
    ]);
  });

  it('keeps its pace when acknowledgements of an earlier install come late', async () => {
    const test = sending();
    await test.begin();
    await test.begin();
    for (const late of [1, 2, 3, 4]) expect(await test.acknowledge(late, 1)).toBe(false);
    expect(test.parts()).toBe(AHEAD);
    expect(await test.acknowledge(2)).toBe(true);
    expect(await test.acknowledge(1)).toBe(false);
    expect(test.parts()).toBe(AHEAD + 2);
  });

  it('S6 S15 says with every part, and at the end, of which install it is', async () => {
    const test = sending({ parts: 1 });
    for (const number of [1, 2]) {
      await test.begin();
      expect(test.sent.splice(0)).toMatchObject([
        { type: 'replica', message: { type: 'install', epoch: 1, number } },
        { type: 'data', number },
        { type: 'dataEnd', number, pairs: 1 },
      ]);
    }
  });

  it('S15 has no end when it was stopped, though all parts were sent', async () => {
    const test = sending({ parts: 1 });
    const begun = test.begin();
    while (test.parts() < 1) await Promise.resolve();
    test.stop();
    await begun;
    expect({ isOver: test.isOver(), closed: test.closed() }).toEqual({ isOver: false, closed: 1 });
  });
});
