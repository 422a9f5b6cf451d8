/** A router in office: what it writes, when it stops writing, and what it never makes up. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Epoch } from '../../src/model/ids.js';
import { candidateZnode, nodeZnode, shardZnode, ZNODES } from '../../src/model/znodes.js';
import { configOf } from '../support/configs.js';
import { bytes, ok } from '../support/coordinator-checks.js';
import { ClusterZnodes, LeaderUnderTest } from '../support/leader-under-test.js';
import { settle } from '../support/storage-harness.js';

const SETTLE_MS = 500;
const RETRY_MS = 200;
const LONG_MS = 10_000;
const ALL = [0, 1, 2, 3, 4, 5];
const complete = '"placement":"complete"';

let cluster: ClusterZnodes;

beforeEach(async () => {
  cluster = await ClusterZnodes.make();
});

/** What the znodes of the shards hold; all must be there. */
const stored = () => Promise.all(ALL.map(async (shard) => (await cluster.stored(shard))!.config));
const epochs = async () => (await stored()).map(({ epoch }) => epoch);

describe('the fence (S17)', () => {
  it('is checked first in everything a leader writes, at the version it took', async () => {
    const node = await cluster.register('s1');
    const leader = await LeaderUnderTest.start(cluster);
    await leader.pass(SETTLE_MS);
    await leader.report(node, await stored());
    await cluster.register('s1', 2);
    await leader.pass(LONG_MS);
    expect(leader.multis.length).toBeGreaterThanOrEqual(4);
    const fence = { type: 'check', path: ZNODES.leaderEpoch, version: 3 };
    for (const ops of leader.multis) {
      expect(ops[0]).toEqual(fence);
      expect(ops.slice(1).every(({ type }) => type !== 'check')).toBe(true);
      expect(ops.length).toBeGreaterThan(1);
    }
    expect(leader.over).toEqual([]);
  });

  it.each([2, 4, -1])(
    'at version %i, which is not the one, writes nothing and is over once',
    async (fenceVersion) => {
      await cluster.register('s1');
      // More shards than one multi takes: two writes are under way when the first is refused.
      const leader = await LeaderUnderTest.start(cluster, { shards: 100, fenceVersion });
      await leader.pass(SETTLE_MS);
      expect(leader.multis).toHaveLength(2);
      expect(leader.over).toEqual(['another router took the leaderEpoch']);
      await leader.pass(LONG_MS);
      expect(leader.multis).toHaveLength(2);
      expect(leader.over).toHaveLength(1);
      expect(await cluster.shards()).toEqual([]);
    },
  );

  it('that does not hold ends the office before the placement is completed', async () => {
    await cluster.place(await cluster.register('s1'), { state: 'creating' });
    const leader = await LeaderUnderTest.start(cluster, { fenceVersion: 2 });
    expect(leader.changes()).toEqual([[ZNODES.shards]]);
    expect(leader.over).toEqual(['another router took the leaderEpoch']);
    await leader.pass(LONG_MS);
    expect(leader.multis).toHaveLength(1);
    expect(await cluster.placement()).toBe('');
  });

  it('taken by a successor stops a leader that was in the middle of its work', async () => {
    await cluster.activeOn('s1');
    const leader = await LeaderUnderTest.start(cluster);
    await cluster.takeLeaderEpoch();
    await cluster.register('s1', 2);
    await settle();
    expect(leader.over).toEqual(['another router took the leaderEpoch']);
    expect(await epochs()).toEqual(ALL.map(() => 1));
    expect(leader.session.calls.filter((call) => call === 'multi')).toHaveLength(1);
    expect(leader.map.map.config(0 as never)?.epoch).toBe(1);
  });
});

