/** Which requests a replica serves, holds, or refuses, and in which words. */
import { describe, expect, it } from 'vitest';
import type { Epoch, ShardId } from '../../src/model/ids.js';
import { admissionOf, type RequestKind, whyNeverStarted } from '../../src/replication/admission.js';
import { LoneReplica, s1, s2, s3, threeOf } from '../support/replica-parts.js';

const shard = 0 as ShardId;

/** What becomes of a request now; a refusal by its code. */
function admitted(lone: LoneReplica, kind: RequestKind = 'write', asked?: number): string {
  const request = { kind, asked: asked as Epoch | undefined };
  const admission = admissionOf(shard, lone.replica, request, lone.now);
  return typeof admission === 'string' ? admission : admission.code;
}

/** Not the primary, in this configuration of epoch 1. */
function told(change: Parameters<typeof threeOf>[0], self = s2): LoneReplica {
  const lone = new LoneReplica(self);
  lone.config(threeOf({ state: 'creating' }), 0);
  lone.persisted();
  lone.config(threeOf(change), 1);
  return lone;
}

describe('a primary', () => {
  it('S23 serves callers whose map is as its own, or who have none, and no others', () => {
    const lone = LoneReplica.leading();
    lone.config(threeOf({ epoch: 2 as Epoch }), 2);
    lone.persisted();
    lone.persisted();
    for (const peer of [s2, s3]) lone.attach(peer.id, 1);
    lone.persisted();
    lone.ackAll(s2.id, s3.id);
    const asked = [undefined, 1, 2, 3].map((epoch) => admitted(lone, 'read', epoch));
    expect(asked).toEqual(['now', 'STALE_EPOCH', 'now', 'NODE_BEHIND']);
  });

  it('S13 lets reads wait while it has no lease, and writes while too few are in sync', () => {
    const lone = LoneReplica.leading();
    lone.pass(599, s2.id);
    expect([admitted(lone, 'read'), admitted(lone)]).toEqual(['now', 'now']);
    lone.pass(1, s2.id);
    expect([admitted(lone, 'read'), admitted(lone)]).toEqual(['later', 'now']);
    lone.config(threeOf({ isr: [s1.id], learners: [s2.id, s3.id] }), 2);
    expect([admitted(lone, 'read'), admitted(lone)]).toEqual(['now', 'later']);
    expect(whyNeverStarted(shard, lone.replica)).toMatchObject({
      code: 'NOT_ENOUGH_REPLICAS',
      message: 'shard 0: 1 replicas in sync, and writes need 2',
    });
  });

  it('S11 lets everything wait until its epoch has begun', () => {
    const lone = new LoneReplica(s1);
    lone.config(threeOf({ state: 'creating' }), 0);
    lone.persisted();
    lone.config(threeOf(), 1);
    expect([admitted(lone, 'read'), admitted(lone)]).toEqual(['later', 'later']);
    expect(whyNeverStarted(shard, lone.replica).code).toBe('DEADLINE_PASSED');
  });
});

describe('any other replica', () => {
  it('S23 names the primary that it has heard of', () => {
    expect(admitted(told({}))).toBe('NOT_PRIMARY');
    expect(admitted(told({ isr: [s1.id, s3.id], learners: [s2.id] }))).toBe('NOT_PRIMARY');
    const request = { kind: 'read', asked: undefined } as const;
    expect(admissionOf(shard, told({}).replica, request, 0)).toMatchObject({
      message: 'shard 0: the primary is s1 in epoch 1',
    });
  });

  it('is behind its caller if it has heard less, or nothing', () => {
    expect(admitted(told({}), 'read', 2)).toBe('NODE_BEHIND');
    expect(admitted(new LoneReplica(s2))).toBe('NODE_BEHIND');
    const request = { kind: 'read', asked: undefined } as const;
    expect(admissionOf(shard, undefined, request, 0)).toMatchObject({ code: 'NODE_BEHIND' });
  });

  it('S19 says that there is no primary while the shard is created, and when it lost its data', () => {
    const creating = new LoneReplica(s2);
    creating.config(threeOf({ state: 'creating' }), 0);
    const lost = new LoneReplica(s2);
    lost.config(threeOf(), 1);
    expect([admitted(creating), admitted(lost)]).toEqual(['NO_PRIMARY', 'NO_PRIMARY']);
  });
});
