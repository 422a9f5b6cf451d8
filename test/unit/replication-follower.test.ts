/** A replica that follows: what it answers, in which phase, and what must be durable before. */
import { describe, expect, it } from 'vitest';
import type { Epoch, Seq } from '../../src/model/ids.js';
import { type Entry, LOG_START, type Position, sealEntry } from '../../src/replication/entry.js';
import type { ReplicaMessage } from '../../src/replication/messages.js';
import type { Ready } from '../../src/replication/outbox.js';
import { placeOf } from '../support/configs.js';
import { LoneReplica, putOf, s1, s2, s3, threeOf } from '../support/replica-parts.js';

const types = ({ send }: Ready) => send.map(({ message }) => message.type);
const epoch = (value: number) => value as Epoch;

/** An entry with one put behind `previous`. */
function entryAfter(previous: Position, inEpoch = 2, commitSeq = 0): Entry {
  const head = { epoch: epoch(inEpoch), commitSeq: commitSeq as Seq };
  return sealEntry(previous, head, [putOf('k', `v${previous.seq}`)]);
}

function prepare(entry: Entry, inEpoch = 2, commitSeq = 0): ReplicaMessage {
  const baseSeq = 0 as Seq;
  return { type: 'prepare', epoch: epoch(inEpoch), entry, commitSeq: commitSeq as Seq, baseSeq };
}

function resume({ seq, epoch: of, chain }: Position, inEpoch = 2): ReplicaMessage {
  return { type: 'resume', epoch: epoch(inEpoch), match: { seq, epoch: of, chain } };
}

/** From a primary whose log ends elsewhere, if nothing else is said. */
function attach(
  inEpoch: number,
  after: Position = entryAfter(entryAfter(LOG_START)),
): ReplicaMessage {
  const { seq, epoch: of, chain } = after;
  return { type: 'attach', epoch: epoch(inEpoch), number: 1, after: { seq, epoch: of, chain } };
}

/** s2 with an empty log, attached to s1 in epoch 2. */
function attached(): LoneReplica {
  const lone = new LoneReplica(s2);
  lone.config(threeOf({ state: 'creating' }), 0);
  lone.persisted();
  lone.message(s1.id, attach(2));
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
    expect(types(lone.message(s1.id, attach(2)))).toEqual([]);
    expect(types(lone.persisted())).toEqual(['attached']);
  });

  it('S2 nor while a batch of before is under way, whatever that holds', () => {
    const lone = new LoneReplica(s2);
    lone.config(threeOf({ state: 'creating' }), 0);
    lone.message(s1.id, attach(2));
    expect(types(lone.persisted())).toEqual([]);
    expect(types(lone.persisted())).toEqual(['attached']);
  });

  it('S3 refuses whoever speaks in a lower epoch, and says so', () => {
    const lone = attached();
    const ready = lone.message(s3.id, attach(1));
    expect(ready.send).toMatchObject([
      { to: s3.id, message: { type: 'refused', epoch: 1, promised: 2 } },
    ]);
    lone.message(s1.id, resume(LOG_START, 1));
    lone.message(s1.id, prepare(one, 1));
    expect(lone.replica.body.log.last.seq).toBe(0);
  });

  it('S19 is not given by a replica that does not exist: it is asked again', () => {
    const lone = new LoneReplica(s2);
    const ready = lone.message(s1.id, attach(2));
    expect(ready.send).toMatchObject([{ message: { type: 'refused', epoch: 2, promised: 2 } }]);
    expect(lone.replica.body.exists).toBe(false);
  });

  it('S14 to another primary is told to the one before', () => {
    const lone = following();
    const { send } = lone.message(s3.id, attach(3));
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
    const [commitSeq, baseSeq] = [1 as Seq, 0 as Seq];
    lone.message(s1.id, { type: 'commit', epoch: epoch(2), commitSeq, baseSeq });
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

  it('L2 L5 keeps of its log what its primary keeps, and no more', () => {
    const lone = following();
    const hear = (commitSeq: number, baseSeq: number) => {
      const seqs = { commitSeq: commitSeq as Seq, baseSeq: baseSeq as Seq };
      lone.message(s1.id, { type: 'commit', epoch: epoch(2), ...seqs });
      for (let n = 0; n < 3; n++) {
        lone.persisted();
        lone.step({ type: 'tick' });
      }
      return lone.replica.body.log.base.seq;
    };
    for (const entry of [one, two, entryAfter(two)]) lone.message(s1.id, prepare(entry));
    expect(hear(3, 0)).toBe(0);
    expect(hear(3, 2)).toBe(2);
  });

  it('S10 is never cut below what it knows to be committed', () => {
    const lone = following();
    lone.message(s1.id, prepare(one, 2, 1));
    lone.persisted();
    const ready = lone.message(s3.id, attach(3));
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
    expect(types(lone.message(s1.id, attach(2)))).toEqual([]);
    expect(types(lone.persisted())).toEqual(['attached']);
  });
});

