/** What a replica takes itself for, and in which epochs it acts. */
import { describe, expect, it } from 'vitest';
import type { Epoch, Seq } from '../../src/model/ids.js';
import { LOG_START } from '../../src/replication/entry.js';
import type { Ready } from '../../src/replication/outbox.js';
import type { DurableState } from '../../src/replication/replica-body.js';
import { nodeOf, placeOf, uuidOf } from '../support/configs.js';
import { LoneReplica, s1, s2, s3, threeOf } from '../support/replica-parts.js';

const epoch = (value: number) => value as Epoch;
const attach = (of: number) =>
  ({ type: 'attach', epoch: epoch(of), number: 1, after: LOG_START }) as const;

/** s1, started on a disk that had promised epoch 5. */
function restarted(change: Partial<DurableState> = {}): LoneReplica {
  const state: DurableState = {
    shard: 0 as never,
    shardUuid: uuidOf('shard-0'),
    promisedEpoch: epoch(5),
    hasServed: false,
    isInstalling: false,
    base: LOG_START,
    appliedSeq: 0 as Seq,
    ...change,
  };
  return new LoneReplica(s1, {}, { state, entries: [] });
}

/** What it takes itself for in this configuration. */
function standing(lone: LoneReplica, change: Parameters<typeof threeOf>[0] = {}): string {
  lone.config(threeOf(change), 1);
  return lone.replica.standing;
}

describe('a replica that is named as primary', () => {
  it('S1 leads in an epoch above what it promised', () => {
    const lone = restarted();
    expect(standing(lone, { epoch: epoch(6) })).toBe('primary');
    expect(lone.replica.body.promisedEpoch).toBe(6);
  });

  it('S1 waits for one, if an earlier life may have acted in this, or in a later one', () => {
    expect(standing(restarted(), { epoch: epoch(5) })).toBe('awaiting-epoch');
    expect(standing(restarted(), { epoch: epoch(4) })).toBe('awaiting-epoch');
  });

  it('S1 or if it was named in an earlier life', () => {
    const replicas = [nodeOf('s1', 7), s2, s3].map(placeOf);
    expect(standing(restarted(), { epoch: epoch(6), replicas })).toBe('awaiting-epoch');
  });

  it('S1 or if another primary has spoken in this epoch', () => {
    const lone = restarted();
    lone.message(s2.id, attach(6));
    expect(standing(lone, { epoch: epoch(6) })).toBe('awaiting-epoch');
    expect(lone.config(threeOf({ epoch: epoch(7) }), 2).events).toContainEqual({
      type: 'standing-changed',
      from: 'awaiting-epoch',
      to: 'primary',
    });
  });

  it('S1 ends with a configuration of a later epoch, and stays the end', () => {
    const lone = LoneReplica.leading();
    lone.put('a');
    const later = threeOf({ epoch: epoch(2), primary: s2.id });
    expect(lone.config(later, 2).answers).toMatchObject([{ type: 'unknown' }]);
    expect(lone.replica.standing).toBe('secondary');
    lone.config(threeOf(), 1);
    expect(lone.replica.primary).toBeUndefined();
  });

  it('S3 ends with a primary of a later epoch that speaks to it', () => {
    const lone = LoneReplica.leading();
    lone.message(s2.id, attach(2));
    expect(lone.replica.primary).toBeUndefined();
  });
});

describe('a replica that is named as secondary', () => {
  it('S2 promises a later epoch when it hears of it, and leaves the primary of the one before', () => {
    const lone = restarted();
    lone.message(s2.id, attach(6));
    const { send, events } = lone.config(threeOf({ epoch: epoch(7), primary: s3.id }), 1);
    expect(send).toMatchObject([{ to: s2.id, message: { type: 'detached', epoch: 6 } }]);
    expect(events).toContainEqual({ type: 'epoch-adopted', epoch: 7, before: 6 });
    lone.persisted();
    lone.persisted();
    // Durable by now: whoever leads is answered at once.
    const answer = lone.message(s3.id, attach(7));
    expect(answer.send).toMatchObject([{ to: s3.id, message: { type: 'attached', epoch: 7 } }]);
  });

  it('S8 but not with damaged data: it says nothing in a later epoch', () => {
    const lone = restarted();
    lone.step({ type: 'damaged', problem: 'a record is not what was written' });
    expect(standing(lone, { epoch: epoch(6), primary: s3.id })).toBe('secondary');
    expect(lone.replica.body.promisedEpoch).toBe(5);
  });
});

