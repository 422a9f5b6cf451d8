/** What a node sends of a log of which a record has rotted: nothing that lies behind the gap. */
import { describe, expect, it } from 'vitest';
import type { MemberId, Seq, Uuid } from '../../src/model/ids.js';
import { CorruptRecordError } from '../../src/replication/data-record.js';
import { type Entry, LOG_START, type Position, sealEntry } from '../../src/replication/entry.js';
import type { AddressedMessage } from '../../src/replication/messages.js';
import type { Work } from '../../src/storage/rounds.js';
import { nodeOf } from '../support/configs.js';
import { LoneReplica, putOf, s1, threeOf } from '../support/replica-parts.js';
import { ReplicationUnderTest } from '../support/replication-harness.js';
import { settle } from '../support/storage-harness.js';

const [s2, s3] = [nodeOf('s2').id, nodeOf('s3').id];
const { shard, shardUuid, epoch } = ReplicationUnderTest;

/** Entries 1 to 4, all of them on disk only. */
function logOfFour(): readonly Entry[] {
  const entries: Entry[] = [];
  let last: Position = LOG_START;
  for (const key of ['a', 'b', 'c', 'd']) {
    const entry = sealEntry(last, { epoch, commitSeq: 0 as Seq }, [putOf(key)]);
    entries.push(entry);
    last = entry;
  }
  return entries;
}

const AT_START = { commitSeq: 0 as Seq, baseSeq: 0 as Seq };

function prepareOf({ seq, chain }: Entry, to: MemberId): AddressedMessage {
  const entry = { seq, epoch, chain, bytes: undefined };
  return { to, shard, message: { type: 'prepare', epoch, entry, ...AT_START } };
}

describe('a log record that has rotted', () => {
  it('S8 S20 is not sent, nor is what follows it, to who was to get it; and it is damage', async () => {
    const log = logOfFour();
    const owed: MemberId[] = [];
    const test = new ReplicationUnderTest({
      store: {
        entry: (_: Uuid, { seq }: Position) => {
          if (seq === 3) throw new CorruptRecordError('a flipped bit');
          return log.find((entry) => entry.seq === seq)!;
        },
      },
      replicas: { of: () => ({}) },
      rounds: { damagedLogNow: (_: object, __: Error, to: MemberId) => owed.push(to) },
    });
    const entriesOf = (node: MemberId) =>
      test.heardBy(node).map((message) => (message.type === 'prepare' ? message.entry.seq : 0));
    const toBoth = [...log.map((entry) => prepareOf(entry, s2)), prepareOf(log[3]!, s3)];
    test.replication.send(shardUuid, toBoth);
    await settle();
    expect([entriesOf(s2), entriesOf(s3)]).toEqual([[1, 2], [4]]);
    expect(owed).toEqual([s2]);
  });
});

describe('a data record that has rotted', () => {
  it('S20 is damage, and its primary hears that the learner does not get all data', async () => {
    const lone = LoneReplica.leading();
    lone.config(threeOf({ isr: [s1.id, s3], learners: [s2] }), 2);
    lone.step({ type: 'session-down', node: s2, gone: false });
    expect(lone.attachEmpty(s2).installs).toEqual([s2]);
    const heard: unknown[] = [];
    const snapshot = {
      async *chunks() {
        await Promise.resolve();
        throw new CorruptRecordError('a flipped bit');
      },
      close: () => Promise.resolve(),
    };
    const test = new ReplicationUnderTest({
      store: { snapshot: () => snapshot },
      rounds: {
        damaged: (_: object, { message }: Error) => heard.push(message),
        submit: (work: Work) => heard.push(work),
      },
    });
    test.replication.install(lone.replica, s2);
    await settle();
    const { body, primary } = lone.replica;
    const { attachNumber } = primary!.peer(s2)!;
    expect(heard.slice(-2)).toEqual([
      'a stored record is corrupt: a flipped bit',
      {
        type: 'replica',
        shard: body.shard,
        shardUuid: body.shardUuid,
        input: { type: 'install-failed', node: s2, attachNumber },
      },
    ]);
  });
});
