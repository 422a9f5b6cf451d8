/** The primary of one shard: what it sends ahead, whom it waits for, and what it asks the leader. */
import { describe, expect, it } from 'vitest';
import type { MemberId } from '../../src/model/ids.js';
import type { Ready } from '../../src/replication/outbox.js';
import { placeOf, uuidOf } from '../support/configs.js';
import { GROUP_SETTINGS } from '../support/replica-group.js';
import { LoneReplica, s1, s2, s3, threeOf } from '../support/replica-parts.js';

const sentTo = ({ send }: Ready, node: string, type = 'prepare') => {
  return send.filter(({ to, message }) => to === node && message.type === type).length;
};
const asked = ({ requests }: Ready) => requests.map(({ change }) => change.type);
const without3 = threeOf({ isr: [s1.id, s2.id], learners: [s3.id] });

describe('what a primary sends ahead', () => {
  it('is one window of entries: what comes meanwhile is one entry more', () => {
    const lone = LoneReplica.leading({ windowEntries: 2 });
    for (const key of ['a', 'b', 'c', 'd']) {
      lone.put(key);
      lone.persisted();
    }
    expect(lone.replica.body.log.last.seq).toBe(3);
    lone.ackAll(s2.id, s3.id);
    expect(lone.replica.body).toMatchObject({ commitSeq: 3 });
    lone.persisted();
    expect(lone.replica.body.log.last.seq).toBe(5);
    expect(lone.replica.body.log.countAfter(lone.replica.body.commitSeq)).toBe(1);
  });

  it('to a replica that catches up is so many entries, and more for each acknowledgement', () => {
    const lone = LoneReplica.leading({ catchUpEntries: 2, keepEntries: 9 });
    lone.config(without3, 2);
    lone.step({ type: 'session-down', node: s3.id, gone: true });
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      lone.put(key);
      lone.persisted();
      lone.ackAll(s2.id);
      lone.persisted();
    }
    expect(sentTo(lone.attach(s3.id, 1), s3.id)).toBe(2);
    expect(sentTo(lone.ack(s3.id, 2), s3.id)).toBe(1);
    expect(sentTo(lone.ack(s3.id, 4), s3.id)).toBe(2);
  });

  it('or so many bytes, though never less than one entry', () => {
    const lone = LoneReplica.leading({ catchUpBytes: 1, keepEntries: 9 });
    lone.config(without3, 2);
    lone.step({ type: 'session-down', node: s3.id, gone: true });
    lone.put('a');
    lone.persisted();
    lone.ackAll(s2.id);
    lone.persisted();
    lone.put('b');
    expect(sentTo(lone.attach(s3.id, 1), s3.id)).toBe(1);
  });

  it('L2 is nothing while enough is on its way to other replicas of that node', () => {
    const lone = LoneReplica.leading({ catchUpNodeEntries: 3, keepEntries: 9 });
    lone.config(without3, 2);
    lone.step({ type: 'session-down', node: s3.id, gone: true });
    for (const key of ['a', 'b']) {
      lone.put(key);
      lone.persisted();
      lone.ackAll(s2.id);
      lone.persisted();
    }
    const other = { node: s3.id };
    lone.catchUps.set(other, { entries: 2, bytes: 100 }, lone.now);
    expect(sentTo(lone.attach(s3.id, 1), s3.id), 'as much as is left').toBe(1);
    lone.catchUps.set(other, { entries: 3, bytes: 100 }, lone.now);
    expect(sentTo(lone.ack(s3.id, 2), s3.id)).toBe(0);
    expect(sentTo(lone.pass(100, s2.id, s3.id), s3.id)).toBe(0);
    lone.catchUps.end(other);
    expect(sentTo(lone.pass(100, s2.id, s3.id), s3.id)).toBe(1);
  });

  it('S4 but what commits wait for waits for nothing', () => {
    const lone = LoneReplica.leading({ catchUpNodeEntries: 1 });
    lone.catchUps.set({ node: s2.id }, { entries: 1, bytes: 100 }, lone.now);
    lone.put('a');
    expect(sentTo(lone.persisted(), s2.id)).toBe(0);
    lone.ackAll(s2.id, s3.id);
    expect(lone.replica.body).toMatchObject({ commitSeq: 2 });
  });

  it('S15 is all data for who has less than its log, even in the middle of catching up', () => {
    const lone = LoneReplica.leading({
      ...{ keepEntries: 0, trimEntries: 1, pinnedBytes: 0, catchUpEntries: 1 },
    });
    lone.config(without3, 2);
    let sent = 0;
    const installs: string[] = [];
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      const proposed = [lone.put(key), lone.persisted()];
      const committed = lone.ack(s2.id, lone.replica.body.log.last.seq);
      for (const ready of [...proposed, committed, lone.step({ type: 'tick' }), lone.persisted()]) {
        sent += sentTo(ready, s3.id);
        installs.push(...ready.installs);
      }
    }
    expect({ sent, installs }).toEqual({ sent: 1, installs: [s3.id] });
  });
});

