/** What is wrong with a cluster, and what to do about it, in words. */
import { describe, expect, it } from 'vitest';
import { nodesOf, problemsOf } from '../../src/control/health.js';
import type { MemberId, ShardId } from '../../src/model/ids.js';
import { ShardMap } from '../../src/model/shard-map.js';
import { clusterOf, configOf, nodeOf, placeOf } from '../support/configs.js';
import { sharedBy } from '../support/control-harness.js';

const [s1, s2, s3] = [nodeOf('s1'), nodeOf('s2'), nodeOf('s3')];

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
      'shards 0-1: primary s1 is down; start s1 again with its data directory',
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

  it('S19 names shards of which ZooKeeper knows less than the nodes, and what to do', () => {
    const map = mapOf(
      all.map((id) => configOf(id, s1)),
      [s1],
    );
    const outdated = [0, 1, 4].map((id) => configOf(id, s1).shard);
    expect(problemsOf(map, leader, { outdated })).toEqual([
      'shards 0-1, 4: ZooKeeper was set back, and its znodes are older than what replicas have ' +
        "promised; they are served as long as nothing of them fails; 'portolan recover' settles them",
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
    // The same process in a new session serves on.
    const session = { ...s1, incarnation: 99 as never };
    expect(problemsOf(mapOf(configs, [session]), leader)).toEqual([]);
    // The node's registration may reach a router later than its configuration.
    expect(problemsOf(mapOf(reborn, [s1]), leader)).toEqual([]);
  });

  it('a primary that is registered but cannot be reached is a problem, with the reason', () => {
    const map = mapOf(
      all.map((id) => configOf(id, s1)),
      [s1],
    );
    const unreachable = new Map([[s1.id, 'connection refused']]);
    expect(problemsOf(map, leader, { unreachable })).toEqual([
      'shards 0-5: primary s1 is registered, but cannot be reached: connection refused',
    ]);
  });

  it('S4 shards that lack replicas in sync say what to do, those whose writes are refused first', () => {
    const both = [s1, s2];
    const map = mapOf(
      [
        ...[0, 1, 2].map((id) => sharedBy(id, [s1, s2, s3])),
        sharedBy(3, both, { isr: [s1.id], learners: [s2.id] }),
        ...[4, 5].map((id) => sharedBy(id, both)),
      ],
      both,
    );
    map.target = clusterOf({ replicas: 3, minIsr: 2 });
    expect(problemsOf(map, leader)).toEqual([
      'shard 3: 1 of 3 replicas in sync, writes need 2 and are refused; s2 is catching up; ' +
        'start 1 more storage node',
      'shards 4-5: 2 of 3 replicas in sync; start 1 more storage node',
    ]);
    map.setNodes([s1, s2, s3]);
    expect(problemsOf(map, leader)[1]).toBe(
      'shards 4-5: 2 of 3 replicas in sync; another is about to be added',
    );
    map.target = clusterOf({ replicas: 2, minIsr: 1 });
    expect(problemsOf(map, leader)).toEqual([
      'shard 3: 1 of 2 replicas in sync; s2 is catching up',
    ]);
    const hangs = new Map([[s2.id, 'connection refused']]);
    expect(problemsOf(map, leader, { unreachable: hangs })).toEqual([
      'shard 3: 1 of 2 replicas in sync; s2 cannot be reached: connection refused',
    ]);
    map.setNodes([s1]);
    expect(problemsOf(map, leader)).toEqual(['shard 3: 1 of 2 replicas in sync; start s2 again']);
    // Who does not serve at all has a worse problem.
    map.setNodes([s2]);
    expect(problemsOf(map, leader)).toEqual([
      'shards 0-2, 4-5: primary s1 is down; another replica is about to take over',
      'shard 3: primary s1 is down; start s1 again with its data directory ' +
        '(s2 may lack acknowledged writes)',
    ]);
  });

  it('S6 S19 with no replica in sync alive, any of them has to come back, and nobody else', () => {
    const configs = all.map((id) =>
      sharedBy(id, [s1, s2, s3], { isr: [s1.id, s2.id], learners: [s3.id] }),
    );
    expect(problemsOf(mapOf(configs, [s3]), leader)).toEqual([
      'shards 0-5: primary s1 is down, and so is every other replica in sync; start s1 or s2 again ' +
        'with its data directory (s3 may lack acknowledged writes)',
    ]);
  });

  it('S19 a primary that came back with an older copy of its data directory', () => {
    const setBack = { ...nodeOf('s1', 2), ancestry: [] };
    const configs = all.map((id) => configOf(id, s1));
    expect(problemsOf(mapOf(configs, [setBack]), leader)).toEqual([
      'shards 0-5: primary s1 came back with an older copy of its data directory; start it with the ' +
        'newest',
    ]);
  });

  it('a new cluster says how many nodes it waits for', () => {
    const map = mapOf([], [s1]);
    map.target = clusterOf({ replicas: 3, minIsr: 2, initialStorage: 3 });
    expect(problemsOf(map, leader)).toEqual([
      'shards are placed when 3 storage nodes are registered, there is 1: start 2 more',
    ]);
    map.setNodes([s1, s2, s3]);
    expect(problemsOf(map, leader)).toEqual([
      'shards 0-5: no configuration: not placed yet, or its znode is missing or unreadable',
    ]);
  });

  it('damaged replicas are named, by what it means that they are, with one reason', () => {
    const configs = all.map((id) => configOf(id, s1));
    const places = { replicas: [s1, s2].map(placeOf) };
    configs[3] = configOf(3, s1, { isr: [s1.id, s2.id], ...places });
    configs[4] = configOf(4, s1, { isr: [s1.id], learners: [s2.id], ...places });
    const map = mapOf(configs, [s1, s2]);
    const damaged = [
      { shard: 1 as ShardId, node: s1.id, problem: 'later' },
      { shard: 0 as ShardId, node: s1.id, problem: 'rot' },
      { shard: 3 as ShardId, node: s1.id, problem: 'rot' },
      { shard: 4 as ShardId, node: s2.id, problem: 'rot' },
      { shard: 5 as ShardId, node: s2.id, problem: 'it has no part in this shard any more' },
    ];
    expect(problemsOf(map, leader, { damaged })).toEqual([
      'shards 0-1: the replica on s1 is damaged, and no other holds everything: what is readable ' +
        'of it is served; put back from a backup what scrub finds missing (rot)',
      'shard 3: the replica on s1 is damaged, and about to be replaced by another that is in sync ' +
        '(rot)',
      'shard 4: the replica on s2 is damaged, and about to be replaced by all data of s1 (rot)',
    ]);
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
