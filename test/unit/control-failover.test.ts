/** Who serves a shard when nodes die, hang, come back or step down (rules 4, 5, 8 and 10). */
import { describe, expect, it } from 'vitest';
import type { Epoch, Incarnation } from '../../src/model/ids.js';
import { clusterOf, nodeOf, placeOf, reportOf, uuidOf } from '../support/configs.js';
import { ControlHarness, sharedBy } from '../support/control-harness.js';

const [s1, s2, s3] = [nodeOf('s1'), nodeOf('s2'), nodeOf('s3')];
const all = [s1, s2, s3];
const one = clusterOf({ shards: 1, replicas: 3, minIsr: 2 });

/** Shard 0 on s1, s2 and s3, with s1 its primary in epoch 4. */
function shared(change: Parameters<typeof sharedBy>[2] = {}) {
  return new ControlHarness(one, [sharedBy(0, all, change)]);
}

describe('rule 5: the primary is not alive', () => {
  it('S1 S6 a member of the isr takes over in a new epoch; the dead one has to catch up', () => {
    const harness = shared().nodes(s2, s3);
    expect(harness.runWhy()).toEqual(['fail-over']);
    expect(harness.config(0)).toMatchObject({
      ...{ epoch: 5, primary: 's2', isr: ['s2', 's3'], learners: ['s1'], leaseReleased: false },
      replicas: all.map(placeOf),
    });
    expect(harness.run()).toEqual([]);
    expect(harness.events).toEqual([]);
  });

  it('S6 a member suspected at that moment stays in the isr, and can be the next', () => {
    const harness = shared().nodes(s2, s3).suspect(s3);
    expect(harness.runWhy()).toEqual(['fail-over']);
    expect(harness.config(0)).toMatchObject({ primary: 's2', isr: ['s2', 's3'], learners: ['s1'] });
    harness.nodes(s3).hear(s3);
    expect(harness.runWhy()).toEqual(['fail-over']);
    expect(harness.config(0)).toMatchObject({ epoch: 6, primary: 's3' });
  });

  it('S6 one in whose place a later process answers is not the next: its disk may be another', () => {
    const harness = shared({ isr: [s1.id, s2.id], learners: [s3.id] }).nodes(s2, s3);
    harness.step({ type: 'replaced', node: s2.id, process: s2.process });
    expect(harness.run()).toEqual([]);
    harness.nodes(s1, s2, s3).nodes(s2, s3);
    expect(harness.run(), 'whoever else comes and goes').toEqual([]);
    harness.hear(s2);
    expect(harness.runWhy()).toEqual(['fail-over']);
    expect(harness.config(0)).toMatchObject({ primary: 's2', isr: ['s1', 's2'] });
  });

  it('S6 and from a primary nothing is taken for that: its next life registers soon', () => {
    const harness = shared();
    harness.step({ type: 'replaced', node: s1.id, process: s1.process });
    expect(harness.run()).toEqual([]);
    harness.nodes(nodeOf('s1', 2), s2, s3);
    expect(harness.runWhy()).toEqual(['new-life']);
    expect(harness.config(0)).toMatchObject({ primary: 's1', isr: ['s1', 's2', 's3'] });
  });

  it.each([
    [1, ['s2']],
    [2, ['s2', 's3']],
    [3, ['s1', 's2', 's3']],
  ])('with minIsr %i the isr is not made smaller than that', (minIsr, isr) => {
    const cluster = clusterOf({ shards: 1, replicas: 3, minIsr });
    const harness = new ControlHarness(cluster, [sharedBy(0, all)]).nodes(s2);
    expect(harness.runWhy()).toEqual(['fail-over']);
    expect(harness.config(0)).toMatchObject({ primary: 's2', isr });
  });

  it('S15 but a member that lost its data leaves it, however few stay', () => {
    const harness = shared().nodes(s2, nodeOf('s1', 2, 'fresh'), nodeOf('s3', 2, 'fresh'));
    expect(harness.runWhy()).toEqual(['fail-over']);
    expect(harness.config(0)).toMatchObject({ primary: 's2', isr: ['s2'] });
  });

  it.each([
    ['S15 a learner', shared({ isr: ['s1', 's3'] as never, learners: ['s2'] as never }), s2],
    ['S6 a member with another store', shared(), nodeOf('s2', 2, 'fresh')],
    ['S6 a member whose disk was set back', shared(), { ...nodeOf('s2', 2), ancestry: [] }],
  ])('%s is never promoted: the shard waits for its primary', (_, harness, only) => {
    harness.nodes(only).settle();
    expect(harness.run()).toEqual([]);
    expect(harness.config(0)).toMatchObject({ epoch: 4, primary: 's1' });
  });

  it('L1 while nobody may be, it is looked at again: an operator may decide so', () => {
    const harness = shared({ isr: ['s1'], learners: ['s2', 's3'] } as never).complete();
    expect(harness.nodes(...all).run()).toEqual([]);
    expect(harness.controller.broken).toEqual([]);
    expect(harness.nodes(s2, s3).run()).toEqual([]);
    expect(harness.controller.broken).toEqual([0]);
    expect(harness.nodes({ ...nodeOf('s1', 2), ancestry: [] }, s2, s3).run()).toEqual([]);
    expect(harness.controller.broken).toEqual([0]);
    harness.nodes(...all).run();
    expect(harness.controller.broken).toEqual([]);
  });

  it('S6 a member in a new life is recorded first, and promoted then', () => {
    const harness = shared().complete().nodes(nodeOf('s2', 2));
    expect(harness.runWhy()).toEqual(['members-came-back']);
    expect(harness.config(0)).toMatchObject({ epoch: 4, primary: 's1', isr: ['s1', 's2', 's3'] });
    expect(harness.runWhy()).toEqual(['fail-over']);
    expect(harness.config(0)).toMatchObject({ epoch: 5, primary: 's2', isr: ['s2', 's3'] });
  });

  describe('under a leader that has just begun', () => {
    const begun = () => new ControlHarness(one, [sharedBy(0, all)], { hasJustBegun: true });

    it('S6 the primary may be about to come, too, and knows whether the map was set back', () => {
      // The map is a backup: in truth s3 left the isr, and lacks what was written since.
      const harness = begun().nodes(s3);
      expect(harness.run()).toEqual([]);
      expect(harness.nodes(s3, s2).run()).toEqual([]);
      expect(harness.events).toEqual([]);
      const again = { ...s1, incarnation: 9 as Incarnation };
      expect(harness.nodes(s3, s2, again).runWhy()).toEqual(['new-life']);
      expect(harness.config(0)).toMatchObject({ epoch: 5, primary: 's1' });
    });

    it('S1 S6 any other member of the isr may, and know that the map was set back', () => {
      // In truth s2 leads in epoch 5.
      const harness = begun().nodes({ ...s1, incarnation: 9 as Incarnation }, s3);
      expect(harness.run()).toEqual([]);
      harness.step({ type: 'nodes', nodes: [...all] });
      const report = { ...reportOf(harness.config(0)), store: s2.store, epoch: 5 as Epoch };
      harness.step({ type: 'reported', replicas: [report] });
      harness.step({ type: 'accounted', process: s2.process });
      expect(harness.run(), 'it has moved on').toEqual([]);
    });

    it('S1 S6 so may one in whose place a later process answers than a backup has registered', () => {
      const again = { ...s1, incarnation: 9 as Incarnation };
      const harness = begun().step({ type: 'nodes', nodes: [again, s2, s3] });
      for (const { id } of [again, s3]) harness.step({ type: 'spoken', node: id });
      for (const { process } of all) harness.step({ type: 'accounted', process });
      harness.step({ type: 'replaced', node: s2.id, process: s2.process });
      expect(harness.run()).toEqual([]);
      expect(harness.complete().runWhy()).toEqual(['new-life']);
    });

    it('L1 nobody is waited for who has had the time, or was there and went', () => {
      const late = begun().nodes(s2, s3);
      expect(late.run()).toEqual([]);
      expect(late.complete().runWhy()).toEqual(['fail-over']);
      const gone = begun().nodes(s2, s3, s1).nodes(s2, s3);
      expect(gone.runWhy()).toEqual(['fail-over']);
    });

    it('S1 S6 nor one that is learning, which may have joined since, and lead', () => {
      const stored = sharedBy(0, all, { isr: [s1.id, s2.id], learners: [s3.id] });
      const harness = new ControlHarness(one, [stored], { hasJustBegun: true });
      harness.nodes({ ...s1, incarnation: 9 as Incarnation }, s2);
      expect(harness.run()).toEqual([]);
    });

    it('S1 S6 nor one that is registered and suspected: it may be at another address', () => {
      const harness = begun().step({ type: 'nodes', nodes: all }).suspect(s2);
      for (const { id } of [s1, s3]) harness.step({ type: 'spoken', node: id });
      for (const { process } of all) harness.step({ type: 'accounted', process });
      expect(harness.hear(s2).suspect(s2).run(), 'that it lives says nothing').toEqual([]);
      expect(harness.request({ type: 'shrink', node: s2.id }).run()).toEqual([]);
      expect(harness.controller.notSpoken).toEqual(['s2']);
      expect(harness.complete().controller.notSpoken).toEqual([]);
      expect(harness.request({ type: 'shrink', node: s2.id }).runWhy()).toEqual(['shrink']);
    });

    it('S1 S6 and whoever has not spoken is waited for again if ZooKeeper may be another', () => {
      const harness = new ControlHarness(one, [sharedBy(0, all)]).nodes(s1, s2);
      harness.step({ type: 'zookeeper-doubted' });
      expect(harness.request({ type: 'shrink', node: s3.id }).run()).toEqual([]);
      harness.nodes(s1, s2, s3).nodes(s1, s2);
      expect(harness.request({ type: 'shrink', node: s3.id }).runWhy()).toEqual(['shrink']);
    });
  });

  it('S19 a primary that came back without its data is replaced, and has to catch up', () => {
    const wiped = nodeOf('s1', 2, 'fresh');
    const harness = shared().nodes(wiped, s2, s3);
    expect(harness.runWhy()).toEqual(['fail-over']);
    expect(harness.config(0)).toMatchObject({ primary: 's2', isr: ['s2', 's3'], learners: ['s1'] });
    expect(harness.config(0).replicas[0]).toEqual(placeOf(wiped));
    expect(harness.run()).toEqual([]);
  });

  it('S19 with nobody to take over it is left alone, and said once in an epoch', () => {
    const harness = shared({ isr: ['s1'] as never, learners: ['s2', 's3'] as never }).nodes(s2, s3);
    for (let times = 0; times < 3; times++) expect(harness.run()).toEqual([]);
    expect(harness.events).toEqual([{ type: 'no-successor', shard: 0, primary: 's1' }]);
    expect(harness.nodes(nodeOf('s1', 2), s2, s3).runWhy()).toEqual(['new-life']);
    harness.nodes(s2, s3).run();
    expect(harness.events).toHaveLength(2);
  });

  it('nothing is decided before the registered nodes were read', () => {
    const harness = shared();
    expect(harness.run()).toEqual([]);
    expect(harness.events).toEqual([]);
  });

  it('the shards of a dead node are shared out to those that have fewest primaries', () => {
    const configs = [0, 1, 2, 3, 4, 5].map((id) =>
      sharedBy(id, [all[id % 3]!, ...all.toSpliced(id % 3, 1)]),
    );
    const harness = new ControlHarness(clusterOf({ replicas: 3 }), configs).nodes(s2, s3);
    expect(harness.runWhy()).toEqual(['fail-over', 'fail-over']);
    expect(Object.fromEntries(harness.primaries())).toEqual({ s2: 3, s3: 3 });
  });
});

