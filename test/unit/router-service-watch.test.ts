/** What an operator's graphs of a failover are made of. */
import { describe, expect, it } from 'vitest';
import type { MemberId } from '../../src/model/ids.js';
import { ShardMap } from '../../src/model/shard-map.js';
import { describeWrites } from '../../src/router/map-writes.js';
import { ServiceWatch } from '../../src/router/service-watch.js';
import type { ProposedWrite } from '../../src/control/controller-io.js';
import { clusterOf, nodeOf } from '../support/configs.js';
import { sharedBy } from '../support/control-harness.js';
import { FakeClock } from '../support/fake-clock.js';

const [s1, s2, s3, s4] = [nodeOf('s1'), nodeOf('s2'), nodeOf('s3'), nodeOf('s4')];

describe('the time without a primary', () => {
  it('is summed over the shards, from when their primary cannot be reached until another serves', () => {
    const clock = new FakeClock();
    const map = new ShardMap();
    map.shardCount = 4;
    map.target = clusterOf({ replicas: 2, minIsr: 1 });
    map.setNodes([s1, s2]);
    for (const shard of [0, 1]) map.apply({ config: sharedBy(shard, [s1, s2]), version: 0 });
    map.apply({ config: sharedBy(2, [s2, s1]), version: 0 });
    const problems = new Map<MemberId, string>();
    const watch = new ServiceWatch(clock, { map: { map }, links: { problems } });
    watch.start();
    clock.advance(1_000);
    // Shard 3 was not placed yet: nobody misses it.
    expect(watch).toMatchObject({ unserved: 1, underReplicated: 0, unservedSeconds: 0 });
    map.apply({ config: sharedBy(3, [s2, s1]), version: 0 });
    clock.advance(100);
    expect(watch).toMatchObject({ unserved: 0, unservedSeconds: 0 });

    problems.set(s1.id, 'connection refused');
    clock.advance(500);
    expect(watch).toMatchObject({ unserved: 2, underReplicated: 0 });
    const led = { primary: s2.id, isr: [s2.id], learners: [s1.id], epoch: 5 as never };
    for (const shard of [0, 1]) map.apply({ config: sharedBy(shard, [s1, s2], led), version: 1 });
    clock.advance(1_000);
    expect(watch).toMatchObject({ unserved: 0, underReplicated: 2 });
    expect(watch.unservedSeconds).toBeCloseTo(1, 5);
    watch.stop();
    expect(clock.pending).toBe(0);
  });
});

describe('a change of the map in the log', () => {
  const before = new ShardMap();
  before.shardCount = 2;
  const three = { isr: [s1.id, s2.id], learners: [s3.id] };
  for (const shard of [0, 1]) {
    before.apply({ config: sharedBy(shard, [s1, s2, s3], three), version: 0 });
  }
  const write = (shard: number, why: ProposedWrite['why'], change: object): ProposedWrite => {
    const draft = { ...sharedBy(shard, [s1, s2, s3], three), ...change };
    return { basedOn: 0, draft, shardUuid: draft.shardUuid, why };
  };

  it.each([
    ['2 fail-over from s1', 'fail-over', { primary: s2.id }],
    ['2 hand-over from s1', 'hand-over', { primary: s2.id }],
    ['2 shrink without s2', 'shrink', { isr: [s1.id], learners: [s3.id, s2.id] }],
    ['2 expand with s3', 'expand', { isr: [s1.id, s2.id, s3.id], learners: [] }],
    ['2 add-learner on s4', 'add-learner', { learners: [s3.id, s4.id] }],
    ['2 forget of s3', 'forget', { learners: [] }],
    ['2 new-life', 'new-life', {}],
  ] as const)('%s', (said, why, change) => {
    const writes = [write(0, why, change), write(1, why, change)];
    expect(describeWrites(writes, before)).toBe(said);
  });

  it('of a shard that was not there, and of many kinds', () => {
    const writes = [write(0, 'expand', { isr: [s1.id, s2.id, s3.id] }), write(7, 'create', {})];
    expect(describeWrites(writes, before)).toBe('1 expand with s3, 1 create');
  });
});