describe('a follower whose log ends where that of its primary does', () => {
  const entry = entryAfter(LOG_START, 3);

  /** s2 with an empty log and nothing promised but epoch 1, on its disk. */
  function created(): LoneReplica {
    const lone = new LoneReplica(s2);
    lone.config(threeOf({ state: 'creating' }), 0);
    lone.persisted();
    return lone;
  }

  it('follows at once, and holds what comes next when it answers', () => {
    const lone = created();
    lone.message(s1.id, attach(3, LOG_START));
    // While the promise is on its way to disk.
    expect(types(lone.message(s1.id, prepare(entry, 3)))).toEqual([]);
    expect(types(lone.persisted())).toEqual([]);
    expect(lone.persisted().send).toMatchObject([
      { message: { type: 'attached', follows: true, tail: [{ seq: 0 }, { seq: 1 }] } },
    ]);
  });

  it('S4 acknowledges what comes after that answer', () => {
    const lone = created();
    lone.message(s1.id, attach(3, LOG_START));
    expect(lone.persisted().send).toMatchObject([
      { message: { follows: true, tail: [{ seq: 0 }] } },
    ]);
    lone.message(s1.id, prepare(entry, 3));
    const [ack] = lone.persisted().send;
    expect(ack?.message).toMatchObject({ type: 'prepareAck', position: { seq: 1 } });
  });

  it('S8 with the same entries, not only as many', () => {
    const lone = following();
    lone.message(s1.id, prepare(one));
    lone.persisted();
    const other = sealEntry(LOG_START, { epoch: epoch(2), commitSeq: 0 as Seq }, [putOf('other')]);
    lone.message(s3.id, attach(3, other));
    lone.message(s3.id, prepare(entryAfter(other, 3), 3));
    expect(lone.persisted().send).toMatchObject([
      { message: { type: 'attached', follows: false } },
    ]);
    expect(lone.replica.body.log.last.seq).toBe(1);
    lone.message(s3.id, resume(LOG_START, 3));
    lone.message(s3.id, prepare(entry, 3));
    expect(lone.replica.body.log.last).toMatchObject({ seq: 1, epoch: 3 });
  });

  it('S15 does not while its data is half replaced', () => {
    const lone = attached();
    lone.message(s1.id, { type: 'install', epoch: epoch(2), number: 1 });
    lone.persisted();
    lone.step({ type: 'caller-down', node: s1.id });
    const { send } = lone.message(s1.id, attach(2, LOG_START));
    expect(send).toMatchObject([{ message: { type: 'attached', follows: false, tail: [] } }]);
  });
});

