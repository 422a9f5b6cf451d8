/** A replica that follows: what it answers, in which phase, and what must be durable before. */
import { describe, expect, it } from 'vitest';
import type { Epoch, Seq } from '../../src/model/ids.js';
import { type Entry, LOG_START, type Position, sealEntry } from '../../src/replication/entry.js';
import type { ReplicaMessage } from '../../src/replication/messages.js';
import type { Ready } from '../../src/replication/outbox.js';
import { LoneReplica, putOf, s1, s2, s3, threeOf } from '../support/replica-parts.js';

const types = ({ send }: Ready) => send.map(({ message }) => message.type);
const epoch = (value: number) => value as Epoch;

/** An entry with one put behind `previous`. */
function entryAfter(previous: Position, inEpoch = 2, commitSeq = 0): Entry {
  const head = { epoch: epoch(inEpoch), commitSeq: commitSeq as Seq };
  return sealEntry(previous, head, [putOf('k', `v${previous.seq}`)]);
}

function prepare(entry: Entry, inEpoch = 2, commitSeq = 0): ReplicaMessage {
  return { type: 'prepare', epoch: epoch(inEpoch), entry, commitSeq: commitSeq as Seq };
}

function resume({ seq, epoch: of, chain }: Position, inEpoch = 2): ReplicaMessage {
  return { type: 'resume', epoch: epoch(inEpoch), match: { seq, epoch: of, chain } };
}

/** s2 with an empty log, attached to s1 in epoch 2. */
function attached(): LoneReplica {
  const lone = new LoneReplica(s2);
  lone.config(threeOf({ state: 'creating' }), 0);
  lone.persisted();
  lone.message(s1.id, { type: 'attach', epoch: epoch(2) });
  lone.persisted();
  return lone;
}

function following(): LoneReplica {
  const lone = attached();
  lone.message(s1.id, resume(LOG_START));
  return lone;
}

const [one, two] = [entryAfter(LOG_START), entryAfter(entryAfter(LOG_START))];

describe('a promise', () => {
  it('S2 is durable before anything is answered in its epoch', () => {
    const lone = new LoneReplica(s2);
    lone.config(threeOf({ state: 'creating' }), 0);
    lone.persisted();
    expect(types(lone.message(s1.id, { type: 'attach', epoch: epoch(2) }))).toEqual([]);
    expect(types(lone.persisted())).toEqual(['attached']);
  });

  it('S2 nor while a batch of before is under way, whatever that holds', () => {
    const lone = new LoneReplica(s2);
    lone.config(threeOf({ state: 'creating' }), 0);
    lone.message(s1.id, { type: 'attach', epoch: epoch(2) });
    expect(types(lone.persisted())).toEqual([]);
    expect(types(lone.persisted())).toEqual(['attached']);
  });

  it('S3 refuses whoever speaks in a lower epoch, and says so', () => {
    const lone = attached();
    const ready = lone.message(s3.id, { type: 'attach', epoch: epoch(1) });
    expect(ready.send).toMatchObject([
      { to: s3.id, message: { type: 'refused', epoch: 1, promised: 2 } },
    ]);
    lone.message(s1.id, resume(LOG_START, 1));
    lone.message(s1.id, prepare(one, 1));
    expect(lone.replica.body.log.last.seq).toBe(0);
  });

  it('S19 is not given by a replica that does not exist: it is asked again', () => {
    const lone = new LoneReplica(s2);
    const ready = lone.message(s1.id, { type: 'attach', epoch: epoch(2) });
    expect(ready.send).toMatchObject([{ message: { type: 'refused', epoch: 2, promised: 2 } }]);
    expect(lone.replica.body.exists).toBe(false);
  });

  it('S14 to another primary is told to the one before', () => {
    const lone = following();
    const { send } = lone.message(s3.id, { type: 'attach', epoch: epoch(3) });
    expect(send).toMatchObject([{ to: s1.id, message: { type: 'detached', epoch: 2 } }]);
  });
});

