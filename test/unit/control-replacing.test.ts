/** Replicas on nodes that are away for long: made anew elsewhere, then forgotten (rules 9 and 11). */
import { describe, expect, it } from 'vitest';
import type { Registration } from '../../src/model/registrations.js';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { clusterOf, nodeOf, placeOf } from '../support/configs.js';
import { ControlHarness, sharedBy } from '../support/control-harness.js';

const [s1, s2, s3, s4, s5] = ['s1', 's2', 's3', 's4', 's5'].map((id) => nodeOf(id)) as [
  Registration,
  Registration,
  Registration,
  Registration,
  Registration,
];
const one = clusterOf({ shards: 1, replicas: 3, minIsr: 2 });
/** s3 died, and its primary went on without it. */
const shrunk = sharedBy(0, [s1, s2, s3], { isr: [s1.id, s2.id], learners: [s3.id] });

const gone = (node: Registration) => ({ type: 'gone', node: node.id }) as const;
const expand = ({ id, store, incarnation }: Registration) => {
  return { type: 'expand', node: id, store, incarnation } as const;
};

function harnessOf(config: ShardConfig, ...nodes: readonly Registration[]): ControlHarness {
  return new ControlHarness(one, [config]).nodes(...nodes).settle();
}

describe('a node that is away for long', () => {
  it('is replaced: a learner elsewhere first; forgotten once that is in sync', () => {
    const harness = harnessOf(shrunk, s1, s2, s4);
    expect(harness.run()).toEqual([]);
    expect(harness.step(gone(s3)).runWhy()).toEqual(['add-learner']);
    expect(harness.config(0)).toMatchObject({ isr: ['s1', 's2'], learners: ['s3', 's4'] });
    expect(harness.run()).toEqual([]);
    expect(harness.request(expand(s4)).runWhy()).toEqual(['expand']);
    expect(harness.runWhy()).toEqual(['forget']);
    expect(harness.config(0)).toMatchObject({
      ...{ epoch: 4, primary: 's1', isr: ['s1', 's2', 's4'], learners: [] },
      replicas: [s1, s2, s4].map(placeOf),
    });
    expect(harness.run()).toEqual([]);
  });

  it('that comes back in time is counted again, and nobody takes its place', () => {
    const harness = harnessOf(shrunk, s1, s2, s4).step(gone(s3));
    harness.nodes(s1, s2, nodeOf('s3', 2), s4).settle();
    expect(harness.runWhy()).toEqual(['members-came-back']);
    expect(harness.run()).toEqual([]);
    expect(harness.config(0).learners).toEqual(['s3']);
  });

  it('that comes back when its replacement is in sync is not needed any more', () => {
    const harness = harnessOf(shrunk, s1, s2, s4).step(gone(s3));
    harness.run();
    harness.nodes(s1, s2, nodeOf('s3', 2), s4).settle();
    expect(harness.runWhy()).toEqual(['members-came-back']);
    expect(harness.request(expand(s4)).runWhy()).toEqual(['expand']);
    expect(harness.runWhy()).toEqual(['forget']);
    expect(harness.config(0).replicas).toEqual([s1, s2, s4].map(placeOf));
  });

  it('is not replaced while there is no node to spare, and nothing is forgotten', () => {
    const harness = harnessOf(shrunk, s1, s2).step(gone(s3));
    expect(harness.run()).toEqual([]);
    // One that is leaving is given nothing.
    harness.nodes(s1, s2, s4).step({ type: 'leaving', node: s4.id }).settle();
    expect(harness.run()).toEqual([]);
    expect(harness.config(0)).toEqual(shrunk);
  });

  it('S19 keeps its replica while it is in sync: it may be the last with everything', () => {
    // s2 and s3 died at once; s1 has not asked to go on without them yet.
    const harness = harnessOf(sharedBy(0, [s1, s2, s3]), s1, s4, s5)
      .step(gone(s2))
      .step(gone(s3));
    expect(harness.runWhy()).toEqual(['add-learner']);
    expect(harness.request(expand(s4)).runWhy()).toEqual(['expand']);
    expect(harness.runWhy()).toEqual(['add-learner']);
    expect(harness.request(expand(s5)).runWhy()).toEqual(['expand']);
    expect(harness.run()).toEqual([]);
    const { isr, learners } = harness.config(0);
    expect([isr, learners]).toEqual([['s1', 's2', 's3', 's4', 's5'], []]);
  });

  it('S19 is not forgotten while a member of the isr is away, or in a life that is not known', () => {
    const config = sharedBy(0, [s1, s2, s4, s3], {
      isr: [s1.id, s2.id, s4.id],
      learners: [s3.id],
    });
    expect(harnessOf(config, s1, s2).step(gone(s3)).run()).toEqual([]);
    expect(harnessOf(config, s1, s2, s4).suspect(s4).step(gone(s3)).run()).toEqual([]);
    expect(harnessOf(config, s1, s2, s4).step(gone(s3)).runWhy()).toEqual(['forget']);
  });

  it('S19 with no primary alive nothing is replaced and nothing forgotten', () => {
    const stranded = sharedBy(0, [s1, s2, s3], {
      isr: [s3.id],
      primary: s3.id,
      learners: [s1.id, s2.id],
    });
    const harness = harnessOf(stranded, s1, s2, s4).step(gone(s3));
    expect(harness.run()).toEqual([]);
    expect(harness.config(0)).toEqual(stranded);
  });

  it('that is registered is not gone, whatever is said of it', () => {
    const harness = harnessOf(shrunk, s1, s2, s3, s4).step(gone(s3));
    expect(harness.run()).toEqual([]);
  });
});
