/** What the primary of one shard asks the leader: who should leave the isr, and who should join. */
import { describe, expect, it } from 'vitest';
import type { Epoch, MemberId, Seq } from '../../src/model/ids.js';
import type { Ready } from '../../src/replication/outbox.js';
import { GROUP_SETTINGS } from '../support/replica-group.js';
import { LoneReplica, s1, s2, s3, threeOf } from '../support/replica-parts.js';

const asked = ({ requests }: Ready) => requests.map(({ change }) => change.type);
const without3 = threeOf({ isr: [s1.id, s2.id], learners: [s3.id] });

describe('what a primary asks the leader', () => {
  it('S7 to drop a member that is silent, again and again until it is heard', () => {
    const lone = LoneReplica.leading();
    expect(asked(lone.pass(999, s2.id))).toEqual([]);
    expect(asked(lone.pass(1, s2.id))).toEqual(['shrink']);
    expect(asked(lone.pass(299, s2.id))).toEqual([]);
    expect(asked(lone.pass(1, s2.id))).toEqual(['shrink']);
    lone.config(without3, 2);
    // It still has everything, and its stream is open: that is no reason to take it back.
    expect(asked(lone.pass(300, s2.id))).toEqual([]);
    expect(asked(lone.pass(300, s2.id, s3.id))).toEqual(['expand']);
  });

  it('S7 to drop a member that is about to stop, at once, if minIsr members stay', () => {
    const lone = LoneReplica.leading();
    const leaving = (node: MemberId) => {
      lone.sessions.leaving(node);
      return asked(lone.step({ type: 'session-up', node }));
    };
    expect(leaving(s3.id)).toEqual(['shrink']);
    lone.put('a');
    lone.persisted();
    lone.ack(s2.id, 2);
    expect(lone.replica.body.commitSeq).toBe(1);
    expect(lone.ack(s3.id, 2).answers).toHaveLength(1);
    // It follows on and has everything, but nobody waits for it.
    expect(asked(lone.config(without3, 2))).toEqual([]);
    lone.ackAll(s3.id);
    expect(asked(lone.pass(300, s2.id, s3.id))).toEqual([]);
    expect(leaving(s2.id)).toEqual([]);
    // Its next life is another one.
    lone.sessions.down(s3.id);
    lone.step({ type: 'session-down', node: s3.id, gone: true });
    lone.attach(s3.id, 2);
    expect(asked(lone.pass(100, s2.id, s3.id))).toEqual(['expand']);
  });

  it('S7 not to take one in that is about to stop, not even if that was asked', () => {
    const lone = LoneReplica.leading();
    lone.config(without3, 2);
    lone.pass(300, s2.id, s3.id);
    lone.sessions.leaving(s3.id);
    expect(asked(lone.step({ type: 'session-up', node: s3.id }))).toEqual(['withdraw']);
  });

  it('S7 or that answers beats, and does not come forward', () => {
    const lone = LoneReplica.leading();
    lone.put('a');
    lone.persisted();
    lone.ack(s2.id, 2);
    expect(asked(lone.pass(999, s2.id, s3.id))).toEqual([]);
    expect(asked(lone.pass(1, s2.id, s3.id))).toEqual(['shrink']);
  });

  it('S7 nobody for a silence in which it did not listen itself (it was stopped, or late)', () => {
    const lone = LoneReplica.leading();
    lone.put('a');
    lone.persisted();
    expect(asked(lone.stand(60_000))).toEqual([]);
    expect(asked(lone.pass(999))).toEqual([]);
    expect(asked(lone.stand(GROUP_SETTINGS.lateMs))).toEqual([]);
    // It has listened for as long as it takes: s2 answered beats and did nothing, s3 is silent.
    expect(asked(lone.pass(999, s2.id))).toEqual([]);
    expect(asked(lone.pass(1, s2.id))).toEqual(['shrink', 'shrink']);
  });

  it('S7 nor does an answer that waited for it change that', () => {
    const lone = LoneReplica.leading();
    lone.put('a');
    lone.persisted();
    lone.now += 60_000;
    expect(asked(lone.ack(s2.id, 2))).toEqual([]);
    expect(asked(lone.pass(900))).toEqual([]);
  });

  it('S7 whether ZooKeeper was set back, when it hears of less than it knows', () => {
    const lone = LoneReplica.leading();
    lone.pass(1_000, s2.id); // Else s3 would be asked for at once.
    lone.config({ ...without3, nonce: '02' }, 2);
    expect(asked(lone.config({ ...without3, nonce: '02' }, 2))).toEqual([]);
    expect(asked(lone.config(threeOf({ nonce: '01' }), 1))).toEqual(['set-back']);
    const other = threeOf({ nonce: '03' });
    expect(asked(lone.config(other, 2)), 'of another leader maybe').toEqual(['set-back']);
    expect(asked(lone.pass(299, s2.id)), 'it was asked for just now').toEqual([]);
    expect(lone.pass(1, s2.id).requests, 'what it asked may be lost').toMatchObject([
      { epoch: 1, basedOn: 2, change: { type: 'set-back', nonce: '02', inSync: ['s1', 's2'] } },
    ]);
    expect(asked(lone.config({ ...without3, nonce: '02' }, 2))).toEqual([]);
    expect(asked(lone.pass(900, s2.id)), 'it has heard its own again').toEqual([]);
    // It does not follow it: s3 does not count, and does not become a member by that.
    lone.put('a');
    for (let batch = 0; batch < 3; batch++) lone.persisted();
    lone.ack(s2.id, 2);
    expect(lone.replica.body.commitSeq).toBe(2);
  });

  it('S7 and when it hears of its own at an earlier version: the znode was made again', () => {
    const lone = LoneReplica.leading();
    lone.pass(1_000, s2.id);
    lone.config({ ...without3, nonce: '02' }, 2);
    const { requests } = lone.config({ ...without3, nonce: '02' }, 0);
    expect(requests).toMatchObject([{ basedOn: 2, change: { type: 'set-back', nonce: '02' } }]);
    expect(asked(lone.config({ ...without3, nonce: '02' }, 2))).toEqual([]);
    expect(asked(lone.pass(900, s2.id))).toEqual([]);
  });

  it('S7 by what it goes by now, if ZooKeeper was set back twice', () => {
    const lone = LoneReplica.leading();
    lone.pass(1_000, s2.id);
    lone.config({ ...without3, nonce: '02' }, 2);
    lone.config(threeOf({ nonce: '09' }), 4);
    const { requests } = lone.config({ ...without3, nonce: '02' }, 2);
    const change = { type: 'set-back', nonce: '09', inSync: ['s1', 's2'] };
    expect(requests).toMatchObject([{ basedOn: 4, change }]);
  });

  it('S6 S7 in the next epoch, too, if a member is in sync in it that lacks something', () => {
    const lone = LoneReplica.leading();
    lone.pass(1_000, s2.id);
    lone.config({ ...without3, nonce: '02' }, 2);
    expect(lone.replica.lead).toEqual({ version: 2, nonce: '02', inSync: ['s1', 's2'] });
    lone.config(threeOf({ epoch: 2 as Epoch, nonce: '10' }), 3);
    for (let batch = 0; batch < 3; batch++) lone.persisted();
    expect(lone.replica.lead).toEqual({ version: 3, nonce: '10', inSync: ['s1', 's2'] });
    const { requests } = lone.pass(1_000, s2.id);
    const change = { type: 'set-back', nonce: '02', inSync: ['s1', 's2'] };
    expect(requests).toContainEqual(expect.objectContaining({ epoch: 2, basedOn: 3, change }));
  });

  it('S7 nothing in one that does not follow its own: another one has led between', () => {
    const lone = LoneReplica.leading();
    lone.pass(1_000, s2.id);
    lone.config({ ...without3, nonce: '02' }, 2);
    lone.config(threeOf({ epoch: 3 as Epoch, nonce: '10' }), 3);
    for (let batch = 0; batch < 3; batch++) lone.persisted();
    expect(lone.replica.lead?.inSync).toEqual(['s1', 's2', 's3']);
    expect(asked(lone.pass(1_000, s2.id, s3.id))).not.toContain('set-back');
  });

  it('S7 and when one that comes later has a member that it did not ask for', () => {
    const lone = LoneReplica.leading();
    lone.pass(1_000, s2.id);
    lone.config({ ...without3, nonce: '02' }, 2);
    lone.put('a');
    for (let batch = 0; batch < 3; batch++) lone.persisted();
    // Written by a leader that was set back to version 1, and has gone on from there.
    const { requests } = lone.config(threeOf({ nonce: '09' }), 4);
    const setBack = { type: 'set-back', nonce: '02', inSync: ['s1', 's2'] };
    expect(requests).toMatchObject([{ basedOn: 4, change: setBack }]);
    lone.ack(s2.id, 2);
    expect(lone.replica.body.commitSeq, 's3 may be elected: it is waited for').toBe(1);
    expect(lone.replica.primary!.mayRead(lone.now), 'and its lease is needed').toBe(false);
    expect(asked(lone.pass(900, s2.id)), 'the answer may be lost').toContain('set-back');
    lone.config({ ...without3, nonce: '10' }, 5);
    expect(asked(lone.pass(900, s2.id)), 's3 has left again').not.toContain('set-back');
  });

  describe('to replace a learner', () => {
    const { giveUpMs } = GROUP_SETTINGS;
    const asksOf = (ready: Ready) => asked(ready).filter((change) => change === 'replace');

    it('that is silent for very long, and again after as long', () => {
      const lone = LoneReplica.leading();
      lone.pass(1_000, s2.id);
      lone.config(without3, 2);
      expect(asksOf(lone.pass(giveUpMs - 1_001, s2.id))).toEqual([]);
      expect(asksOf(lone.pass(1, s2.id))).toEqual(['replace']);
      expect(asksOf(lone.pass(giveUpMs - 1, s2.id))).toEqual([]);
      expect(asksOf(lone.pass(1, s2.id))).toEqual(['replace']);
    });

    it('that lives and gets nothing done: more of an install is something', () => {
      const lone = LoneReplica.leading();
      lone.step({ type: 'session-down', node: s3.id, gone: false });
      lone.config(without3, 2);
      lone.attachEmpty(s3.id);
      lone.pass(giveUpMs / 4, s2.id, s3.id);
      lone.step({ type: 'install-progress', node: s3.id });
      lone.step({ type: 'install-progress', node: s2.id });
      expect(asksOf(lone.pass(giveUpMs - 1, s2.id, s3.id))).toEqual([]);
      expect(asksOf(lone.pass(1, s2.id, s3.id))).toEqual(['replace']);
    });

    it('S7 but never a member, nor a learner that may be one by now', () => {
      const lone = LoneReplica.leading();
      expect(asksOf(lone.pass(2 * giveUpMs, s2.id))).toEqual([]);
      lone.config(without3, 2);
      lone.pass(100, s2.id, s3.id); // Asks to take s3 in, and nobody answers.
      expect(asksOf(lone.pass(2 * giveUpMs, s2.id))).toEqual([]);
    });
  });

  it('S7 or whose process has ended, at once', () => {
    const lone = LoneReplica.leading();
    expect(asked(lone.step({ type: 'session-down', node: s3.id, gone: false }))).toEqual([]);
    expect(asked(lone.step({ type: 'session-down', node: s3.id, gone: true }))).toEqual(['shrink']);
  });

  it('S16 to take in a learner that caught up, again and again; it counts from the first time', () => {
    const lone = LoneReplica.leading();
    lone.config(without3, 2);
    lone.put('a');
    lone.persisted();
    lone.ack(s2.id, 2);
    expect(asked(lone.ack(s3.id, 2))).toEqual(['expand']);
    lone.put('b');
    lone.persisted();
    lone.ack(s2.id, 3);
    expect(lone.replica.body.commitSeq).toBe(2);
    expect(asked(lone.pass(299, s2.id, s3.id))).toEqual([]);
    expect(asked(lone.pass(1, s2.id, s3.id))).toEqual(['expand']);
  });

  it('S7 S14 who may be in sync by now is needed for reads, too', () => {
    const lone = LoneReplica.leading();
    lone.config(without3, 2);
    lone.put('a');
    lone.persisted();
    lone.ack(s2.id, 2);
    lone.pass(500, s2.id);
    lone.pass(200, s2.id);
    expect(lone.replica.primary?.mayRead(lone.now)).toBe(true); // Without the learner's lease.
    lone.stand(0, s3.id);
    expect(asked(lone.ack(s3.id, 2))).toEqual(['expand']);
    lone.pass(500, s2.id);
    lone.pass(99, s2.id);
    expect(lone.replica.primary?.mayRead(lone.now)).toBe(true);
    lone.pass(1, s2.id);
    expect(lone.replica.primary?.mayRead(lone.now)).toBe(false);
  });

  it('S16 not for what it once acknowledged: its data may have been set aside since', () => {
    const lone = LoneReplica.leading();
    lone.config(without3, 2);
    lone.put('a');
    lone.persisted();
    lone.ack(s2.id, 2);
    lone.pass(700, s2.id); // Silent for too long to be taken in.
    expect(asked(lone.ack(s3.id, 2))).toEqual([]);
    const base = lone.replica.body.log.positionAt(1 as Seq)!;
    lone.message(s3.id, { type: 'detached', epoch: lone.epoch });
    lone.attachEmpty(s3.id);
    lone.stand(0, s2.id, s3.id);
    expect(asked(lone.message(s3.id, { type: 'installed', epoch: lone.epoch, base }))).toEqual([]);
    expect(asked(lone.pass(100, s2.id, s3.id))).toEqual([]);
    expect(asked(lone.ack(s3.id, 2))).toEqual(['expand']);
  });

  it('S12 S13 a condition that fails is answered under a lease only: it says what was read', () => {
    const lone = LoneReplica.leading();
    lone.pass(599, s2.id);
    const [answer] = lone.put('a', 5, 1).answers;
    expect(answer).toMatchObject({ type: 'written', applied: false, version: 1 });
    lone.pass(1, s2.id); // Not a word of the third one.
    const [refused] = lone.put('a', 5, 1).answers;
    expect(refused).toMatchObject({ type: 'refused', refusal: { code: 'NODE_BEHIND' } });
  });

  it('S16 nobody is taken in before the epoch has begun: what is committed is not known yet', () => {
    const lone = new LoneReplica(s1);
    lone.config(threeOf({ state: 'creating' }), 0);
    lone.persisted();
    lone.config(without3, 1);
    lone.attach(s3.id);
    lone.persisted();
    expect(asked(lone.ack(s3.id, 1))).toEqual([]);
    lone.attach(s2.id);
    expect(asked(lone.ack(s2.id, 1))).toEqual(['expand']);
    expect(lone.replica.primary?.isServing).toBe(true);
  });

  it('S16 one that begins to follow is not taken in while the next entry is on its way to it', () => {
    const lone = LoneReplica.leading();
    lone.sessions.down(s3.id);
    lone.step({ type: 'session-down', node: s3.id, gone: true });
    lone.config(without3, 2);
    lone.put('a');
    lone.persisted();
    expect(asked(lone.attach(s3.id, 1))).toEqual([]);
    expect(lone.ack(s2.id, 2).answers, 'nobody waits for it').toHaveLength(1);
    expect(asked(lone.ack(s3.id, 2))).toEqual(['expand']);
  });

  it('S7 not to, if it is in the way: it stops counting when a newer configuration says so', () => {
    const lone = LoneReplica.leading();
    lone.config(without3, 2);
    lone.put('a');
    lone.persisted();
    lone.ack(s2.id, 2);
    lone.ack(s3.id, 2);
    lone.put('b');
    lone.persisted();
    lone.ack(s2.id, 3);
    const ready = lone.step({ type: 'session-down', node: s3.id, gone: true });
    expect(asked(ready)).toEqual(['withdraw']);
    expect(lone.config(without3, 2).answers).toEqual([]);
    expect(lone.config(without3, 3).answers).toHaveLength(1);
  });

  it('S1 for another epoch, if a member has promised a higher one', () => {
    const lone = LoneReplica.leading();
    const refused = { type: 'refused', epoch: lone.epoch, promised: 7 as never } as const;
    const ready = lone.message(s2.id, refused);
    expect(ready.requests).toMatchObject([{ change: { type: 'epoch-used', promised: 7 } }]);
    expect(ready.events).toEqual([{ type: 'overtaken', by: s2.id, promised: 7 }]);
  });
});