describe('a follower', () => {
  it('S4 acknowledges what is durable, and all of it at once', () => {
    const lone = following();
    expect(types(lone.message(s1.id, prepare(one)))).toEqual([]);
    lone.message(s1.id, prepare(two));
    expect(lone.persisted().send).toMatchObject([{ message: { position: { seq: 1 } } }]);
    expect(lone.persisted().send).toMatchObject([{ message: { position: { seq: 2 } } }]);
  });

  it('S3 takes nothing before its log and that of the primary agree', () => {
    const lone = attached();
    lone.message(s1.id, prepare(one));
    lone.message(s1.id, { type: 'commit', epoch: epoch(2), commitSeq: 1 as Seq });
    expect(lone.replica.body.log.last.seq).toBe(0);
    expect(lone.replica.body.commitSeq).toBe(0);
  });

  it('S8 an entry that does not follow what it has is a bug of ours', () => {
    expect(() => following().message(s1.id, prepare(two))).toThrow('S8');
  });

  it('S9 knows no more to be committed than it has', () => {
    const lone = following();
    lone.message(s1.id, prepare(one, 2, 9));
    expect(lone.replica.body.commitSeq).toBe(1);
  });

  it('S10 is never cut below what it knows to be committed', () => {
    const lone = following();
    lone.message(s1.id, prepare(one, 2, 1));
    lone.persisted();
    const ready = lone.message(s3.id, { type: 'attach', epoch: epoch(3) });
    expect(types(ready)).toEqual(['detached']);
    // Its log begins, for everybody, with what is committed.
    expect(lone.persisted().send).toMatchObject([{ message: { tail: [{ seq: 1 }] } }]);
    expect(() => lone.message(s3.id, resume(LOG_START, 3))).toThrow('S10');
  });

  it('forgets its phase with its stream, and not its promise', () => {
    const lone = following();
    lone.step({ type: 'caller-down', node: s3.id });
    lone.message(s1.id, prepare(one));
    lone.step({ type: 'caller-down', node: s1.id });
    lone.message(s1.id, prepare(two));
    expect(lone.replica.body.log.last.seq).toBe(1);
    expect(types(lone.message(s1.id, { type: 'attach', epoch: epoch(2) }))).toEqual([]);
    expect(types(lone.persisted())).toEqual(['attached']);
  });
});

describe('all data of another replica', () => {
  const base = { seq: 7 as Seq, epoch: epoch(2), chain: 'a'.repeat(32) as Position['chain'] };
  const install = { type: 'install', epoch: epoch(2) } as const;

  it('S15 is there when the batch that switches to it is durable, not one that was under way', () => {
    const lone = attached();
    lone.message(s1.id, install);
    expect(types(lone.step({ type: 'installed', base }))).toEqual([]);
    expect(types(lone.persisted())).toEqual([]);
    expect(lone.replica.body.durableSeq).toBe(0);
    expect(lone.persisted().send).toMatchObject([{ message: { type: 'installed', base } }]);
    expect(lone.replica.body.durableSeq).toBe(7);
  });

  it('S15 nor does a new stream in between make it so', () => {
    const lone = attached();
    lone.message(s1.id, install);
    lone.persisted();
    lone.step({ type: 'installed', base });
    lone.step({ type: 'caller-down', node: s1.id });
    expect(types(lone.message(s1.id, { type: 'attach', epoch: epoch(2) }))).toEqual([]);
    expect(lone.persisted().send).toMatchObject([{ message: { type: 'attached', tail: [base] } }]);
  });

  it('S10 S15 what contradicts it is set aside first, and its promise is not', () => {
    const lone = following();
    lone.message(s1.id, prepare(one, 2, 1));
    lone.persisted();
    const diverged = lone.message(s1.id, { type: 'diverged', epoch: epoch(2) });
    expect(diverged.events).toMatchObject([{ type: 'set-aside' }]);
    const { body } = lone.replica;
    expect(body).toMatchObject({ isInstalling: true, promisedEpoch: 2, commitSeq: 0 });
    lone.message(s1.id, install);
    lone.persisted();
    lone.persisted();
    lone.step({ type: 'installed', base });
    expect(lone.persisted().send).toMatchObject([{ message: { type: 'installed', base } }]);
  });

  it('S15 until then the replica is of no use, and says so', () => {
    const lone = attached();
    lone.message(s1.id, install);
    expect(lone.replica.body.state()?.isInstalling).toBe(true);
    lone.step({ type: 'caller-down', node: s1.id });
    const ready = lone.message(s1.id, { type: 'attach', epoch: epoch(2) });
    expect(ready.send).toMatchObject([{ message: { type: 'attached', tail: [] } }]);
    lone.config(threeOf(), 1);
    expect(lone.replica.standing).toBe('lost');
  });

  it('S20 takes the place of what was damaged, which is no reason for anything any more', () => {
    const lone = following();
    lone.config(threeOf({ epoch: epoch(2) }), 1);
    lone.message(s1.id, { type: 'install', epoch: epoch(2) });
    lone.step({ type: 'damaged', problem: 'a flipped bit' });
    expect(lone.replica.problem).toBe('a flipped bit');
    lone.step({ type: 'installed', base: two });
    expect(lone.replica.problem).toBeUndefined();
  });

  it('S15 that nobody asked for is left alone', () => {
    const lone = following();
    lone.step({ type: 'installed', base });
    expect(lone.replica.body.log.base.seq).toBe(0);
  });
});