describe('standing down', () => {
  it('a leader whose own candidate znode is gone is over, once', async () => {
    const leader = await LeaderUnderTest.start(cluster);
    await cluster.remove(candidateZnode(leader.candidate));
    await settle();
    expect(leader.over).toEqual(['its znode is gone']);
    await leader.pass(LONG_MS);
    expect(leader.over).toHaveLength(1);
  });

  it('other candidates may come and go; the leader tells them, and not itself', async () => {
    const leader = await LeaderUnderTest.start(cluster);
    expect(leader.dialer.streams).toEqual([]);
    const other = await cluster.stand('r2');
    await settle();
    expect(leader.dialer.streams.map(({ address }) => address)).toEqual(['r2:7000']);
    expect(leader.streamTo('r2:7000').told[0]).toMatchObject({
      type: 'hello',
      leader: 'r1',
      leaderEpoch: leader.leaderEpoch,
    });
    await cluster.remove(candidateZnode(other));
    await settle();
    expect(leader.dialer.openTo('r2:7000')).toEqual([]);
    expect(leader.over).toEqual([]);
  });

  it('a later leaderEpoch that a member has heard of is passed on; ours and earlier ones are not', async () => {
    const node = await cluster.register('s1');
    const leader = await LeaderUnderTest.start(cluster);
    const { events } = leader.streamTo(node.address);
    const greet = (leaderEpoch: number) => {
      const { id, process } = node;
      events.message({ type: 'hello', id, process, leaderEpoch: leaderEpoch as never });
    };
    greet(leader.leaderEpoch - 1);
    greet(leader.leaderEpoch);
    expect(leader.heard).toEqual([]);
    greet(leader.leaderEpoch + 1);
    expect(leader.heard).toEqual([leader.leaderEpoch + 1]);
    leader.leadership.stop();
    greet(leader.leaderEpoch + 2);
    expect(leader.heard).toHaveLength(1);
  });

  it('a leader that was stopped ends its streams, its timers, and writes nothing more', async () => {
    await cluster.register('s1');
    await cluster.stand('r2');
    const leader = await LeaderUnderTest.start(cluster);
    leader.leadership.stop();
    expect(leader.dialer.streams.map(({ ended }) => ended)).toEqual([true, true]);
    expect(leader.clock.pending).toBe(0);
    await cluster.register('s2');
    await leader.pass(LONG_MS);
    expect(leader.multis).toEqual([]);
    expect(leader.over).toEqual([]);
    expect([...leader.map.map.nodes.keys()]).toEqual(['s1']);
  });

  it('what waited for ZooKeeper when the leader was stopped starts nothing', async () => {
    await cluster.activeOn('s1');
    const leader = await LeaderUnderTest.start(cluster);
    leader.session.fault('multi', 'not-connected');
    await cluster.register('s1', 2);
    await settle();
    leader.leadership.stop();
    await leader.pass(LONG_MS);
    expect(leader.multis).toHaveLength(1);
    expect(await epochs()).toEqual(ALL.map(() => 1));
  });
});

describe('a write that happened', () => {
  it('is told to every member, at the version of its znode', async () => {
    const node = await cluster.register('s1');
    await cluster.stand('r2');
    const leader = await LeaderUnderTest.start(cluster);
    await leader.pass(SETTLE_MS);
    await leader.report(node, await stored());
    for (const address of [node.address, 'r2:7000']) {
      const told = leader.streamTo(address).updates.flatMap(({ shards }) => shards);
      const first = told.filter(({ config }) => config.shard === 0);
      expect(first.map(({ config, version }) => [config.state, version])).toEqual([
        ['creating', 0],
        ['active', 1],
      ]);
    }
  });

  it('is what the next one is based on, without another look', async () => {
    await cluster.activeOn('s1');
    const leader = await LeaderUnderTest.start(cluster);
    for (const life of [2, 3, 4]) {
      await cluster.register('s1', life);
      await settle();
      expect(await epochs()).toEqual(ALL.map(() => life));
    }
    expect(leader.multis).toHaveLength(3);
  });
});

describe('a write that meets another one', () => {
  it('a shard that changed meanwhile is read again at once and decided anew', async () => {
    const { configs } = await cluster.activeOn('s1');
    const leader = await LeaderUnderTest.start(cluster);
    await cluster.put({ ...configs[2]!, epoch: 5 as Epoch, nonce: '05' });
    await cluster.register('s1', 2);
    await settle(); // No time passes: a conflict is an answer, not silence.
    expect(await epochs()).toEqual([2, 2, 6, 2, 2, 2]);
    expect((await cluster.stored(2))?.version).toBe(2);
    expect(leader.log.has('not written')).toBe(false);
    expect(leader.over).toEqual([]);
    expect(leader.map.map.config(2 as never)?.epoch).toBe(6);
  });

  it('a shard that was created meanwhile is taken as it is', async () => {
    const node = await cluster.register('s1');
    const leader = await LeaderUnderTest.start(cluster);
    const others = configOf(4, node, { state: 'creating', nonce: '04' });
    await cluster.put(others);
    await leader.pass(SETTLE_MS);
    expect(await cluster.shards()).toEqual(ALL);
    expect((await cluster.stored(4))?.config).toEqual(others);
    expect((await cluster.stored(4))?.version).toBe(0);
    expect(leader.over).toEqual([]);
  });
});