describe('an entry that a primary cannot read any more', () => {
  const damage = { type: 'damaged', problem: 'a flipped bit' } as const;

  /** s3 learns from a log of which this says that the next entry is damaged. */
  function learning(...isr: readonly MemberId[]) {
    const lone = LoneReplica.leading({ keepEntries: 9, catchUpEntries: 1 });
    const learners = [s1, s2, s3].map(({ id }) => id).filter((id) => !isr.includes(id));
    lone.config(threeOf({ isr, learners }), 2);
    lone.step({ type: 'session-down', node: s3.id, gone: false });
    for (const key of ['a', 'b']) {
      lone.put(key);
      lone.persisted();
      lone.ackAll(s2.id);
      lone.persisted();
    }
    lone.attach(s3.id, 1);
    return lone;
  }

  it('S20 is all data for the learner it was owed, and no entry behind it', () => {
    const lone = learning(s1.id, s2.id);
    const ready = lone.step({ ...damage, owedTo: s3.id });
    expect(ready).toMatchObject({ installs: [s3.id], events: [{ type: 'damaged' }, {}] });
    expect(sentTo(lone.step({ type: 'tick' }), s3.id)).toBe(0);
    expect(lone.replica.primary!.peer(s3.id)!.phase).toBe('installing');
    // Once more, for a record that is found later.
    expect(lone.step({ ...damage, owedTo: s3.id }).installs).toEqual([]);
  });

  it('S7 is a reason to go on without a member that it was owed', () => {
    const lone = learning(s1.id, s2.id, s3.id);
    const ready = lone.step({ ...damage, owedTo: s3.id });
    expect({ asked: asked(ready), installs: ready.installs }).toEqual({
      ...{ asked: ['shrink'], installs: [] },
    });
  });
});

describe('the log that a replica needs which comes back', () => {
  const write = (lone: LoneReplica, ...peers: readonly MemberId[]) => {
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
      lone.put(key);
      lone.persisted();
      lone.ackAll(...peers);
      lone.persisted();
    }
    return lone.replica.body.log.length;
  };

  it('L2 is kept while it is behind, and not for nobody', () => {
    const lone = LoneReplica.leading({ keepEntries: 9, tailEntries: 0, trimEntries: 1 });
    expect(write(lone, s2.id, s3.id)).toBeLessThan(3);
    lone.config(without3, 2);
    lone.step({ type: 'session-down', node: s3.id, gone: true });
    expect(write(lone, s2.id)).toBeGreaterThan(6);
    const isr = [s1.id, s2.id];
    lone.config(threeOf({ isr, replicas: [s1, s2].map(placeOf) }), 3); // It is forgotten.
    for (let n = 0; n < 5; n++) {
      lone.step({ type: 'tick' });
      lone.persisted();
    }
    expect(lone.replica.body.log.length, 'L5 without a write').toBeLessThan(3);
    expect(write(lone, s2.id)).toBeLessThan(3);
  });

  it('L5 is no longer for nobody than it would be for somebody: with many shards that is less', () => {
    const lone = LoneReplica.leading({ keepEntries: 1, tailEntries: 5, trimEntries: 1 });
    expect(write(lone, s2.id, s3.id)).toBeLessThanOrEqual(3);
  });
});

