/** A replica that contradicts the primary: who is believed, and what is done meanwhile. */
import { describe, expect, it } from 'vitest';
import type { Epoch } from '../../src/model/ids.js';
import type { Ready } from '../../src/replication/outbox.js';
import { LoneReplica, s1, s2, s3, threeOf } from '../support/replica-parts.js';

const sentTo = ({ send }: Ready, node: string, type: string) => {
  return send.filter(({ to, message }) => to === node && message.type === type).length;
};
const asked = ({ requests }: Ready) => requests.map(({ change }) => change.type);
const without3 = threeOf({ isr: [s1.id, s2.id], learners: [s3.id] });

describe('a replica that knows more to be committed than we hold', () => {
  const more = (lone: LoneReplica) => {
    lone.step({ type: 'session-down', node: s3.id, gone: false });
    lone.sessions.up({ node: s3.id, store: s3.store, process: s3.process });
    lone.step({ type: 'session-up', node: s3.id });
    const tail = [{ ...lone.start, seq: 99 as never, chain: 'f'.repeat(32) as never }];
    return lone.answerAttach(s3.id, tail);
  };

  it('S6 S19 may be right if it is in sync: we take ourselves for damaged, and keep it', () => {
    const lone = LoneReplica.leading();
    lone.put('a');
    const ready = more(lone);
    expect(ready.events).toMatchObject([{ type: 'damaged' }]);
    expect(lone.replica.problem).toMatch(/s3.* to be committed at 99/);
    lone.ack(s2.id, 2);
    lone.persisted();
    const later = [
      ready,
      ...Array.from({ length: 30 }, () => lone.pass(100, s2.id)),
      lone.step({ type: 'session-down', node: s3.id, gone: true }),
      lone.pass(10_000, s2.id),
    ];
    // Neither is it dropped, nor told to forget what it has; and nothing is committed without it.
    expect(later.flatMap(asked).filter((what) => what !== 'replace')).toEqual([]);
    expect(later.map((one) => sentTo(one, s3.id, 'diverged'))).toEqual(later.map(() => 0));
    expect(later.flatMap(({ installs }) => installs)).toEqual([]);
    expect(lone.replica.body.commitSeq).toBe(1);
  });

  it('S6 S19 and stays unharmed if it had to leave by what was asked before', () => {
    const lone = LoneReplica.leading();
    lone.put('a');
    lone.persisted();
    lone.ack(s2.id, 2);
    more(lone);
    // The leader had written that before it heard of our damage.
    const left = lone.config(without3, 2);
    const later = [left, ...Array.from({ length: 30 }, () => lone.pass(100, s2.id))];
    expect(later.flatMap(({ answers }) => answers)).toEqual([]);
    expect(later.flatMap(({ installs }) => installs)).toEqual([]);
    expect(later.map((one) => sentTo(one, s3.id, 'diverged'))).toEqual(later.map(() => 0));
    expect(lone.replica.body.commitSeq).toBe(1);
    const { primary } = lone.replica;
    expect(primary?.mayRead(lone.now), 'what we have may be too old').toBe(false);
    expect(primary?.mayWrite(lone.now)).toBe(false);
  });

  it('S6 and is believed in a later epoch of ours, too', () => {
    const lone = LoneReplica.leading();
    more(lone);
    lone.config(threeOf({ epoch: 2 as Epoch }), 2);
    lone.persisted();
    const later = [
      lone.step({ type: 'session-down', node: s3.id, gone: true }),
      ...Array.from({ length: 30 }, () => lone.pass(100, s2.id)),
    ];
    const dropped = later.flatMap(({ requests }) => requests.map(({ change }) => change));
    expect(dropped).not.toContainEqual({ type: 'shrink', node: s3.id });
  });

  it('S7 nor is it overruled if it was only asked for: that is taken back first', () => {
    const lone = LoneReplica.leading();
    for (const { id } of [s2, s3]) lone.step({ type: 'session-down', node: id, gone: true });
    lone.config(threeOf({ isr: [s1.id], learners: [s2.id, s3.id] }), 2);
    lone.attach(s2.id, lone.replica.body.log.last.seq);
    expect(asked(lone.pass(200, s2.id))).toContain('expand');
    lone.step({ type: 'session-down', node: s2.id, gone: false });
    lone.step({ type: 'session-up', node: s2.id });
    const { seq, epoch } = lone.replica.body.log.last;
    const ready = lone.answerAttach(s2.id, [{ seq, epoch, chain: 'f'.repeat(32) as never }]);
    expect(ready.events).toMatchObject([{ type: 'peer-diverged' }]);
    expect(lone.replica.problem).toBeUndefined();
    expect(sentTo(ready, s2.id, 'diverged')).toBe(0);
    const later = Array.from({ length: 20 }, () => lone.pass(100, s2.id));
    expect([ready, ...later].flatMap(asked)).toContain('withdraw');
  });

  it('S19 is what an operator gave up if it is a learner: set aside, and learnt anew', () => {
    const lone = LoneReplica.leading();
    lone.config(without3, 2);
    const ready = more(lone);
    expect(ready.events).toMatchObject([
      { type: 'peer-knows-more', peer: s3.id, seq: 99 },
      { type: 'peer-needs-install' },
    ]);
    expect(sentTo(ready, s3.id, 'diverged')).toBe(1);
    expect(ready.installs).toEqual([s3.id]);
  });
});
