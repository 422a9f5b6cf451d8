/** Who is in sync: what primaries ask for, and members that come back (rules 6 and 7). */
import { describe, expect, it } from 'vitest';
import type { Epoch, Incarnation } from '../../src/model/ids.js';
import { clusterOf, nodeOf, placeOf, uuidOf } from '../support/configs.js';
import { ControlHarness, sharedBy } from '../support/control-harness.js';

const [s1, s2, s3] = [nodeOf('s1'), nodeOf('s2'), nodeOf('s3')];
const all = [s1, s2, s3];
const one = clusterOf({ shards: 1, replicas: 3, minIsr: 2 });

function shared(change: Parameters<typeof sharedBy>[2] = {}) {
  return new ControlHarness(one, [sharedBy(0, all, change)]);
}

const joining = { isr: [s1.id, s2.id], learners: [s3.id] };
const shrink = { type: 'shrink', node: s3.id } as const;
const expand = {
  type: 'expand',
  node: s3.id,
  store: s3.store,
  incarnation: s3.incarnation,
} as const;

describe('rule 6: the primary asks', () => {
  it('S7 to drop a member of the isr: it has to catch up, in the same epoch', () => {
    const harness = shared()
      .nodes(...all)
      .request(shrink);
    expect(harness.runWhy()).toEqual(['shrink']);
    expect(harness.config(0)).toMatchObject({ epoch: 4, ...joining, leaseReleased: true });
    expect(harness.run()).toEqual([]);
  });

  it('S7 it may be alone in the isr, below minIsr: whoever is left has every committed write', () => {
    const harness = shared().nodes(s1).request(shrink);
    harness.run();
    harness.request({ type: 'shrink', node: s2.id }).run();
    expect(harness.config(0)).toMatchObject({ isr: ['s1'], learners: ['s3', 's2'] });
  });

  it('S19 not any more when it is gone: the isr would be the dead one alone', () => {
    const harness = shared(joining).nodes(s2).request({ type: 'shrink', node: s2.id });
    harness.run();
    expect(harness.config(0)).toMatchObject({ epoch: 5, primary: 's2', isr: ['s1', 's2'] });
    const away = shared(joining).nodes(s3).request({ type: 'shrink', node: s2.id });
    expect(away.run()).toEqual([]);
    expect(away.config(0)).toMatchObject({ epoch: 4, isr: ['s1', 's2'] });
  });

  it('S16 to take in a learner that it names by store and incarnation', () => {
    const harness = shared(joining)
      .nodes(...all)
      .request(expand);
    expect(harness.runWhy()).toEqual(['expand']);
    expect(harness.config(0)).toMatchObject({ epoch: 4, isr: ['s1', 's2', 's3'], learners: [] });
    expect(harness.run()).toEqual([]);
  });

  it('S7 to forget what it asked before: the same configuration, at a new version', () => {
    const harness = shared(joining)
      .nodes(...all)
      .request({ type: 'withdraw', node: s3.id });
    const before = harness.config(0);
    expect(harness.runWhy()).toEqual(['withdraw']);
    expect(harness.config(0)).toMatchObject({ epoch: before.epoch, ...joining });
    expect(harness.run()).toEqual([]);
  });

  it('S7 nothing, knowing more than ZooKeeper: then it says that, and who is in sync', () => {
    const harness = shared().nodes(...all);
    const { version } = harness.znodes.get(0 as never)!;
    expect(harness.request(shrink, { basedOn: version + 1 }).run()).toEqual([]);
  });

  it('to give the place of a learner to another node, if there is one', () => {
    const s4 = nodeOf('s4');
    const replace = { type: 'replace', node: s3.id } as const;
    const harness = shared(joining).nodes(...all, s4);
    expect(harness.request(replace).run()).toEqual([]);
    harness.settle();
    expect(harness.request({ type: 'replace', node: s2.id }).run()).toEqual([]);
    expect(harness.request(replace).runWhy()).toEqual(['replace-learner']);
    expect(harness.config(0)).toMatchObject({
      ...{ epoch: 4, isr: ['s1', 's2'], learners: ['s4'] },
      replicas: [s1, s2, s4].map(placeOf),
    });
    expect(harness.request(replace).run()).toEqual([]);
  });

  it('S19 not if there is none: what it has may be worth something yet', () => {
    const harness = shared(joining)
      .nodes(...all)
      .settle();
    expect(harness.request({ type: 'replace', node: s3.id }).run()).toEqual([]);
  });

  it('all that it asks for at once is judged: what is refused hides nothing', () => {
    const harness = shared(joining)
      .nodes(s1, s2, s3)
      .suspect(s3)
      .request({ type: 'shrink', node: s2.id })
      .request(expand);
    expect(harness.runWhy()).toEqual(['shrink']);
    harness.hear(s3);
    expect(
      harness.request(expand).request({ type: 'withdraw', node: s3.id }).runWhy(),
      'taken back',
    ).toEqual(['withdraw']);
  });

  it.each([
    ['S16 another store', { ...expand, store: uuidOf('fresh') }],
    ['S16 another incarnation', { ...expand, incarnation: 7 as Incarnation }],
    ['S16 a node that has no replica', { ...expand, node: nodeOf('s9').id }],
    ['S7 a member that is in sync', { ...expand, node: s2.id, store: s2.store }],
    ['S7 the primary itself, to drop it', { type: 'shrink', node: s1.id } as const],
    ['S7 a learner, to drop it', { type: 'shrink', node: s3.id } as const],
  ])('%s is refused', (_, change) => {
    const harness = shared(joining)
      .nodes(...all)
      .request(change);
    expect(harness.run()).toEqual([]);
    expect(harness.run()).toEqual([]);
  });

  it.each([
    ['is gone', [s1, s2]],
    ['is there in a new life that was not recorded yet (KIP-903)', [s1, s2, nodeOf('s3', 2)]],
    ['is there with another store', [s1, s2, nodeOf('s3', 2, 'fresh')]],
  ])('S16 a learner is not taken in when it %s', (_, nodes) => {
    const harness = shared(joining)
      .nodes(...nodes)
      .request(expand);
    harness.run();
    expect(harness.config(0)).toMatchObject(joining);
    expect(harness.run()).toEqual([]);
  });

  it('S16 a learner that is suspected is not taken in', () => {
    const harness = shared(joining)
      .nodes(...all)
      .suspect(s3)
      .request(expand);
    expect(harness.run()).toEqual([]);
  });

  it.each([
    ['an earlier epoch', { epoch: 3 as Epoch }],
    ['a later epoch', { epoch: 5 as Epoch }],
    ['an older configuration', { basedOn: 2 }],
    ['another shard of the same number', { shardUuid: uuidOf('other') }],
  ])('S18 by %s is outdated, and dropped', (_, as) => {
    const harness = shared(joining)
      .nodes(...all)
      .request(expand, as);
    expect(harness.run()).toEqual([]);
    expect(harness.run()).toEqual([]);
  });

  it('S18 while a change is under way is dropped: it knows an older configuration', () => {
    const harness = shared(joining)
      .nodes(...all)
      .request(expand);
    expect(harness.controller.takeReady().writes).toHaveLength(1);
    harness.request({ type: 'shrink', node: s2.id });
    expect(harness.controller.takeReady().writes).toEqual([]);
    harness.step({ type: 'not-written', shard: sharedBy(0, all).shard });
    expect(harness.run()).toEqual([]);
    expect(harness.request(expand).runWhy()).toEqual(['expand']);
  });

  it('S1 and dies: the successor is chosen first, and what it asked for is outdated', () => {
    const harness = shared(joining).nodes(s2, s3).request(expand);
    expect(harness.runWhy()).toEqual(['fail-over']);
    expect(harness.config(0)).toMatchObject({ primary: 's2', isr: ['s1', 's2'], learners: ['s3'] });
    expect(harness.run()).toEqual([]);
  });

  it('of a shard being created nothing is taken', () => {
    const creating = shared({ state: 'creating' }).nodes(...all);
    expect(creating.request(shrink).run()).toEqual([]);
  });
});