describe('rule 4: the primary is alive in a new life', () => {
  it('S1 it stays primary in a new epoch, and members that are away stay in the isr', () => {
    const reborn = nodeOf('s1', 2);
    const harness = shared().nodes(reborn, s2);
    expect(harness.runWhy()).toEqual(['new-life']);
    expect(harness.config(0)).toMatchObject({
      ...{ epoch: 5, primary: 's1', isr: ['s1', 's2', 's3'], leaseReleased: false },
      replicas: [reborn, s2, s3].map(placeOf),
    });
    expect(harness.run()).toEqual([]);
  });

  it('a process that registers in a new session has lost nothing', () => {
    const again = { ...s1, incarnation: 99 as never };
    const harness = new ControlHarness(one, [sharedBy(0, [s1])]).nodes(again);
    expect(harness.runWhy()).toEqual(['new-life']);
    expect(harness.config(0).replicas).toEqual([placeOf(again)]);
    expect(harness.events).toEqual([]);
  });

  it.each([0, 1, 4])('S19 a disk set back by %i lives, and used since, is not it (B8)', (by) => {
    const stored = sharedBy(0, [nodeOf('s1', 5)]);
    const { ancestry } = nodeOf('s1', 5 - by);
    const since = ['a', 'b', 'c', 'd', 'e', 'f'].map(uuidOf);
    const older = { ...nodeOf('s1', 12), ancestry: [...ancestry, ...since] };
    const harness = new ControlHarness(one, [stored]).nodes(older);
    expect(harness.run()).toEqual([]);
    expect(harness.events).toEqual([{ type: 'replica-lost', shard: 0, node: 's1' }]);
  });

  it('S1 a primary that found its epoch promised when it began gets the next', () => {
    const harness = shared()
      .nodes(...all)
      .settle()
      .reportAll();
    expect(harness.run()).toEqual([]);
    const { epoch } = harness.config(0);
    const used = { ...reportOf(harness.config(0)), openedEpoch: epoch };
    expect(harness.step({ type: 'reported', replicas: [used] }).runWhy()).toEqual(['epoch-used']);
    expect(harness.config(0)).toMatchObject({ epoch: epoch + 1, primary: 's1' });
    expect(harness.run()).toEqual([]);
  });
});