describe('a write whose outcome is unknown (S21)', () => {
  /** The answer and every look for it are lost. */
  function loseAnswer(leader: LeaderUnderTest, fault: 'before' | 'after'): void {
    leader.session.fault('multi', fault);
    leader.session.fault('barrier', 'not-connected');
  }

  it('is read back: what happened is not done again', async () => {
    await cluster.activeOn('s1');
    const leader = await LeaderUnderTest.start(cluster);
    loseAnswer(leader, 'after');
    await cluster.register('s1', 2);
    await settle();
    expect(await epochs()).toEqual(ALL.map(() => 2));
    expect(leader.log.has('shard map: not written: 6 new-life')).toBe(true);
    expect(leader.map.map.config(0 as never)?.epoch, 'nothing is told before it is known').toBe(1);
    await leader.pass(RETRY_MS);
    expect(leader.map.map.config(0 as never)?.epoch).toBe(2);
    expect(leader.multis).toHaveLength(1);
    expect(await epochs()).toEqual(ALL.map(() => 2));
  });

  it('is read back behind a barrier: the server may not have heard of it yet (Z6)', async () => {
    await cluster.activeOn('s1');
    const leader = await LeaderUnderTest.start(cluster);
    loseAnswer(leader, 'after');
    leader.session.fault('barrier', 'not-connected');
    await cluster.register('s1', 2);
    await settle();
    await leader.pass(RETRY_MS);
    expect(leader.map.map.config(0 as never)?.epoch, 'no barrier, no read').toBe(1);
    await leader.pass(RETRY_MS);
    const { calls } = leader.session;
    const since = calls.slice(calls.lastIndexOf('multi') + 1);
    expect(since).toEqual(['barrier', 'barrier', 'barrier', ...ALL.map(() => 'read')]);
    expect(leader.map.map.config(0 as never)?.epoch).toBe(2);
  });

  it('is read back: what did not happen is decided and done again', async () => {
    await cluster.activeOn('s1');
    const leader = await LeaderUnderTest.start(cluster);
    loseAnswer(leader, 'before');
    await cluster.register('s1', 2);
    await settle();
    expect(await epochs()).toEqual(ALL.map(() => 1));
    await leader.pass(RETRY_MS - 1);
    expect(leader.multis).toHaveLength(1);
    await leader.pass(1);
    expect(await epochs()).toEqual(ALL.map(() => 2));
    expect(leader.over).toEqual([]);
  });

  it('of the placement is read back too, and nothing is active before', async () => {
    const node = await cluster.register('s1');
    const configs = await cluster.place(node, { state: 'creating' });
    const leader = await LeaderUnderTest.start(cluster, {}, (starting) => {
      loseAnswer(starting, 'before');
    });
    await leader.report(node, configs);
    expect(leader.changes()).toEqual([[ZNODES.shards]]);
    expect(await cluster.placement()).toBe('');
    await leader.pass(RETRY_MS);
    expect(await cluster.placement()).toContain(complete);
    expect((await cluster.stored(0))?.config.state).toBe('active');
    expect(leader.changes().map(([path]) => path)).toEqual([
      ZNODES.shards,
      ZNODES.shards,
      shardZnode(0 as never),
    ]);
  });
});