describe('the log that a replica needs which gets all data', () => {
  const trimming = { keepEntries: 0, trimEntries: 1 };

  /** One that sends everything to s3, and goes on for so many writes. */
  function installing(settings: Partial<typeof GROUP_SETTINGS>, writes: number) {
    const lone = LoneReplica.leading({ ...trimming, ...settings });
    lone.step({ type: 'session-down', node: s3.id, gone: false });
    lone.config(without3, 2);
    const base = lone.replica.body.log.positionAt(lone.replica.body.log.appliedSeq)!;
    expect(lone.attachEmpty(s3.id).installs).toEqual([s3.id]);
    for (let n = 0; n < writes; n++) {
      lone.put(`k${n}`);
      lone.persisted();
      lone.ackAll(s2.id);
      lone.persisted();
    }
    const { log } = lone.replica.body;
    const message = { type: 'installed', epoch: lone.epoch, base } as const;
    return { lone, log, installed: () => lone.message(s3.id, message) };
  }

  it('is there when it has them, however much was written meanwhile', () => {
    const { lone, log, installed } = installing({}, 10);
    expect(log.base.seq).toBe(0);
    expect(installed().installs).toEqual([]);
    for (const seq of [4, 8, 11]) lone.ack(s3.id, seq);
    lone.pass(100, s2.id, s3.id);
    lone.put('last');
    lone.persisted();
    lone.ackAll(s2.id, s3.id);
    lone.persisted();
    lone.put('one more');
    expect(log.base.seq).toBeGreaterThanOrEqual(11);
  });

  it('is not kept beyond its bytes: it gets the data once more', () => {
    const { log, installed } = installing({ pinnedBytes: 300 }, 10);
    expect(log.base.seq).toBeGreaterThan(0);
    expect(installed().installs).toEqual([s3.id]);
  });

  it('nor for one that was given up', () => {
    const { giveUpMs } = GROUP_SETTINGS;
    const { lone, log, installed } = installing({ installAgainMs: 2 * giveUpMs }, 5);
    expect(log.base.seq).toBe(0);
    lone.pass(giveUpMs, s2.id, s3.id);
    lone.put('last');
    lone.persisted();
    expect(log.base.seq).toBeGreaterThan(1);
    expect(installed().installs).toEqual([s3.id]);
  });
});