describe('a replica that its shard goes on without', () => {
  const replicas = [s2, s3].map(placeOf);
  const isr = [s2.id, s3.id];

  it('S19 promises what it hears of: if ZooKeeper is set back, its disk knows of that', () => {
    const lone = restarted();
    expect(standing(lone, { epoch: epoch(9), primary: s2.id, isr, replicas })).toBe('elsewhere');
    lone.persisted();
    expect(lone.replica.body).toMatchObject({ promisedEpoch: 9, durableEpoch: 9 });
    // Taken back later, in this same epoch or another one, it follows as any learner.
    lone.config(threeOf({ epoch: epoch(9), primary: s2.id, isr, learners: [s1.id] }), 2);
    const { send } = lone.message(s2.id, attach(9));
    expect(send).toMatchObject([{ to: s2.id, message: { type: 'attached', epoch: 9 } }]);
  });

  it('S8 S19 but not with damaged data, and nothing if it has none', () => {
    const lone = restarted();
    lone.step({ type: 'damaged', problem: 'a record is not what was written' });
    expect(standing(lone, { epoch: epoch(9), primary: s2.id, isr, replicas })).toBe('elsewhere');
    expect(lone.replica.body.promisedEpoch).toBe(5);
    const empty = new LoneReplica(s1);
    expect(standing(empty, { epoch: epoch(9), primary: s2.id, isr, replicas })).toBe('elsewhere');
    expect(empty.replica.body.exists).toBe(false);
  });
});

describe('a replica without its data', () => {
  it('S19 of another store has no part in a configuration, whatever its name', () => {
    const lone = new LoneReplica(nodeOf('s1', 1, 'new'));
    expect(standing(lone)).toBe('elsewhere');
    expect(lone.replica.body.exists).toBe(false);
  });

  it('S19 does not start empty as a member of the isr', () => {
    const lone = new LoneReplica(s1);
    expect(standing(lone)).toBe('lost');
    expect(lone.replica.body.exists).toBe(false);
    expect(standing(new LoneReplica(s2))).toBe('lost');
  });

  it('S15 does not lead while its data is half replaced', () => {
    expect(standing(restarted({ isInstalling: true }), { epoch: epoch(6) })).toBe('lost');
  });

  it('S19 starts empty as a learner, with a promise to nobody', () => {
    const lone = new LoneReplica(s3);
    expect(standing(lone, { isr: [s1.id, s2.id], learners: [s3.id] })).toBe('learner');
    expect(lone.replica.body).toMatchObject({ exists: true, promisedEpoch: 0 });
  });

  it('S6 S19 but in the life that is named: an earlier one may be in sync by now', () => {
    const [isr, learners] = [[s1.id, s2.id], [s3.id]];
    const lone = new LoneReplica(nodeOf('s3', 2, 's3'));
    expect(standing(lone, { isr, learners })).toBe('learner');
    expect(lone.replica.body.exists).toBe(false);
    // It is: the answer to whoever wrote that was lost.
    const replicas = [s1, s2, nodeOf('s3', 2)].map(placeOf);
    lone.config(threeOf({ replicas }), 2);
    expect(lone.replica).toMatchObject({
      standing: 'lost',
      problem: 'its data directory does not hold it',
    });
    lone.config(threeOf({ epoch: epoch(2), isr, learners, replicas }), 3);
    expect(lone.replica.body.exists).toBe(true);
  });

  it('S19 or while the shard is created, in the life that is named', () => {
    expect(standing(new LoneReplica(s2), { state: 'creating' })).toBe('creating');
    const replicas = [s1, nodeOf('s2', 7), s3].map(placeOf);
    const other = new LoneReplica(s2);
    expect(standing(other, { state: 'creating', replicas })).toBe('elsewhere');
    expect(other.replica.body.exists).toBe(false);
  });
});