describe('the first placement', () => {
  it('waits until no node came or went for a while, so that all get their part', async () => {
    await cluster.register('s1');
    const leader = await LeaderUnderTest.start(cluster);
    await leader.pass(SETTLE_MS - 1);
    await cluster.register('s2');
    await settle();
    await leader.pass(SETTLE_MS - 1);
    expect(await cluster.shards()).toEqual([]);
    await leader.pass(1);
    expect(await cluster.shards()).toEqual(ALL);
    const primaries = (await stored()).map(({ primary }) => primary);
    expect(primaries.sort()).toEqual(['s1', 's1', 's1', 's2', 's2', 's2']);
  });

  it('waits for as many nodes as the cluster begins with', async () => {
    await cluster.register('s1');
    const leader = await LeaderUnderTest.start(cluster, { initialStorage: 2 });
    await leader.pass(LONG_MS);
    expect(await cluster.shards()).toEqual([]);
    await cluster.register('s2');
    await leader.pass(SETTLE_MS);
    expect(await cluster.shards()).toEqual(ALL);
  });

  it('S19 is recorded as complete before any shard becomes active', async () => {
    const node = await cluster.register('s1');
    const leader = await LeaderUnderTest.start(cluster);
    const states: unknown[] = [];
    const send = leader.session.multi.bind(leader.session);
    leader.session.multi = async (ops) => {
      const sent = await send(ops);
      const isComplete = (await cluster.placement()).includes(complete);
      states.push([(await cluster.stored(0))?.config.state, isComplete]);
      // The node is quick: it reports its replicas before the leader hears that it wrote them.
      if (states.length === 1) await leader.report(node, await stored());
      return sent;
    };
    await leader.pass(SETTLE_MS);
    await settle();
    expect(states).toEqual([
      ['creating', false],
      ['creating', true],
      ['active', true],
    ]);
  });

  it('is recorded at the version that /shards has, whatever was written there before', async () => {
    for (let version = 0; version < 3; version++) {
      ok(await cluster.other.set(ZNODES.shards, bytes(''), version));
    }
    await cluster.register('s1');
    const leader = await LeaderUnderTest.start(cluster);
    await leader.pass(SETTLE_MS);
    expect(await cluster.placement()).toContain(complete);
    expect(await cluster.versionOf(ZNODES.shards)).toBe(4);
    expect(leader.changes()).toHaveLength(2);
  });

  it('goes in multis of a bounded size', async () => {
    await cluster.register('s1');
    const leader = await LeaderUnderTest.start(cluster, { shards: 150 });
    await leader.pass(SETTLE_MS);
    expect(await cluster.shards()).toHaveLength(150);
    expect(leader.changes().map((paths) => paths.length)).toEqual([64, 64, 22, 1]);
  });
});

describe('a shard whose znode is missing (S19)', () => {
  it('is named once and never made anew, whatever nodes come', async () => {
    await cluster.activeOn('s1');
    await cluster.remove(shardZnode(3 as never));
    const leader = await LeaderUnderTest.start(cluster);
    await leader.pass(SETTLE_MS);
    await cluster.register('s2');
    await leader.pass(SETTLE_MS);
    await cluster.register('s1', 2);
    await leader.pass(LONG_MS);
    const named = leader.log.lines.filter(({ level }) => level === 'error');
    expect(named.map(({ message }) => message)).toEqual([
      expect.stringContaining('shard 3: its znode /shards/3 is missing, and is not made anew'),
    ]);
    expect(await cluster.shards()).toEqual([0, 1, 2, 4, 5]);
    expect(leader.changes().flat()).not.toContain('/shards/3');
    expect((await cluster.stored(0))?.config.epoch, 'the others are led on').toBe(2);
  });

  it('while the leader leads is left missing, and the others are written without it', async () => {
    await cluster.activeOn('s1');
    const leader = await LeaderUnderTest.start(cluster);
    await cluster.remove(shardZnode(3 as never));
    await cluster.register('s1', 2);
    await settle();
    expect(leader.over).toEqual([]);
    await leader.pass(RETRY_MS);
    expect(leader.log.has('shard 3: its znode /shards/3 is missing')).toBe(true);
    expect(await cluster.shards()).toEqual([0, 1, 2, 4, 5]);
    expect((await cluster.stored(4))?.config.epoch).toBe(2);
  });

  it('is led on once an operator has restored it, garbled or missing, without a new leader', async () => {
    await cluster.activeOn('s1');
    const path = shardZnode(3 as never);
    const saved = ok(await cluster.other.read(path))!.data;
    await cluster.remove(path);
    const leader = await LeaderUnderTest.start(cluster);
    await cluster.register('s1', 2);
    await leader.pass(SETTLE_MS);
    ok(await cluster.other.create(path, bytes('garbage'), 'persistent'));
    await leader.pass(LONG_MS);
    ok(await cluster.other.set(path, saved, 0));
    await leader.pass(LONG_MS);
    expect((await cluster.stored(3))?.config.epoch).toBe(2);
    expect(leader.log.has('shard 3: its znode is well again')).toBe(true);
    const named = leader.log.lines.filter(({ level }) => level === 'error');
    expect(named.map(({ message }) => message)).toEqual([
      expect.stringContaining('shard 3: its znode /shards/3 is missing'),
      expect.stringContaining('znode /shards/3'),
    ]);
  });

  it('is named, as all of them are, if /shards is, and led on once an operator restores it', async () => {
    const node = await cluster.register('s1');
    await cluster.remove(ZNODES.shards);
    const leader = await LeaderUnderTest.start(cluster);
    await leader.pass(LONG_MS);
    const named = leader.log.lines.filter(({ level }) => level === 'error');
    expect(named.map(({ message }) => message)).toEqual(
      ALL.map((shard) => expect.stringContaining(`shard ${shard}: its znode`) as string),
    );
    expect(leader.multis).toEqual([]);
    expect(ok(await cluster.other.read(ZNODES.shards))).toBeUndefined();
    ok(await cluster.other.create(ZNODES.shards, bytes(''), 'persistent'));
    await cluster.place(node);
    await leader.pass(LONG_MS);
    expect(leader.map.map.shards.size).toBe(ALL.length);
  });

  it('is not made anew either when what /shards holds cannot be understood', async () => {
    await cluster.register('s1');
    ok(await cluster.other.set(ZNODES.shards, bytes('{"format":9}'), 0));
    const leader = await LeaderUnderTest.start(cluster);
    await leader.pass(SETTLE_MS);
    await leader.pass(LONG_MS);
    expect(await cluster.shards()).toEqual([]);
    expect(leader.multis).toEqual([]);
    expect(await cluster.placement()).toBe('{"format":9}');
  });

  it('S19 a replica that came back with another data directory is named, and not replaced', async () => {
    await cluster.activeOn('s1');
    const leader = await LeaderUnderTest.start(cluster);
    await cluster.register('s1', 2, 'another');
    await leader.pass(LONG_MS);
    const named = leader.log.lines.filter(({ level }) => level === 'error');
    expect(named).toHaveLength(ALL.length);
    expect(named[0]?.message).toContain('shard 0: s1 came back with another data directory');
    expect(leader.multis).toEqual([]);
  });
});

