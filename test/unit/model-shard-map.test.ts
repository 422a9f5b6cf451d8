import { describe, expect, it } from 'vitest';
import type { Epoch, MemberId, ShardId } from '../../src/model/ids.js';
import { ShardMap } from '../../src/model/shard-map.js';
import { nodesOf, problemsOf } from '../../src/control/health.js';
import { configOf, nodeOf, placeOf } from '../support/configs.js';
import { sharedBy } from '../support/control-harness.js';

const [s1, s2] = [nodeOf('s1'), nodeOf('s2')];

describe('the shard map', () => {
  it('takes what is newer by version and ignores what is older or the same', () => {
    const map = new ShardMap();
    const config = configOf(0, s1);
    expect(map.apply({ config, version: 4 })).toBe(true);
    expect(map.apply({ config, version: 4 })).toBe(false);
    expect(map.apply({ config, version: 3 })).toBe(false);
    expect(map.apply({ config: configOf(0, s1, { state: 'creating' }), version: 5 })).toBe(true);
  });

  it('S1 a higher epoch wins over a higher version, and a lower one never returns', () => {
    const map = new ShardMap();
    map.apply({ config: configOf(0, s1, { epoch: 3 as Epoch }), version: 9 });
    expect(map.apply({ config: configOf(0, s2, { epoch: 2 as Epoch }), version: 10 })).toBe(false);
    expect(map.apply({ config: configOf(0, s2, { epoch: 4 as Epoch }), version: 0 })).toBe(true);
    expect(map.config(0 as ShardId)?.primary).toBe('s2');
  });

  it('knows the shard of a key only once it knows how many there are', () => {
    const map = new ShardMap();
    expect(map.shardOf(Buffer.from('foo'))).toBeUndefined();
    map.shardCount = 64;
    expect(map.shardOf(Buffer.from('foo'))).toBe(Math.floor(12182 / 256));
  });
});

describe('health', () => {
  const mapOf = (configs: ReturnType<typeof configOf>[], nodes: ReturnType<typeof nodeOf>[]) => {
    const map = new ShardMap();
    map.shardCount = 6;
    for (const config of configs) map.apply({ config, version: 0 });
    map.setNodes(nodes);
    return map;
  };
  const all = [0, 1, 2, 3, 4, 5];
  const leader = 'r1' as MemberId;

  it('nothing is wrong when every shard has a primary that is up and somebody leads', () => {
    const map = mapOf(
      all.map((id) => configOf(id, id % 2 === 0 ? s1 : s2)),
      [s1, s2],
    );
    expect(problemsOf(map, leader)).toEqual([]);
    expect(nodesOf(map)).toMatchObject([
      { id: 's1', state: 'up', shards: 3, primaries: 3 },
      { id: 's2', state: 'up', shards: 3, primaries: 3 },
    ]);
  });

  it('names what is wrong in words: down, lost, unplaced, being created, no leader', () => {
    const wiped = nodeOf('s2', 2, 'fresh');
    const configs = [
      configOf(0, s1),
      configOf(1, s1),
      configOf(2, s2),
      configOf(4, nodeOf('s10'), { state: 'creating' }),
    ];
    const map = mapOf(configs, [wiped, nodeOf('s10')]);
    expect(problemsOf(map, undefined)).toEqual([
      'shards 0-1: primary s1 is down',
      'shard 2: primary s2 came back with another data directory; start it with its old one',
      'shards 3, 5: no configuration: not placed yet, or its znode is missing or unreadable',
      'shard 4: being created',
      'no router leads: the shard map cannot change',
    ]);
    expect(nodesOf(map).map(({ id, state }) => `${id} ${state}`)).toEqual([
      's1 down',
      's2 up',
      's10 up',
    ]);
  });

  it('a primary that restarted serves nothing before it has a new epoch', () => {
    const configs = all.map((id) => configOf(id, s1));
    const restarted = mapOf(configs, [nodeOf('s1', 2)]);
    expect(problemsOf(restarted, leader)).toEqual([
      "shards 0-5: primary s1 restarted and has no new epoch yet; if that lasts, the leader's log " +
        'says why',
    ]);
    const reborn = configs.map((config) => ({ ...config, replicas: [placeOf(nodeOf('s1', 2))] }));
    expect(problemsOf(mapOf(reborn, [nodeOf('s1', 2)]), leader)).toEqual([]);
    // The node's registration may reach a router later than its configuration.
    expect(problemsOf(mapOf(reborn, [s1]), leader)).toEqual([]);
  });

  it('a primary that is registered but cannot be reached is a problem, with the reason', () => {
    const map = mapOf(
      all.map((id) => configOf(id, s1)),
      [s1],
    );
    const unreachable = new Map([[s1.id, 'connection refused']]);
    expect(problemsOf(map, leader, unreachable)).toEqual([
      'shards 0-5: primary s1 is registered, but cannot be reached: connection refused',
    ]);
  });

  it('S4 shards that lack replicas in sync are problems, those whose writes wait first', () => {
    const both = [s1, s2];
    const map = mapOf(
      [
        ...[0, 1, 2].map((id) => sharedBy(id, [s1, s2, nodeOf('s3')])),
        sharedBy(3, both, { isr: [s1.id], learners: [s2.id] }),
        ...[4, 5].map((id) => sharedBy(id, both)),
      ],
      both,
    );
    map.target = { replicas: 3, minIsr: 2, leaseMs: 600 };
    expect(problemsOf(map, leader)).toEqual([
      'shard 3: 1 of 3 replicas in sync, less than the 2 that writes need: writes wait',
      'shards 4-5: 2 of 3 replicas in sync',
    ]);
    map.target = { replicas: 2, minIsr: 1, leaseMs: 600 };
    expect(problemsOf(map, leader)).toEqual(['shard 3: 1 of 2 replicas in sync']);
    // Who does not serve at all has a worse problem.
    map.setNodes([s2]);
    expect(problemsOf(map, leader)).toEqual(['shards 0-5: primary s1 is down']);
  });

  it('many shards that do not lie together are counted, not listed', () => {
    const map = new ShardMap();
    map.shardCount = 100;
    map.setNodes([s1]);
    for (let id = 0; id < 100; id += 2) {
      map.apply({ config: { ...configOf(0, s1), shard: id as ShardId }, version: 0 });
    }
    expect(problemsOf(map, leader)).toEqual([
      expect.stringMatching(/^50 shards \(1, 3, 5, 7, 9, 11, 13, 15, \.\.\.\): no configuration/),
    ]);
  });
});