describe('replicas that need all data', () => {
  const alone = threeOf({ isr: [s1.id], learners: [s2.id, s3.id] });

  /** Two that have nothing; the first one gets everything. */
  function two(settings: Partial<typeof GROUP_SETTINGS> = {}): LoneReplica {
    const lone = LoneReplica.leading(settings);
    for (const { id } of [s2, s3]) lone.step({ type: 'session-down', node: id, gone: true });
    lone.config(alone, 2);
    expect(lone.attachEmpty(s2.id).installs).toEqual([s2.id]);
    expect(lone.attachEmpty(s3.id).installs).toEqual([]);
    return lone;
  }

  it('get it so many at a time, in all shards of a node', () => {
    const lone = two();
    expect(lone.pass(900, s2.id, s3.id).installs).toEqual([]);
    const base = lone.replica.body.log.positionAt(lone.replica.body.log.appliedSeq)!;
    lone.message(s2.id, { type: 'installed', epoch: lone.epoch, base });
    expect(lone.pass(100, s2.id, s3.id).installs).toEqual([s3.id]);
    lone.config(threeOf({ epoch: 2 as never, primary: s2.id }), 3);
    expect(lone.installs.mayBegin).toBe(true);
  });

  it('wait for nobody who does not come forward', () => {
    const lone = two();
    expect(lone.pass(GROUP_SETTINGS.stuckMs - 100, s2.id, s3.id).installs).toEqual([]);
    expect(lone.pass(200, s2.id, s3.id).installs).toEqual([s3.id]);
  });

  it('have their turn as others do when they were away for long', () => {
    const lone = LoneReplica.leading();
    for (const { id } of [s2, s3]) lone.step({ type: 'session-down', node: id, gone: true });
    lone.config(alone, 2);
    lone.pass(2 * GROUP_SETTINGS.stuckMs);
    expect(lone.attachEmpty(s2.id).installs).toEqual([s2.id]);
    lone.pass(GROUP_SETTINGS.stuckMs - 100, s2.id);
    expect(lone.installs.mayBegin).toBe(false);
    lone.pass(100, s2.id);
    expect(lone.installs.mayBegin).toBe(true);
  });

  describe('of which some is damaged here', () => {
    const { installAgainMs } = GROUP_SETTINGS;

    function fails(lone: LoneReplica, node: MemberId) {
      const { attachNumber } = lone.replica.primary!.peer(node)!;
      return lone.step({ type: 'install-failed', node, attachNumber });
    }

    it('get it once more after a while, and others meanwhile', () => {
      const lone = two();
      expect(fails(lone, s2.id).installs).toEqual([]);
      // It is the turn of the other one now.
      expect(lone.pass(100, s2.id, s3.id).installs).toEqual([s3.id]);
      expect(fails(lone, s3.id).installs).toEqual([]);
      expect(lone.pass(installAgainMs - 200, s2.id, s3.id).installs).toEqual([]);
      expect(lone.pass(100, s2.id, s3.id).installs).toEqual([s2.id]);
      // It has its turn like at first.
      expect(lone.pass(100, s2.id, s3.id).installs).toEqual([]);
      expect(lone.installs.mayBegin).toBe(false);
    });

    it('wait for longer when it takes longer until the damage is met', () => {
      const lone = two();
      for (let passed = 0; passed < 2 * installAgainMs; passed += 500) {
        lone.step({ type: 'install-progress', node: s2.id });
        lone.pass(500, s2.id, s3.id);
      }
      fails(lone, s2.id);
      const { installs } = lone.pass(2 * installAgainMs - 100, s2.id);
      expect(installs).not.toContain(s2.id);
      expect(lone.pass(200, s2.id).installs).toEqual([s2.id]);
    });

    it('are not given up for it, however short their time is', () => {
      const lone = two({ giveUpMs: installAgainMs / 2 });
      for (let passed = 0; passed <= 3 * installAgainMs; passed += 500) {
        for (const { id } of [s2, s3]) fails(lone, id);
        expect(asked(lone.pass(500, s2.id, s3.id))).toEqual([]);
      }
    });

    it('are not held up by news of an earlier install, nor when none is under way', () => {
      const lone = two();
      const phase = () => lone.replica.primary!.peer(s2.id)!.phase;
      const earlier = { type: 'install-failed', node: s2.id, attachNumber: 1 } as const;
      lone.step(earlier);
      expect(phase()).toBe('installing');
      const base = lone.replica.body.log.positionAt(lone.replica.body.log.appliedSeq)!;
      lone.message(s2.id, { type: 'installed', epoch: lone.epoch, base });
      expect(phase()).toBe('following');
      fails(lone, s2.id);
      expect(phase()).toBe('following');
    });
  });

  it('are not given up while they wait', () => {
    const lone = two();
    for (let passed = 0; passed <= GROUP_SETTINGS.giveUpMs; passed += 500) {
      lone.step({ type: 'install-progress', node: s2.id });
      expect(asked(lone.pass(500, s2.id, s3.id))).toEqual([]);
    }
    expect(lone.installs.mayBegin).toBe(false);
  });
});

