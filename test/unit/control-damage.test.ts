/** What becomes of a shard when a node says that its replica is damaged (rules 5 and 10). */
import { describe, expect, it } from 'vitest';
import type { Epoch } from '../../src/model/ids.js';
import type { Registration } from '../../src/model/registrations.js';
import { clusterOf, nodeOf, placeOf, reportsOf } from '../support/configs.js';
import { ControlHarness, sharedBy } from '../support/control-harness.js';

const [s1, s2, s3] = [nodeOf('s1'), nodeOf('s2'), nodeOf('s3')];
const all = [s1, s2, s3];
const one = clusterOf({ shards: 1, replicas: 3, minIsr: 2 });
const PROBLEM = 'checksum of a record';

/** Shard 0 on s1, s2 and s3, with s1 its primary in epoch 4. */
function shared(change: Parameters<typeof sharedBy>[2] = {}) {
  return new ControlHarness(one, [sharedBy(0, all, change)]).nodes(...all);
}

/** The node says what is wrong with its replica; '' = nothing any more. */
function report(harness: ControlHarness, { store }: Registration, problem = PROBLEM, epoch = 4) {
  const known = reportsOf(harness.config(0)).find((one) => one.store === store)!;
  const entry = { ...known, epoch: epoch as Epoch };
  const replicas = [problem === '' ? entry : { ...entry, problem }];
  return harness.step({ type: 'reported', replicas });
}

describe('rule 10: a replica is damaged', () => {
  it('S16 a secondary leaves the isr in a new epoch, once, and is taken back when it is sound', () => {
    const harness = shared();
    expect(report(harness, s2).runWhy()).toEqual(['damaged']);
    expect(harness.config(0)).toMatchObject({
      ...{ epoch: 5, primary: 's1', isr: ['s1', 's3'], learners: ['s2'] },
      replicas: all.map(placeOf),
    });
    expect(harness.run()).toEqual([]);
    const { store, incarnation } = s2;
    const expand = { type: 'expand', node: s2.id, store, incarnation } as const;
    expect(harness.request(expand).run()).toEqual([]);
    expect(report(harness, s2, '', 5).request(expand).runWhy()).toEqual(['expand']);
    expect(harness.config(0)).toMatchObject({ epoch: 5, isr: ['s1', 's3', 's2'] });
  });

  it('S16 a learner that has spoken in this epoch is damaged: the next one begins', () => {
    const harness = shared({ isr: ['s1', 's3'] as never, learners: ['s2'] as never });
    expect(report(harness, s2).runWhy()).toEqual(['damaged']);
    expect(harness.config(0)).toMatchObject({ epoch: 5, isr: ['s1', 's3'], learners: ['s2'] });
    expect(harness.run()).toEqual([]);
  });

  it('S6 a primary is relieved by a sound member of the isr', () => {
    const harness = shared();
    expect(report(report(harness, s1), s2).runWhy()).toEqual(['damaged']);
    expect(harness.config(0)).toMatchObject({
      ...{ epoch: 5, primary: 's3', isr: ['s3'], learners: ['s1', 's2'], leaseReleased: false },
    });
    expect(harness.run()).toEqual([]);
  });

  it('S6 one that restarted without the replica is replaced in its new life', () => {
    const harness = shared();
    const back = nodeOf('s1', 2);
    harness.nodes(back, s2, s3);
    expect(report(harness, s1, PROBLEM, 0).runWhy()).toEqual(['damaged']);
    expect(harness.config(0)).toMatchObject({ primary: 's2', isr: ['s2', 's3'], learners: ['s1'] });
    expect(harness.config(0).replicas[0]).toEqual(placeOf(back));
  });

  it('S20 the last copy stays where it is, and the operator is told once', () => {
    const harness = shared({ isr: ['s1'] as never, learners: ['s2', 's3'] as never });
    for (let times = 0; times < 3; times++) expect(report(harness, s1).run()).toEqual([]);
    const told = { type: 'last-copy-damaged', shard: 0, node: 's1', problem: PROBLEM };
    expect(harness.events).toEqual([told]);
    // What it still serves, it can give to others.
    const { store, incarnation } = s2;
    harness.request({ type: 'expand', node: s2.id, store, incarnation });
    expect(harness.runWhy()).toEqual(['expand']);
    expect(harness.runWhy()).toEqual(['damaged']);
    expect(harness.config(0)).toMatchObject({ primary: 's2', isr: ['s2'] });
  });

  it('S20 the last copy that stepped down goes on in a new epoch, although it is damaged', () => {
    const harness = shared({ isr: ['s1'] as never, learners: ['s2', 's3'] as never });
    report(harness, s1).stepDown(0, s2.id);
    expect(harness.runWhy()).toEqual(['hand-over']);
    expect(harness.config(0)).toMatchObject({ epoch: 5, primary: 's1', isr: ['s1'] });
  });

  it('S20 a damaged member is not promoted while a sound one may come back', () => {
    const harness = shared({ isr: ['s1', 's2'] as never, learners: ['s3'] as never });
    report(harness, s2);
    harness.nodes(s2, s3);
    expect(harness.run()).toEqual([]);
    expect(harness.config(0)).toMatchObject({ epoch: 4, isr: ['s1', 's2'] });
    expect(harness.nodes(nodeOf('s1', 2), s2, s3).runWhy()).toEqual(['new-life']);
    expect(harness.config(0)).toMatchObject({ primary: 's1', isr: ['s1'] });
  });
});