describe('rule 10: a node the leader cannot reach', () => {
  it('counts as dead at once, until it is heard again', () => {
    const harness = shared()
      .nodes(...all)
      .suspect(s1);
    expect(harness.runWhy()).toEqual(['fail-over']);
    expect(harness.config(0)).toMatchObject({ primary: 's2', isr: ['s2', 's3'], learners: ['s1'] });
    expect(harness.hear(s1).run()).toEqual([]);
  });

  it('is another one when it registers as another process', () => {
    const harness = shared()
      .nodes(...all)
      .suspect(s1);
    expect(harness.nodes(nodeOf('s1', 2), s2, s3).runWhy()).toEqual(['new-life']);
  });

  it('is not cleared by word of another process, nor by registering anew', () => {
    const alone = () => new ControlHarness(one, [sharedBy(0, [s1])]).nodes(...all).suspect(s1);
    const said = [{ type: 'no-successor', shard: 0, primary: 's1' }];
    const harness = alone().hear(nodeOf('s1', 2));
    harness.nodes({ ...s1, incarnation: 99 as never }).run();
    expect(harness.events).toEqual(said);
  });

  it('is forgotten with its registration: the same process may register again', () => {
    const harness = shared().nodes(...all);
    harness.suspect(s1).run();
    harness.nodes(s2, s3).run();
    expect(harness.nodes({ ...s1, incarnation: 99 as never }, s2, s3).runWhy()).toEqual([
      'members-came-back',
    ]);
  });
});