it('a node that died with shards that nobody can take over is named in one line', async () => {
  await cluster.activeOn('s1');
  const leader = await LeaderUnderTest.start(cluster);
  await cluster.remove(nodeZnode('s1' as never));
  await leader.pass(LONG_MS);
  const what = 'shards 0-5: primary s1 is away, and no other in-sync replica can take over';
  expect(leader.log.lines.filter(({ message }) => message.startsWith(what))).toHaveLength(1);
  expect(leader.multis).toEqual([]);
});

describe('while ZooKeeper does not answer', () => {
  it('what could not be read is read again, after one pause that all share', async () => {
    await cluster.activeOn('s1');
    // What a leader reads first: the shards and the placement.
    const fail = ({ session }: LeaderUnderTest) => {
      for (let n = 0; n < ALL.length + 1; n++) session.fault('read', 'not-connected');
    };
    const leader = await LeaderUnderTest.start(cluster, {}, fail);
    expect(leader.map.map.shards.size).toBe(0);
    // The pause, the time to settle, until s1 should have said what it holds, what it said, what
    // routers are told, the next looks at what is broken and who is gone, the heartbeat, and when
    // each of two lists is looked at again.
    expect(leader.clock.pending).toBe(10);
    fail(leader);
    await leader.pass(RETRY_MS);
    expect(leader.map.map.shards.size, 'it waits anew').toBe(0);
    await leader.pass(RETRY_MS);
    expect(leader.map.map.shards.size).toBe(ALL.length);
    expect(leader.multis).toEqual([]);
  });

  it('a node is not taken for dead because its registration could not be read', async () => {
    const node = await cluster.register('s1');
    const leader = await LeaderUnderTest.start(cluster);
    leader.session.fault('read', 'not-connected');
    await cluster.register('s2');
    await settle();
    expect([...leader.map.map.nodes.keys()]).toEqual(['s1']);
    expect(leader.dialer.openTo(node.address)).toHaveLength(1);
    await leader.pass(RETRY_MS);
    expect([...leader.map.map.nodes.keys()].sort()).toEqual(['s1', 's2']);
  });

  it('nodes that come and go are named in the log', async () => {
    const { id } = await cluster.register('s1');
    const leader = await LeaderUnderTest.start(cluster);
    await cluster.remove(nodeZnode(id));
    await settle();
    const said = leader.log.lines.map(({ level, message }) => `${level}: ${message}`);
    expect(said).toEqual(['info: storage node s1 is up', 'warn: storage node s1 is down']);
  });
});