describe('all data of another replica', () => {
  const base = { seq: 7 as Seq, epoch: epoch(2), chain: 'a'.repeat(32) as Position['chain'] };
  const install = { type: 'install', epoch: epoch(2), number: 1 } as const;
  const installed = { type: 'installed', from: s1.id, number: 1 } as const;

  it('S15 is there when the batch that switches to it is durable, not one that was under way', () => {
    const lone = attached();
    lone.message(s1.id, install);
    expect(types(lone.step({ ...installed, base }))).toEqual([]);
    expect(types(lone.persisted())).toEqual([]);
    expect(lone.replica.body.durableSeq).toBe(0);
    expect(lone.persisted().send).toMatchObject([{ message: { type: 'installed', base } }]);
    expect(lone.replica.body.durableSeq).toBe(7);
  });

  it('S15 nor does a new stream in between make it so', () => {
    const lone = attached();
    lone.message(s1.id, install);
    lone.persisted();
    lone.step({ ...installed, base });
    lone.step({ type: 'caller-down', node: s1.id });
    expect(types(lone.message(s1.id, attach(2)))).toEqual([]);
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
    lone.step({ ...installed, base });
    expect(lone.persisted().send).toMatchObject([{ message: { type: 'installed', base } }]);
  });

  it('S20 with it goes what was found damaged in it: its successor is sound', () => {
    const lone = following();
    const learning = { isr: [s1.id, s3.id], learners: [s2.id] };
    lone.config(threeOf({ epoch: epoch(2), ...learning }), 1);
    const found = lone.step({ type: 'damaged', problem: 'a flipped bit' });
    expect(found.events).toMatchObject([{ type: 'damaged' }]); // Set aside in the next epoch.
    lone.message(s1.id, { type: 'diverged', epoch: epoch(2) });
    lone.persisted();
    expect(lone.replica.problem).toBeUndefined();
    const { events } = lone.config(threeOf({ epoch: epoch(3), ...learning }), 2);
    expect(events.filter(({ type }) => type === 'set-aside')).toEqual([]);
  });

  it('S15 until then the replica is of no use, and says so', () => {
    const lone = attached();
    lone.message(s1.id, install);
    expect(lone.replica.body.state()?.isInstalling).toBe(true);
    lone.step({ type: 'caller-down', node: s1.id });
    const ready = lone.message(s1.id, attach(2));
    expect(ready.send).toMatchObject([{ message: { type: 'attached', tail: [] } }]);
    lone.config(threeOf(), 1);
    expect(lone.replica.standing).toBe('lost');
  });

  it('S20 takes the place of what was damaged, which is no reason for anything any more', () => {
    const lone = following();
    lone.config(threeOf({ epoch: epoch(2) }), 1);
    lone.message(s1.id, { type: 'install', epoch: epoch(2), number: 1 });
    lone.step({ type: 'damaged', problem: 'a flipped bit' });
    expect(lone.replica.problem).toBe('a flipped bit');
    lone.step({ ...installed, base: two });
    expect(lone.replica.problem).toBeUndefined();
  });

  it('S3 S15 is that of the latest install of the primary that it follows, and of no other', () => {
    const lone = attached();
    const { replica } = lone;
    const awaited = () => {
      return [s1, s3].flatMap(({ id }) => [1, 2].filter((n) => replica.awaitsInstall(id, n)));
    };
    expect(awaited()).toEqual([]);
    lone.message(s1.id, { ...install, number: 1 });
    lone.message(s3.id, { ...install, number: 2 }); // Whom it does not follow,
    lone.message(s1.id, { ...install, epoch: epoch(1), number: 2 }); // or any more.
    expect(awaited()).toEqual([1]);
    lone.message(s1.id, { ...install, number: 2 });
    expect(awaited()).toEqual([2]);
    for (const void_ of [
      { ...installed, base },
      { ...installed, from: s3.id, number: 2, base },
    ]) {
      lone.step(void_);
      expect(replica.body.isInstalling).toBe(true);
    }
    lone.step({ ...installed, number: 2, base });
    expect(awaited()).toEqual([]);
    expect(replica.body.log.last).toEqual(base);
  });

  it('L5 is waited for no longer when the replica moves away, but when it is to come back', () => {
    const lone = attached();
    const replicas = [s1, s3].map(placeOf);
    const isr = [s1.id, s3.id];
    const elsewhere = threeOf({ epoch: epoch(2), isr, replicas });
    lone.message(s1.id, install);
    expect(lone.replica.awaitsInstall(s1.id, 1)).toBe(true);
    lone.config(elsewhere, 2);
    expect(lone.replica.awaitsInstall(s1.id, 1)).toBe(false);
    // Its primary has heard of a third one, and the replica hears the second once more.
    lone.message(s1.id, { ...install, number: 2 });
    lone.config(elsewhere, 3);
    expect(lone.replica.awaitsInstall(s1.id, 2)).toBe(true);
  });

  it('S15 that nobody asked for is left alone', () => {
    const lone = following();
    lone.step({ ...installed, base });
    expect(lone.replica.body.log.base.seq).toBe(0);
  });
});