describe('a damaged learner', () => {
  /** What comes of finding it damaged, in this epoch of a configuration that it has heard. */
  function foundIn(of: number): readonly string[] {
    const lone = restarted();
    const members = { primary: s2.id, isr: [s2.id, s3.id], learners: [s1.id] };
    lone.config(threeOf({ epoch: epoch(of), ...members }), 1);
    const ready = lone.step({ type: 'damaged', problem: 'a flipped bit' });
    return ready.events.map(({ type }) => type);
  }

  it('S16 begins anew at once, if it has said nothing in the epoch', () => {
    expect(foundIn(6)).toEqual(['damaged', 'set-aside']);
  });

  it('S20 and its successor is not to blame for what a second reader found in the same data', () => {
    const lone = restarted();
    lone.config(
      threeOf({ epoch: epoch(6), isr: [s2.id, s3.id], learners: [s1.id], primary: s2.id }),
      1,
    );
    const damage = { type: 'damaged', problem: 'a flipped bit' } as const;
    // Both are in the mailbox of one round.
    for (let n = 0; n < 2; n++) lone.replica.step(damage, lone.now);
    expect(lone.take().events.map(({ type }) => type)).toEqual(['damaged', 'set-aside']);
    // What it said as a primary is sent when its batch is under way: where the entries were, there
    // is nothing any more.
    const gap = { type: 'damaged', problem: 'log record 3 is not there', owedTo: s3.id } as const;
    expect(lone.step(gap).events).toEqual([]);
    expect(lone.replica.problem).toBeUndefined();
    lone.persisted();
    expect(lone.step(damage).events.map(({ type }) => type)).toEqual(['damaged', 'set-aside']);
  });

  it('S16 or waits for the next one', () => {
    expect(foundIn(5)).toEqual(['damaged']);
  });
});

describe('when a new primary begins to serve', () => {
  /** s1 alone in the isr, in a new epoch, with its barrier committed. */
  function alone(lone: LoneReplica, change: Parameters<typeof threeOf>[0] = {}): LoneReplica {
    const members = { isr: [s1.id], learners: [s2.id, s3.id], leaseReleased: false };
    lone.config(threeOf({ epoch: epoch(6), ...members, ...change }), 1);
    lone.persisted();
    lone.persisted();
    return lone;
  }
  const mayRead = (lone: LoneReplica) => lone.replica.primary?.mayRead(lone.now);

  it('S11 S14 B22 not before promises of its earlier life have ended', () => {
    const lone = restarted();
    lone.now = 661;
    expect(mayRead(alone(lone))).toBe(false);
    lone.now = 662;
    expect(mayRead(lone)).toBe(true);
  });

  it('S14 at once, if the primary before gave its lease back', () => {
    const lone = restarted();
    lone.now = 100;
    expect(mayRead(alone(lone, { leaseReleased: true }))).toBe(true);
  });

  it('S14 or if that was itself, serving', () => {
    const lone = restarted({ hasServed: true });
    lone.now = 100;
    expect(mayRead(alone(lone))).toBe(true);
  });

  it('S14 B22 but having served counts for nothing once it promises to somebody else', () => {
    const lone = restarted({ hasServed: true });
    lone.message(s2.id, attach(6));
    expect(lone.replica.body.state()).toMatchObject({ promisedEpoch: 6, hasServed: false });
  });

  it('S14 not before what it promised in this life has ended, even to one it left since', () => {
    const lone = restarted();
    lone.message(s2.id, attach(5));
    lone.grants.grant(s2.id, lone.now);
    lone.step({ type: 'caller-down', node: s2.id });
    lone.message(s3.id, attach(5));
    alone(lone);
    lone.now += 661;
    expect(mayRead(lone)).toBe(false);
    lone.now += 1;
    expect(mayRead(lone)).toBe(true);
  });

  it('S14 takes no learner in before: it may have promised nothing to anybody', () => {
    const lone = restarted();
    lone.now = 100;
    alone(lone);
    const asked = ({ requests }: Ready) => requests.map(({ change }) => change.type);
    expect(asked(lone.attach(s2.id))).toEqual([]);
    expect(asked(lone.ack(s2.id, 1))).toEqual([]);
    expect(asked(lone.step({ type: 'tick' }))).toEqual([]);
    lone.now = 662;
    expect(asked(lone.step({ type: 'tick' }))).toEqual(['expand']);
  });
});
