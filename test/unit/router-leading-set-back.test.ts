/** A router in office when ZooKeeper was set back, or is now: what it finds, and what it tells. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Epoch, LeaderEpoch } from '../../src/model/ids.js';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { shardZnode } from '../../src/model/znodes.js';
import { oldAfterMs } from '../../src/router/trust.js';
import { configOf, nodeOf, placeOf } from '../support/configs.js';
import { sharedBy } from '../support/control-harness.js';
import { ClusterZnodes, LeaderUnderTest } from '../support/leader-under-test.js';
import { settle } from '../support/storage-harness.js';

const LONG_MS = 10_000;
const ALL = [0, 1, 2, 3, 4, 5];

let cluster: ClusterZnodes;

beforeEach(async () => {
  cluster = await ClusterZnodes.make();
});

const znodeOf = ({ shard }: ShardConfig) => shardZnode(shard);

const epochs = () => {
  return Promise.all(ALL.map(async (shard) => (await cluster.stored(shard))!.config.epoch));
};

describe('a ZooKeeper that is set back', () => {
  /** Every shard in epoch 5 of s1; then ZooKeeper knows less of the first one. */
  async function setBack() {
    const node = await cluster.register('s1');
    const configs = await cluster.place(node, { epoch: 5 as Epoch });
    await cluster.completePlacement();
    const leader = await LeaderUnderTest.start(cluster);
    await leader.report(node, configs);
    await cluster.put({ ...configs[0]!, epoch: 4 as Epoch, nonce: 'older' });
    return leader;
  }
  const said = ({ log }: LeaderUnderTest) => {
    return log.lines.filter(({ message }) => message.includes('shard 0: ZooKeeper was set back'));
  };

  it('S19 while the leader leads is found when its connection comes back', async () => {
    const leader = await setBack();
    leader.session.become('suspended');
    leader.session.become('connected');
    for (let looks = 0; looks < 3; looks++) await leader.pass(LONG_MS);
    expect(said(leader)).toHaveLength(1);
    expect(leader.multis).toEqual([]);
    expect(leader.over).toEqual([]);
  });

  it('is looked for once more at most, however often the connection comes back meanwhile', async () => {
    await cluster.activeOn('s1');
    const leader = await LeaderUnderTest.start(cluster);
    const readsOf = async (reconnects: number) => {
      const before = leader.session.calls.length;
      for (let times = 0; times < reconnects; times++) {
        leader.session.become('suspended');
        leader.session.become('connected');
      }
      await leader.pass(0);
      return leader.session.calls.length - before;
    };
    const twice = await readsOf(2);
    expect(twice).toBeGreaterThanOrEqual(2 * ALL.length);
    expect(await readsOf(50)).toBe(twice);
  });

  it('is not what was asked for before the leader wrote, and answered after', async () => {
    const { node, configs } = await cluster.activeOn('s1');
    const leader = await LeaderUnderTest.start(cluster);
    await leader.report(node, configs);
    const { session } = leader;
    const read = session.read.bind(session);
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    session.read = async (path, options) => {
      const answer = await read(path, options);
      if (path === shardZnode(0 as never)) await held;
      return answer;
    };
    session.become('suspended');
    session.become('connected');
    await leader.pass(0);
    const again = await cluster.register('s1', 2);
    await settle();
    leader.greet(again);
    await leader.report(again, configs);
    expect(await epochs()).toEqual(ALL.map(() => 2));
    const { told } = leader.streamTo(again.address);
    const before = told.length;
    release();
    await settle();
    expect(told.length, 'nothing older is told').toBe(before);
    expect(leader.map.map.config(0 as never)?.epoch).toBe(2);
  });

  it('S19 is not looked for when it is too late: a leader that was stopped reads no more', async () => {
    const leader = await setBack();
    leader.leadership.stop();
    const before = leader.session.calls.length;
    leader.session.become('connected');
    await leader.pass(LONG_MS);
    expect(leader.session.calls.length).toBe(before);
  });

  it('S1 S19 is known by what this router had heard before it led: a later epoch', async () => {
    const { configs } = await cluster.activeOn('s1');
    const config = { ...configs[0]!, epoch: 9 as Epoch, nonce: 'later' };
    const leader = await LeaderUnderTest.start(cluster, {}, ({ map }) => {
      map.applyConfigs([{ config, version: 9 }]);
    });
    await cluster.register('s1', 2);
    for (let looks = 0; looks < 3; looks++) await leader.pass(LONG_MS);
    expect(await epochs()).toEqual([1, 2, 2, 2, 2, 2]);
    expect(said(leader)).toHaveLength(1);
  });

  it('S6 or another isr in the same epoch', async () => {
    const { node, configs } = await cluster.activeOn('s1');
    const leader = await LeaderUnderTest.start(cluster, {}, ({ map }) => {
      map.applyConfigs([{ config: { ...configs[0]!, nonce: 'later' }, version: 9 }]);
    });
    await leader.report(node, configs);
    expect(leader.changes()).toEqual([[shardZnode(0 as never)]]);
    expect(await epochs()).toEqual([2, 1, 1, 1, 1, 1]);
  });

  describe('and to which an operator brings back what was written in a later leaderEpoch', () => {
    /** The first shard, by `portolan recover`, after the leader has read it. */
    async function broughtBack(by = 2) {
      const { node, configs } = await cluster.activeOn('s1');
      const leader = await LeaderUnderTest.start(cluster);
      const leaderEpoch = (leader.leaderEpoch + by) as LeaderEpoch;
      const later = { ...configs[0]!, epoch: 9 as Epoch, leaderEpoch, nonce: 'later' };
      await cluster.put(later);
      return { leader, later, node, configs };
    }
    async function reconnect(leader: LeaderUnderTest) {
      leader.session.become('suspended');
      leader.session.become('connected');
      await leader.pass(LONG_MS);
    }

    it('S17 is no longer led in this one once the leader reads that', async () => {
      const { leader, later } = await broughtBack();
      await reconnect(leader);
      expect(leader.heard).toEqual([later.leaderEpoch]);
      const said = `shard ${later.shard}: written in a later leaderEpoch`;
      expect(leader.log.lines.filter(({ message }) => message === said)).toHaveLength(1);
      expect(leader.map.map.config(later.shard)?.epoch).toBe(1);
    });

    it('S17 nor once it has written over what it knew before: nothing is written', async () => {
      const { leader, later } = await broughtBack();
      await cluster.register('s1', 2);
      await leader.pass(LONG_MS);
      expect(leader.multis, 'it tried to').toHaveLength(1);
      expect(leader.heard).toEqual([later.leaderEpoch]);
      expect(await epochs()).toEqual([9, 1, 1, 1, 1, 1]);
    });

    it('S19 is led on if nobody can have counted up to that: this shard alone waits', async () => {
      const { leader, later, node, configs } = await broughtBack(2 ** 40);
      await leader.report(node, configs);
      await reconnect(leader);
      const said = leader.log.lines.filter(({ message }) => {
        return message.includes(`'leaderEpoch' is ${later.leaderEpoch}: nobody counts up`);
      });
      expect(said).toHaveLength(1);
      expect(said[0]!.message).toContain(shardZnode(later.shard));
      await cluster.register('s1', 2);
      await leader.pass(LONG_MS);
      expect(await epochs()).toEqual([9, 2, 2, 2, 2, 2]);

      await cluster.put(configs[0]!);
      await reconnect(leader);
      await leader.pass(LONG_MS);
      expect(await epochs(), 'restored').toEqual([2, 2, 2, 2, 2, 2]);
      expect(leader.heard).toEqual([]);
      expect(leader.over).toEqual([]);
    });
  });

  it('S19 knows nothing of shards that this router had heard of: none is created anew', async () => {
    const s1 = nodeOf('s1');
    const served = ALL.map((shard) => configOf(shard, s1, { epoch: 9 as Epoch }));
    const office = { connectedAt: 0, hasMemory: true };
    const leader = await LeaderUnderTest.start(cluster, office, ({ map }) => {
      map.applyConfigs(served.map((config) => ({ config, version: 20 })));
    });
    const other = await cluster.register('s4');
    await settle();
    leader.greet(other);
    await leader.report(other, []);
    await leader.pass(LONG_MS);
    await leader.pass(LONG_MS);
    expect(await cluster.shards()).toEqual([]);
    expect(leader.log.has('shard 0: its znode /shards/0')).toBe(true);
  });

  it('S1 S6 is not trusted by who stopped before it had read it', async () => {
    const office = { connectedAt: 0, hasMemory: false };
    await cluster.activeOn('s1');
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const leader = await LeaderUnderTest.start(cluster, office, ({ session }) => {
      const read = session.read.bind(session);
      session.read = async (path, options) => {
        if (path.startsWith('/shards/')) await held;
        return read(path, options);
      };
    });
    leader.leadership.stop();
    release();
    await settle();
    expect(leader.trusts, 'nobody has spoken').toBe(false);
  });

  it('S1 S6 is found before anything is decided by it, however late', async () => {
    const [s1, s2] = [nodeOf('s1'), await cluster.register('s2')];
    const configs = ALL.map((shard) => sharedBy(shard, [s1, s2]));
    for (const config of configs) await cluster.put(config);
    await cluster.completePlacement();
    const known = { ...configs[5]!, epoch: 9 as Epoch, nonce: 'later' };
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const office = { connectedAt: 1_000, hasMemory: false, replicas: 2 };
    const leader = await LeaderUnderTest.start(cluster, office, ({ session, map }) => {
      map.applyConfigs([{ config: known, version: 9 }]);
      const read = session.read.bind(session);
      session.read = async (path, options) => {
        if (path.startsWith('/shards/')) await held;
        return read(path, options);
      };
    });
    leader.greet(s2);
    await leader.report(s2, configs);
    const oldMs = oldAfterMs(leader.session.timeoutMs);
    await leader.pass(oldMs - 100);
    leader.session.become('suspended');
    leader.session.become('connected');
    await leader.pass(100);
    release();
    await settle();
    await leader.pass(1);
    expect(leader.multis, 's1 has not spoken').toEqual([]);
    await leader.pass(oldMs);
    expect(leader.changes().flat().toSorted()).toEqual(configs.slice(0, 5).map(znodeOf));
  });

  it('L1 is not waited for where a znode must not be read: it is named, the others fail over', async () => {
    const [dead, alive] = [nodeOf('s1'), await cluster.register('s2')];
    const configs = ALL.map((id) => sharedBy(id, [dead, alive]));
    for (const config of configs) await cluster.put(config);
    await cluster.completePlacement();
    const leader = await LeaderUnderTest.start(cluster, { replicas: 2 }, ({ session }) => {
      const read = session.read.bind(session);
      session.read = (path, options) => {
        const refused = { status: 'failed', code: 'no-auth', message: 'NO_AUTH' } as const;
        return path === znodeOf(configs[5]!) ? Promise.resolve(refused) : read(path, options);
      };
    });
    leader.greet(alive);
    await leader.report(alive, configs);
    await leader.pass(LONG_MS);
    expect(leader.changes().flat().toSorted()).toEqual(configs.slice(0, 5).map(znodeOf));
    expect(leader.log.has('/shards/5 must not be read: NO_AUTH')).toBe(true);
  });

  it('L1 is not thought of because an operator has restored a znode, when it is past', async () => {
    const { node, configs } = await cluster.activeOn('s1');
    const dead = nodeOf('s2');
    const replicas = [...configs[5]!.replicas, placeOf(dead)];
    await cluster.put({ ...configs[5]!, learners: [dead.id], replicas });
    const leader = await LeaderUnderTest.start(cluster, { replicas: 2 });
    await leader.report(node, configs);
    await cluster.remove(shardZnode(0 as never));
    const again = await cluster.register('s1', 2);
    await settle();
    leader.greet(again);
    await leader.report(again, configs);
    await leader.pass(LONG_MS);
    await cluster.put(configs[0]!);
    for (let looks = 0; looks < 3; looks++) await leader.pass(LONG_MS);
    expect(leader.log.has('shard 0: its znode is well again')).toBe(true);
    leader.session.become('suspended');
    leader.session.become('connected');
    await leader.pass(0);
    await leader.pass(LONG_MS);
    expect(leader.log.has('waiting for s2')).toBe(false);
  });

  it('is what members are told of, not what this router has heard besides', async () => {
    const node = await cluster.register('s1');
    const configs = await cluster.place(node);
    await cluster.completePlacement();
    const leader = await LeaderUnderTest.start(cluster);
    leader.map.applyConfigs([{ config: { ...configs[0]!, nonce: 'heard' }, version: 99 }]);
    const other = await cluster.register('s2');
    await settle();
    leader.greet(other);
    const told = leader.streamTo(other.address).told.flatMap((message) => {
      return message.type === 'map' ? message.shards : [];
    });
    expect(told.map(({ config }) => config)).toEqual(configs);
  });
});