describe('what a primary waits for', () => {
  it('S4 every member of the isr, and its own disk', () => {
    const lone = LoneReplica.leading();
    lone.put('a');
    lone.ack(s2.id, 2);
    lone.ack(s3.id, 2);
    expect(lone.replica.body.commitSeq).toBe(1);
    expect(lone.persisted().answers).toMatchObject([{ type: 'written', version: 2 }]);
  });

  it('S4 not for a learner', () => {
    const lone = LoneReplica.leading();
    lone.config(without3, 2);
    lone.put('a');
    lone.ack(s2.id, 2);
    expect(lone.persisted().answers).toHaveLength(1);
  });

  it('S4 nothing is accepted below minIsr, and what is under way waits', () => {
    const lone = LoneReplica.leading();
    lone.put('a');
    lone.persisted();
    lone.config(threeOf({ isr: [s1.id], learners: [s2.id, s3.id] }), 2);
    expect(lone.replica.primary).toMatchObject({ leaseUntil: Infinity });
    expect(lone.replica.primary?.mayWrite(lone.now)).toBe(false);
    expect(lone.replica.primary?.mayRead(lone.now)).toBe(true);
    expect(lone.replica.body.commitSeq).toBe(1);
    lone.ack(s2.id, 2);
    expect(lone.config(without3, 3).answers).toHaveLength(1);
  });

  it('S3 S8 an acknowledgement of another epoch, or of what was never sent, does not count', () => {
    const lone = LoneReplica.leading();
    lone.put('a');
    const ack = ackOf(lone, 2);
    lone.persisted();
    lone.ack(s3.id, 2);
    lone.message(s2.id, { ...ack, epoch: 9 as never });
    lone.message(s2.id, { ...ack, epoch: 0 as never });
    expect(lone.replica.body.commitSeq).toBe(1);
    const beyond = { ...ack, position: { ...ack.position, seq: 3 as never } };
    expect(() => lone.message(s2.id, beyond)).toThrow('S8');
  });

  it('S8 who acknowledges an entry with another chain has diverged, and has to leave', () => {
    const lone = LoneReplica.leading();
    lone.put('a');
    const ack = ackOf(lone, 2);
    const other = { ...ack.position, chain: 'f'.repeat(32) as never };
    const ready = lone.message(s2.id, { ...ack, position: other });
    expect(ready.events).toMatchObject([{ type: 'peer-diverged', peer: s2.id }]);
    expect(asked(ready)).toEqual(['shrink']);
  });

  it('S15 S19 it is not told to set its data aside before it has left the isr', () => {
    const lone = LoneReplica.leading();
    lone.put('a');
    const ack = ackOf(lone, 2);
    const position = { ...ack.position, chain: 'f'.repeat(32) as never };
    const member = [lone.message(s2.id, { ...ack, position }), lone.pass(100, s2.id, s3.id)];
    const told = ({ send, installs }: Ready) => [
      ...send.map(({ message }) => message.type).filter((type) => type === 'diverged'),
      ...installs,
    ];
    expect(member.flatMap(told)).toEqual([]);
    lone.config(threeOf({ isr: [s1.id, s3.id], learners: [s2.id] }), 2);
    expect(told(lone.pass(100, s2.id, s3.id))).toEqual(['diverged', s2.id]);
    expect(told(lone.pass(100, s2.id, s3.id))).toEqual([]);
  });

  it('S8 nor later, if its stream broke meanwhile and it has nothing any more', () => {
    const lone = LoneReplica.leading();
    lone.put('a');
    const ack = ackOf(lone, 2);
    const position = { ...ack.position, chain: 'f'.repeat(32) as never };
    lone.message(s2.id, { ...ack, position });
    lone.step({ type: 'session-down', node: s2.id, gone: false });
    lone.config(threeOf({ isr: [s1.id, s3.id], learners: [s2.id] }), 2);
    const { send, installs } = lone.attachEmpty(s2.id);
    expect(send.filter(({ message }) => message.type === 'diverged')).toEqual([]);
    expect(installs).toEqual([s2.id]);
  });
});

it('S21 a write under way when its shard is made anew is answered: its outcome is unknown', () => {
  const lone = LoneReplica.leading();
  lone.put('a');
  lone.persisted();
  const { answers } = lone.step({ type: 'retired' });
  expect(answers).toMatchObject([{ type: 'unknown' }]);
});

describe('whom a primary attaches', () => {
  it('S8 and which answer is to that: one to an earlier attach says nothing of this one', () => {
    const lone = LoneReplica.leading();
    const { start } = lone;
    lone.config(threeOf({ isr: [s1.id, s2.id], learners: [s3.id] }), 2);
    // A learner is forgotten and taken again, on the same stream, before its answer comes.
    lone.config(threeOf({ isr: [s1.id, s2.id], replicas: [s1, s2].map(placeOf) }), 3);
    const first = lone.config(threeOf({ isr: [s1.id, s2.id], learners: [s3.id] }), 4);
    expect(sentTo(first, s3.id, 'attach')).toBe(1);
    const attached = { type: 'attached', epoch: lone.epoch, number: 1, tail: [start] } as const;
    lone.message(s3.id, { ...attached, follows: true });
    expect(lone.replica.primary?.peer(s3.id)?.phase).toBe('attaching');
    const answer = lone.answerAttach(s3.id, [start]);
    expect(sentTo(answer, s3.id, 'resume')).toBe(1);
    expect(lone.replica.primary?.peer(s3.id)?.phase).toBe('following');
  });

  it('S16 the replica and the life of it that the configuration means, and no other', () => {
    const lone = LoneReplica.leading();
    const { store, process } = s3;
    const up = (identity: { store: typeof store; process: typeof process }) => {
      lone.step({ type: 'session-down', node: s3.id, gone: false });
      lone.sessions.up({ node: s3.id, ...identity });
      return sentTo(lone.step({ type: 'session-up', node: s3.id }), s3.id, 'attach');
    };
    expect(up({ store, process: uuidOf('another life') })).toBe(0);
    expect(up({ store: uuidOf('another store'), process })).toBe(0);
    expect(up({ store, process })).toBe(1);
  });

  it('S2 when its own promise is durable, and not sooner', () => {
    const lone = LoneReplica.leading();
    lone.put('a');
    const ready = lone.config(threeOf({ epoch: 2 as never }), 2);
    expect(ready.answers).toMatchObject([{ type: 'unknown' }]);
    expect(sentTo(ready, s2.id, 'attach')).toBe(0);
    expect(sentTo(lone.persisted(), s2.id, 'attach')).toBe(0);
    expect(sentTo(lone.persisted(), s2.id, 'attach')).toBe(1);
  });
});

