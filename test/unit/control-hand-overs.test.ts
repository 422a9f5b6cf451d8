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
  return named(harness);
}

function named(harness: ControlHarness) {
  return harness.handOvers.map(({ shard, epoch, from, to }) => `${shard}/${epoch} ${from} ${to}`);
}

/** Primaries do what they are asked, one after the other, until there is no more; what that was. */
function handOverAll(harness: ControlHarness) {
  const asked: string[] = [];
  harness.run();
  for (let [next] = harness.handOvers; next !== undefined; [next] = harness.handOvers) {
    expect(harness.handOvers).toHaveLength(1);
    asked.push(...named(harness));
    expect(harness.stepDown(next.shard, next.to).runWhy()).toEqual(['hand-over']);
    harness.reportAll().run();
  }
  return asked;
}

describe('to balance', () => {
  it('one is asked for at a time, and once in its epoch', () => {
    const harness = lopsided().settle();
    expect(asked(harness)).toEqual(['0/4 s1 s2']);
    expect(asked(harness)).toEqual([]);
    expect(harness.stepDown(0, s2.id).runWhy()).toEqual(['hand-over']);
    // The next is asked for when the successor has promised the epoch.
    expect(asked(harness)).toEqual([]);
    expect(asked(harness.reportAll())).toEqual(['1/4 s1 s3']);
  });

  it('goes on until no node has two more than another, and then rests', () => {
    const harness = lopsided().settle();
    expect(handOverAll(harness)).toHaveLength(6);
    expect([...harness.primaries().values()]).toEqual([3, 3, 3]);
    expect(asked(harness)).toEqual([]);
  });

  it('one that failed holds up no other, and is asked for again once it has rested', () => {
    const harness = lopsided().settle();
    const hear = (type: 'hand-over-failed' | 'hand-over-rested', epoch: number) => {
      return asked(harness.step({ type, shard: 0 as ShardId, epoch: epoch as never }));
    };
    expect(asked(harness)).toEqual(['0/4 s1 s2']);
    expect(hear('hand-over-failed', 3)).toEqual([]);
    // Nobody else is asked to go to the same node meanwhile.
    expect(hear('hand-over-failed', 4)).toEqual(['1/4 s1 s3']);
    expect(hear('hand-over-rested', 3)).toEqual([]);
    expect(hear('hand-over-rested', 4)).toEqual([]);
    harness.stepDown(1, s3.id).run();
    harness.reportAll();
    const rest = ['2/4 s1 s2', '3/4 s1 s2', '4/4 s1 s3', '5/4 s1 s2', '6/4 s1 s3'];
    expect(handOverAll(harness)).toEqual(rest);
  });

  it('one that fails again and again is tried after all others', () => {
    const harness = lopsided().settle();
    for (const turn of [0, 1, 2]) {
      expect(asked(harness)).toEqual([`${turn}/4 s1 s2`]);
      const about = { shard: turn as ShardId, epoch: 4 as never };
      harness.step({ type: 'hand-over-failed', ...about });
      harness.step({ type: 'hand-over-rested', ...about });
    }
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
    expect(handOverAll(harness)).toEqual(['3/4 s2 s3', '0/4 s1 s2']);
    const fuller = [...configs.slice(0, 5), sharedBy(5, [s1, s2])];
    const second = new ControlHarness(clusterOf({ replicas: 2 }), fuller).nodes(...all).settle();
    expect(handOverAll(second)).toEqual(['0/4 s1 s2', '3/4 s2 s3', '4/4 s2 s3', '1/4 s1 s2']);
  });
});

describe('a node that leaves', () => {
  it('hands over all its primaries, one after the other, to nodes that stay', () => {
    const harness = lopsided().step({ type: 'leaving', node: s1.id });
    expect(handOverAll(harness)).toHaveLength(SHARDS);
    expect(Object.fromEntries(harness.primaries())).toEqual({ s2: 5, s3: 4 });
    expect(asked(harness)).toEqual([]);
  });

  it('with many, several at a time', () => {
    const shards = 60;
    const configs = Array.from({ length: shards }, (_, id) => sharedBy(id, all));
    const harness = new ControlHarness(clusterOf({ shards, replicas: 3, minIsr: 2 }), configs);
    harness.nodes(...all).reportAll();
    expect(asked(harness.step({ type: 'leaving', node: s1.id }))).toHaveLength(3);
    const { shard, to } = harness.handOvers[0]!;
    expect(harness.stepDown(shard, to).runWhy()).toEqual(['hand-over']);
    expect(asked(harness)).toHaveLength(1);
  });

  it('goes on with other shards when the hand-over of some fails', () => {
    const harness = lopsided().step({ type: 'leaving', node: s1.id });
    const failing = new Set([0, 1, 2]);
    const tried: number[] = [];
    for (let turn = 0; turn < 3 * SHARDS; turn++) {
      harness.run();
      for (const { shard, epoch, to } of harness.handOvers) {
        tried.push(shard);
        if (!failing.has(shard)) harness.stepDown(shard, to);
        else {
          harness.step({ type: 'hand-over-failed', shard, epoch });
          harness.step({ type: 'hand-over-rested', shard, epoch });
        }
      }
    }
    expect(tried.slice(0, SHARDS)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(tried.slice(SHARDS, SHARDS + 6)).toEqual([0, 1, 2, 0, 1, 2]);
    expect(harness.primaries().get(s1.id)).toBe(failing.size);
  });

  it('asks nobody to whom a hand-over failed a moment ago, if there is somebody else', () => {
    const harness = lopsided().step({ type: 'leaving', node: s1.id });
    expect(asked(harness)).toEqual(['0/4 s1 s2']);
    const failed = (shard: number) => {
      const about = { shard: shard as ShardId, epoch: 4 as never };
      return asked(harness.step({ type: 'hand-over-failed', ...about }));
    };
    expect(failed(0)).toEqual(['1/4 s1 s3']);
    // Rather to somebody doubtful than to nobody.
    expect(failed(1)).toEqual(['2/4 s1 s2']);
  });

  it('one that stepped down for nobody holds up no other', () => {
    const s4 = nodeOf('s4');
    const configs = [0, 1, 2].map((id) => sharedBy(id, id === 0 ? [s1, s2] : [s3, s4]));
    const harness = new ControlHarness(clusterOf({ shards: 3, replicas: 2, minIsr: 1 }), configs);
    harness.nodes(...all, s4).reportAll();
    expect(asked(harness.step({ type: 'leaving', node: s1.id }))).toEqual(['0/4 s1 s2']);
    harness.stepDown(0, s2.id).nodes(s3, s4);
    expect(asked(harness)).toEqual([]);
    expect(asked(harness.step({ type: 'leaving', node: s3.id }))).toEqual(['1/4 s3 s4']);
  });

  it('nothing more is asked for while ZooKeeper does not write what was handed over', () => {
    const harness = lopsided().step({ type: 'leaving', node: s1.id });
    const [first] = harness.controller.takeReady().handOvers;
    harness.stepDown(first!.shard, first!.to);
    expect(harness.controller.takeReady().writes).toHaveLength(1);
    expect(harness.controller.takeReady()).toMatchObject({ writes: [], handOvers: [] });
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
