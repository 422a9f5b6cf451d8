/** Which primaries are asked to step down, and when (rule 8). */
import { describe, expect, it } from 'vitest';
import type { ShardId } from '../../src/model/ids.js';
import { clusterOf, nodeOf } from '../support/configs.js';
import { ControlHarness, sharedBy } from '../support/control-harness.js';

const [s1, s2, s3] = [nodeOf('s1'), nodeOf('s2'), nodeOf('s3')];
const all = [s1, s2, s3];
const SHARDS = 9;
const cluster = clusterOf({ shards: SHARDS, replicas: 3, minIsr: 2 });

/** All primaries on s1, all members in sync and up. */
function lopsided(change: Parameters<typeof sharedBy>[2] = {}) {
  const configs = Array.from({ length: SHARDS }, (_, id) => sharedBy(id, all, change));
  return new ControlHarness(cluster, configs).nodes(...all).reportAll();
}

/** What is asked for now; nothing else is proposed. */
function asked(harness: ControlHarness) {
  expect(harness.run()).toEqual([]);
  return harness.handOvers.map(({ shard, epoch, from, to }) => `${shard}/${epoch} ${from} ${to}`);
}

describe('to balance', () => {
  it('at most four are asked for at a time, each once in its epoch', () => {
    const harness = lopsided().settle();
    expect(asked(harness)).toEqual(['0/4 s1 s2', '1/4 s1 s3', '2/4 s1 s2', '3/4 s1 s3']);
    expect(asked(harness)).toEqual([]);
  });

  it('goes on until no node has two more than another, and then rests', () => {
    const harness = lopsided().settle();
    let count = 0;
    for (let round = 0; round < 10; round++) {
      harness.run();
      count += harness.handOvers.length;
      for (const { shard, to } of harness.handOvers) harness.stepDown(shard, to);
    }
    expect(count).toBe(6);
    expect([...harness.primaries().values()]).toEqual([3, 3, 3]);
    expect(asked(harness)).toEqual([]);
  });

  it('one that failed may be asked for again', () => {
    const harness = lopsided().settle();
    expect(asked(harness)).toHaveLength(4);
    harness.step({ type: 'hand-over-failed', shard: 2 as ShardId, epoch: 3 as never });
    expect(asked(harness)).toEqual([]);
    harness.step({ type: 'hand-over-failed', shard: 2 as ShardId, epoch: 4 as never });
    expect(asked(harness)).toEqual(['2/4 s1 s2']);
  });

  it('nothing is asked for before the nodes have settled, nor of shards that are not whole', () => {
    expect(asked(lopsided())).toEqual([]);
    expect(
      asked(
        lopsided()
          .settle()
          .nodes(...all),
      ),
    ).toEqual([]);
    expect(asked(lopsided({ isr: [s1.id, s2.id], learners: [s3.id] }).settle())).toEqual([]);
    expect(asked(lopsided().settle().suspect(s2))).toEqual([]);
    expect(asked(lopsided().nodes(s1, s2).settle())).toEqual([]);
  });

  it('a difference of one is none', () => {
    const configs = [0, 1, 2, 3].map((id) =>
      sharedBy(id, [all[id % 3]!, ...all.toSpliced(id % 3, 1)]),
    );
    const harness = new ControlHarness(clusterOf({ shards: 4, replicas: 3 }), configs);
    expect(asked(harness.nodes(...all).settle())).toEqual([]);
  });

  it('a node that shares no shard with a full one is filled by way of others', () => {
    const configs = [
      ...[0, 1, 2].map((id) => sharedBy(id, [s1, s2])),
      ...[3, 4].map((id) => sharedBy(id, [s2, s3])),
      sharedBy(5, [s3, s2]),
    ];
    const harness = new ControlHarness(clusterOf({ replicas: 2 }), configs);
    harness.nodes(...all).settle();
    expect(asked(harness)).toEqual(['3/4 s2 s3', '0/4 s1 s2']);
    const fuller = [...configs.slice(0, 5), sharedBy(5, [s1, s2])];
    const second = new ControlHarness(clusterOf({ replicas: 2 }), fuller).nodes(...all).settle();
    expect(asked(second).sort()).toEqual(['0/4 s1 s2', '1/4 s1 s2', '3/4 s2 s3', '4/4 s2 s3']);
  });
});

describe('a node that leaves', () => {
  it('hands over all its primaries, some at a time, to nodes that stay', () => {
    const harness = lopsided().step({ type: 'leaving', node: s1.id });
    expect(asked(harness)).toHaveLength(8);
    const [first, ...others] = harness.handOvers;
    expect(harness.stepDown(first!.shard, first!.to).run()).toHaveLength(1);
    const pending = [...others, ...harness.handOvers];
    expect(pending).toHaveLength(SHARDS - 1);
    const targets = [first!, ...pending].map(({ to }) => to);
    expect(targets.filter((to) => to === 's2')).toHaveLength(5);
    expect(targets.filter((to) => to === 's3')).toHaveLength(4);
    for (const { shard, to } of pending) harness.stepDown(shard, to);
    harness.run();
    expect(Object.fromEntries(harness.primaries())).toEqual({ s2: 5, s3: 4 });
    expect(asked(harness)).toEqual([]);
  });

  it('is asked for nothing while nobody can take its place', () => {
    const alone = lopsided({ isr: [s1.id], learners: [s2.id, s3.id] });
    expect(asked(alone.step({ type: 'leaving', node: s1.id }))).toEqual([]);
    const both = lopsided().nodes(s1, s2).step({ type: 'leaving', node: s1.id });
    expect(asked(both.step({ type: 'leaving', node: s2.id }))).toEqual([]);
  });

  it('takes over nothing while others can', () => {
    const harness = lopsided().step({ type: 'leaving', node: s2.id });
    harness.nodes(s2, s3).run();
    expect([...harness.primaries()]).toEqual([['s3', SHARDS]]);
  });

  it('is forgotten when it is gone: its next process is another one', () => {
    const harness = lopsided().step({ type: 'leaving', node: s2.id }).nodes(s1, s3);
    harness.nodes(s1, nodeOf('s2', 2), s3).settle();
    expect(new Set(harness.runWhy())).toEqual(new Set(['members-came-back']));
    asked(harness);
    expect(harness.handOvers.map(({ to }) => to)).toContain('s2');
    harness.step({ type: 'leaving', node: nodeOf('s9').id });
    expect(asked(harness)).toEqual([]);
  });
});
