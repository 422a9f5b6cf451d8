/** Where the replicas of shards go, and when a shard begins to serve (rules 1, 2, 3 and 9). */
import { describe, expect, it } from 'vitest';
import type { Registration } from '../../src/model/registrations.js';
import { clusterOf, nodeOf, reportsOf } from '../support/configs.js';
import { ControlHarness, sharedBy } from '../support/control-harness.js';

const nodesOf = (count: number) => Array.from({ length: count }, (_, at) => nodeOf(`s${at + 1}`));
const [s1, s2, s3, s4] = nodesOf(4) as [Registration, Registration, Registration, Registration];
const three = clusterOf({ replicas: 3, minIsr: 2 });

function labelled(node: Registration, zone: string, host = ''): Registration {
  return { ...node, labels: { zone, host } };
}

function placedOn(nodes: readonly Registration[], change = {}) {
  const harness = new ControlHarness(clusterOf({ shards: 48, replicas: 3, minIsr: 2, ...change }));
  harness.nodes(...nodes).settle();
  harness.run();
  return harness;
}

function replicaCounts(harness: ControlHarness): number[] {
  const counts = new Map<string, number>();
  for (const { config } of harness.znodes.values()) {
    for (const { node } of config.replicas) counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  return [...counts.values()].sort((a, b) => a - b);
}

describe('rule 1: a new shard', () => {
  it('has all its replicas in sync, on different nodes, and no lease to wait for', () => {
    const harness = placedOn([s1, s2, s3]);
    for (const { config } of harness.znodes.values()) {
      expect(config).toMatchObject({ state: 'creating', learners: [], leaseReleased: true });
      expect([...config.isr].sort()).toEqual(['s1', 's2', 's3']);
      expect(config.isr[0]).toBe(config.primary);
    }
  });

  it.each([3, 4, 5, 6, 7])(
    'primaries are balanced to within one, replicas to within two, over %i nodes',
    (count) => {
      const harness = placedOn(nodesOf(count));
      const primaries = [...harness.primaries().values()].sort((a, b) => a - b);
      expect(primaries.at(-1)! - primaries[0]!).toBeLessThanOrEqual(1);
      const replicas = replicaCounts(harness);
      expect(replicas.at(-1)! - replicas[0]!).toBeLessThanOrEqual(2);
    },
  );

  it('is placed the same way again, whatever order the nodes are listed in', () => {
    const forwards = placedOn(nodesOf(5));
    const backwards = placedOn(nodesOf(5).reverse());
    for (const id of forwards.znodes.keys()) {
      expect(forwards.config(id)).toEqual(backwards.config(id));
    }
  });

  it('spreads over zones, then over hosts; a node without labels is a place of its own', () => {
    const zones = [labelled(s1, 'a'), labelled(s2, 'a'), labelled(s3, 'b'), labelled(s4, 'c')];
    for (const { config } of placedOn(zones).znodes.values()) {
      expect(config.isr.filter((node) => node === 's1' || node === 's2')).toHaveLength(1);
    }
    const hosts = [labelled(s1, 'a', 'h1'), labelled(s2, 'a', 'h1'), labelled(s3, 'a', 'h2')];
    for (const { config } of placedOn(hosts, { replicas: 2 }).znodes.values()) {
      expect(config.isr).toContain('s3');
    }
    const unlabelled = [labelled(s1, 'a'), labelled(s2, 'a'), s3, s4];
    for (const { config } of placedOn(unlabelled).znodes.values()) {
      expect(config.isr).not.toEqual(expect.arrayContaining(['s1', 's2']));
    }
  });

  it('takes the nodes there are, if they are fewer than its replicas', () => {
    const harness = placedOn([s1, s2]);
    expect(harness.config(0).isr).toHaveLength(2);
  });

  it('goes to no node that is suspected or leaving', () => {
    const harness = new ControlHarness(clusterOf({ replicas: 2 })).nodes(s1, s2, s3, s4).settle();
    harness.suspect(s1).step({ type: 'leaving', node: s2.id }).run();
    expect(replicaCounts(harness)).toEqual([6, 6]);
    expect([...harness.config(0).isr].sort()).toEqual(['s3', 's4']);
  });
});

describe('rules 2 and 3: a shard being created', () => {
  const creating = sharedBy(0, [s1, s2, s3], { state: 'creating' });
  const one = clusterOf({ shards: 1, replicas: 3, minIsr: 2 });

  it('S4 becomes active only after every member reported its replica as durable', () => {
    const harness = new ControlHarness(one, [creating]).nodes(s1, s2, s3).settle();
    const reports = reportsOf(creating);
    harness.step({ type: 'reported', replicas: reports.slice(0, 2) });
    expect(harness.run()).toEqual([]);
    harness.step({ type: 'reported', replicas: reports.slice(2) });
    expect(harness.runWhy()).toEqual(['activate']);
    expect(harness.config(0)).toMatchObject({ state: 'active', epoch: 4, leaseReleased: true });
    expect(harness.run()).toEqual([]);
  });

  it.each([
    ['is gone', [s1, s2, s4]],
    ['is there in another life', [s1, s2, nodeOf('s3', 2)]],
    ['is there with another store', [s1, s2, nodeOf('s3', 2, 'fresh')]],
  ])('S1 is placed anew in a new epoch when any member %s', (_, nodes) => {
    const harness = new ControlHarness(one, [creating])
      .nodes(...nodes)
      .settle()
      .reportAll();
    expect(harness.runWhy()).toEqual(['place-anew']);
    expect(harness.config(0)).toMatchObject({ state: 'creating', epoch: 5 });
    expect([...harness.config(0).isr].sort()).toEqual(nodes.map(({ id }) => id).sort());
    expect(harness.config(0).shardUuid).toBe(creating.shardUuid);
    harness.reportAll().run();
    expect(harness.config(0).state).toBe('active');
  });
});

describe('rule 9: a shard with fewer replicas than it should have', () => {
  const narrow = [0, 1, 2, 3, 4, 5].map((id) => sharedBy(id, [s1, s2]));

  it('S15 gets a learner once the nodes have settled, and its epoch stays', () => {
    const harness = new ControlHarness(three, narrow).nodes(s1, s2, s3, s4).reportAll();
    expect(harness.run()).toEqual([]);
    expect(harness.settle().runWhy()).toEqual(narrow.map(() => 'add-learner'));
    const learners = narrow.map(({ shard }) => harness.config(shard).learners[0]);
    expect(learners.sort()).toEqual(['s3', 's3', 's3', 's4', 's4', 's4']);
    expect(harness.config(0)).toMatchObject({ epoch: 4, isr: ['s1', 's2'], primary: 's1' });
    expect(harness.run()).toEqual([]);
  });

  it('S18 gets one learner at a time, unless the one there is away', () => {
    const cluster = clusterOf({ shards: 1, replicas: 3, minIsr: 1 });
    const harness = new ControlHarness(cluster, [sharedBy(0, [s1])]).nodes(s1, s2, s3).settle();
    expect(harness.runWhy()).toEqual(['add-learner']);
    expect(harness.run()).toEqual([]);
    expect(harness.suspect(s2).runWhy()).toEqual(['add-learner']);
    expect(harness.config(0).learners).toEqual(['s2', 's3']);
  });

  it('waits while a node came or went, while it has no primary, and keeps enough', () => {
    const settled = () => new ControlHarness(three, narrow).nodes(s1, s2).settle();
    expect(settled().run()).toEqual([]);
    expect(settled().nodes(s1, s2, s3).run()).toEqual([]);
    const stranded = new ControlHarness(three, [sharedBy(0, [s1])]).nodes(s2, s3).settle();
    stranded.run();
    expect(stranded.config(0)).toMatchObject({ isr: ['s1'], learners: [] });
    const full = narrow.map(({ shard }) => sharedBy(shard, [s1, s2, s3]));
    expect(new ControlHarness(three, full).nodes(s1, s2, s3, s4).settle().run()).toEqual([]);
  });
});