describe('rule 7: a member comes back', () => {
  it('in a new life with its data: it goes on as what it was, in the same epoch', () => {
    const harness = shared(joining).nodes(s1, nodeOf('s2', 2), nodeOf('s3', 3));
    expect(harness.runWhy()).toEqual(['members-came-back']);
    const replicas = [s1, nodeOf('s2', 2), nodeOf('s3', 3)].map(placeOf);
    expect(harness.config(0)).toMatchObject({ epoch: 4, ...joining, replicas });
    expect(harness.run()).toEqual([]);
  });

  it.each([
    ['with another store', nodeOf('s2', 2, 'fresh')],
    ['with a disk that was set back (B8)', { ...nodeOf('s2', 2), ancestry: [] }],
  ])('S15 S19 %s: it has to catch up', (_, back) => {
    const harness = shared().nodes(s1, back, s3);
    expect(harness.runWhy()).toEqual(['members-came-back']);
    expect(harness.config(0)).toMatchObject({ epoch: 4, isr: ['s1', 's3'], learners: ['s2'] });
    expect(harness.config(0).replicas[1]).toEqual(placeOf(back));
    expect(harness.run()).toEqual([]);
    expect(harness.events).toEqual([]);
  });

  it('a learner with another store is a learner still, by its new place', () => {
    const fresh = nodeOf('s3', 2, 'fresh');
    const harness = shared(joining).nodes(s1, s2, fresh);
    harness.run();
    expect(harness.config(0)).toMatchObject(joining);
    expect(harness.config(0).replicas[2]).toEqual(placeOf(fresh));
  });

  it('S19 without its data while there is no primary: its old disk may be the last, so it stays', () => {
    const harness = shared({ isr: [s1.id, s2.id], learners: [s3.id] });
    harness.nodes(nodeOf('s2', 2, 'fresh'), s3);
    expect(harness.run()).toEqual([]);
    expect(harness.events).toEqual([
      { type: 'no-successor', shard: 0, primary: 's1' },
      { type: 'replica-lost', shard: 0, node: 's2' },
    ]);
    // The operator starts it with its old disk: it takes over.
    harness.complete().nodes(nodeOf('s2', 3), s3);
    expect([...harness.runWhy(), ...harness.runWhy()]).toEqual(['members-came-back', 'fail-over']);
    expect(harness.config(0)).toMatchObject({ primary: 's2', isr: ['s1', 's2'] });
  });

  it('S19 the only member without its data is left alone and named', () => {
    const alone = { isr: [s1.id], learners: [s2.id, s3.id] };
    const harness = shared(alone).nodes(nodeOf('s1', 2, 'fresh'), s2, s3);
    expect(harness.run()).toEqual([]);
    expect(harness.config(0)).toMatchObject({ ...alone, epoch: 4 });
    expect(harness.events).toEqual([{ type: 'replica-lost', shard: 0, node: 's1' }]);
  });
});