describe('rule 8: the primary stepped down', () => {
  it('S1 the member it names takes over in a new epoch without waiting for the lease', () => {
    const harness = shared()
      .nodes(...all)
      .stepDown(0, s3.id);
    expect(harness.runWhy()).toEqual(['hand-over']);
    expect(harness.config(0)).toMatchObject({
      ...{ epoch: 5, primary: 's3', isr: ['s1', 's2', 's3'], learners: [], leaseReleased: true },
    });
    expect(harness.run()).toEqual([]);
  });

  it.each([
    ['is a learner', shared({ isr: ['s1', 's2'] as never, learners: ['s3'] as never }), s3],
    ['is in a life not recorded', shared(), nodeOf('s3', 2)],
    ['lost its data', shared(), nodeOf('s3', 2, 'fresh')],
  ])('S6 S15 if the one it names %s, another one takes over', (_, harness, third) => {
    harness.nodes(s1, s2, third).stepDown(0, s3.id);
    expect(harness.runWhy()).toEqual(['hand-over']);
    expect(['s1', 's2']).toContain(harness.config(0).primary);
    expect(harness.config(0)).toMatchObject({ epoch: 5, leaseReleased: true });
  });

  it('with nobody else there it may go on itself, in a new epoch', () => {
    const harness = shared().nodes(s1).stepDown(0, s3.id);
    expect(harness.runWhy()).toEqual(['hand-over']);
    expect(harness.config(0)).toMatchObject({ epoch: 5, primary: 's1', isr: ['s1', 's3'] });
  });

  it('and died then: its lease is still given back, and it has to catch up', () => {
    const harness = shared().nodes(s2, s3).stepDown(0);
    expect(harness.runWhy()).toEqual(['hand-over']);
    expect(harness.config(0)).toMatchObject({ isr: ['s2', 's3'], leaseReleased: true });
  });

  it('in an epoch before means nothing', () => {
    const harness = shared()
      .nodes(...all)
      .stepDown(0, s2.id, 3 as Epoch);
    expect(harness.run()).toEqual([]);
  });

  it('is not hidden by what an earlier primary repeats', () => {
    const harness = shared()
      .nodes(...all)
      .stepDown(0, s3.id)
      .stepDown(0, s2.id, 3 as Epoch);
    expect(harness.runWhy()).toEqual(['hand-over']);
    expect(harness.config(0).primary).toBe('s3');
  });

  it('the next epoch after it has a lease to wait for again', () => {
    const harness = shared()
      .nodes(...all)
      .stepDown(0, s3.id);
    harness.run();
    harness.nodes(s1, s2).run();
    expect(harness.config(0)).toMatchObject({ epoch: 6, leaseReleased: false });
  });
});