describe('a hand-over', () => {
  const handOver = (lone: LoneReplica, epoch = lone.epoch) => {
    return lone.step({ type: 'hand-over', epoch, to: s3.id }).handOvers;
  };
  const begun = { type: 'hand-over-begun', epoch: 1, to: s3.id };
  const steppedDown = [{ type: 'stepped-down', epoch: 1, to: s3.id }];
  const failed = (why: string) => [{ type: 'hand-over-failed', epoch: 1, why }];

  it('S14 ends with stepping down when everything is done; nothing is served from then on', () => {
    const lone = LoneReplica.leading();
    lone.put('a');
    lone.persisted();
    expect(handOver(lone)).toEqual([]);
    expect(lone.replica.primary?.mayWrite(lone.now)).toBe(false);
    expect(lone.replica.primary?.mayRead(lone.now)).toBe(true);
    lone.ack(s2.id, 2);
    expect(lone.ack(s3.id, 2).handOvers).toEqual(steppedDown);
    expect(lone.replica.primary?.mayRead(lone.now)).toBe(false);
    expect(lone.pass(300, s2.id, s3.id).handOvers).toEqual(steppedDown);
    expect(handOver(lone)).toEqual([]);
  });

  it('S11 is given up after a while, if it is not over by then', () => {
    const lone = LoneReplica.leading();
    lone.put('a');
    const { events } = lone.step({ type: 'hand-over', epoch: lone.epoch, to: s3.id });
    expect(events).toEqual([begun]);
    expect(lone.pass(999, s2.id, s3.id).handOvers).toEqual([]);
    expect(lone.replica.primary?.mayWrite(lone.now)).toBe(false);
    const why = 'what is under way does not come to an end';
    const end = lone.pass(1, s2.id, s3.id);
    expect(end.handOvers).toEqual(failed(why));
    expect(end.events).toEqual([{ ...begun, type: 'hand-over-given-up' }]);
    expect(lone.replica.primary?.mayWrite(lone.now)).toBe(true);
  });

  it('or because its successor does not come forward', () => {
    const lone = LoneReplica.leading();
    lone.step({ type: 'session-down', node: s3.id, gone: false });
    lone.put('a');
    handOver(lone);
    lone.persisted();
    lone.ack(s2.id, 2);
    lone.config(threeOf({ isr: [s1.id, s2.id], learners: [s3.id] }), 2);
    const { handOvers } = lone.pass(1_000, s2.id);
    expect(handOvers).toEqual(failed('s3 does not hold everything'));
  });

  it('is refused while another one is under way', () => {
    const lone = LoneReplica.leading();
    lone.put('a');
    handOver(lone);
    const { handOvers } = lone.step({ type: 'hand-over', epoch: lone.epoch, to: s2.id });
    expect(handOvers).toEqual(failed('one to s3 is under way'));
  });

  it('S6 to a learner, or for an epoch that is over, changes nothing', () => {
    const lone = LoneReplica.leading();
    const why = 'this node is not the primary of epoch 0';
    expect(handOver(lone, 0 as never)).toEqual([{ type: 'hand-over-failed', epoch: 0, why }]);
    lone.config(without3, 2);
    expect(handOver(lone)).toEqual(failed('s3 is not in sync'));
    expect(lone.replica.primary?.mayWrite(lone.now)).toBe(true);
  });
});

function ackOf(lone: LoneReplica, seq: number) {
  const position = lone.replica.body.log.positionAt(seq as never) ?? {
    ...lone.start,
    seq: seq as never,
  };
  return { type: 'prepareAck', epoch: lone.epoch, position } as const;
}
