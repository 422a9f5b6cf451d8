/** How a storage node hears its leader, and which leaders it does not hear. */
import { describe, expect, it } from 'vitest';
import type { Epoch, LeaderEpoch, MemberId, ShardId, Uuid } from '../../src/model/ids.js';
import type {
  HandOverOrder,
  LeaderMessage,
  MemberMessage,
} from '../../src/model/member-messages.js';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { ShardMap } from '../../src/model/shard-map.js';
import { Following } from '../../src/storage/following.js';
import type { RecordWrite } from '../../src/storage/rounds.js';
import { uuidOf } from '../support/configs.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { NodeUnderTest, Recorder, settle, SHARDS } from '../support/storage-harness.js';

describe('following', () => {
  it('a leader is greeted and told of every replica that exists', async () => {
    const test = await NodeUnderTest.serving();
    const successor = test.lead(2);
    await settle();
    expect(successor.heard.messages[0]).toMatchObject({ type: 'hello', id: 's1' });
    const report = successor.heard.messages[1];
    expect(report).toMatchObject({ type: 'replicas' });
    expect(report?.type === 'replicas' && report.replicas.length).toBe(SHARDS);
  });

  it('S19 a new replica is reported when it is durable, and not before', async () => {
    const test = await NodeUnderTest.start();
    const leader = test.lead(1);
    await settle();
    test.disk.hold();
    await test.tell(leader, test.configs({ state: 'creating' }));
    const reports = () =>
      leader.heard.messages.flatMap((said) => (said.type === 'replicas' ? said.replicas : []));
    expect(reports()).toEqual([]);
    test.disk.release();
    await settle();
    expect(reports()).toMatchObject(
      test.configs().map(({ shard, shardUuid }) => {
        return { shard, shardUuid, store: test.self.store, epoch: 1, lastSeq: 0 };
      }),
    );
  });

  it('S6 a primary says what it goes by with that, before it hears what the leader has', async () => {
    const test = await NodeUnderTest.serving();
    const leader = test.lead(2);
    await settle();
    const [report] = leader.heard.messages.filter(({ type }) => type === 'replicas');
    const [config] = test.configs();
    const lead = { nonce: config!.nonce, inSync: [test.self.id] };
    expect(report).toMatchObject({ replicas: test.configs().map(() => ({ lead })) });
  });

  it('a promised epoch is reported when it is durable, and not before: leaders wait for it', async () => {
    const test = await NodeUnderTest.serving();
    const leader = test.lead(2);
    await settle();
    leader.heard.messages.length = 0;
    test.disk.hold();
    await test.tell(leader, test.configs({ epoch: 2 as Epoch }), 2);
    expect(leader.heard.messages).toEqual([]);
    test.disk.release();
    await settle();
    const replicas = test.configs().map(({ shard }) => ({ shard, epoch: 2 }));
    expect(leader.heard.messages).toMatchObject([{ type: 'replicas', replicas }]);
  });

  it('S17 a lower leaderEpoch is not heard, not even after a restart', async () => {
    const test = await NodeUnderTest.serving();
    test.lead(5);
    await settle();
    const restarted = await NodeUnderTest.start(test.disk.afterCrash(), 2);
    for (const node of [test, restarted]) {
      const old = node.lead(4);
      await node.tell(old, node.configs({ epoch: 9 as ShardConfig['epoch'] }), 9);
      expect(old.heard.ended).toBe(true);
      // It is told that its time is over.
      expect(old.heard.messages).toMatchObject([{ type: 'hello', leaderEpoch: 5 }]);
      expect(node.node.map.config(0 as never)?.epoch).not.toBe(9);
    }
  });

  it('S17 nothing of a new leader is acted on before its epoch is durable', async () => {
    const test = await NodeUnderTest.serving();
    test.disk.hold();
    const leader = test.lead(2);
    await test.tell(leader, test.configs({ epoch: 2 as ShardConfig['epoch'] }), 2);
    expect(leader.heard.messages).toEqual([]);
    expect(test.node.map.config(0 as never)?.epoch).toBe(1);
    test.disk.release();
    await settle();
    expect(leader.heard.messages.length).toBeGreaterThan(0);
    expect(test.node.map.config(0 as never)?.epoch).toBe(2);
    expect(test.store.leaderEpoch).toBe(2);
  });

  it("a newer leader's stream ends the one before, whose words then count no more", async () => {
    const test = await NodeUnderTest.serving();
    const old = test.lead(2);
    await settle();
    const successor = test.lead(3);
    await settle();
    expect(old.heard.ended).toBe(true);
    expect(successor.heard.ended).toBe(false);
    await test.tell(old, test.configs({ epoch: 7 as ShardConfig['epoch'] }), 7);
    expect(test.node.map.config(0 as never)?.epoch).toBe(1);
  });

  it('a leader of another cluster, or one that does not say hello, is not heard', async () => {
    const test = await NodeUnderTest.start();
    const foreign = test.lead(9, { clusterUuid: uuidOf('foreign') });
    expect(foreign.heard.ended).toBe(true);
    const restarted = await NodeUnderTest.open(test.disk.afterCrash(), 2);
    const again = restarted.lead(9, { clusterUuid: uuidOf('foreign') });
    for (const { heard } of [foreign, again]) expect(heard.messages, 'of us').toEqual([]);
    const silent = test.lead(9, { hello: false });
    await test.tell(silent, test.configs());
    expect(silent.heard.ended).toBe(true);
    expect(test.node.map.shards.size).toBe(0);
    expect(test.store.leaderEpoch).toBe(0);
  });

  it('a leader that comes before a node has joined is told which process is here now', async () => {
    for (const disk of [new MemoryDisk(), (await NodeUnderTest.serving()).disk.afterCrash()]) {
      const test = await NodeUnderTest.open(disk, 2);
      const early = test.lead(9);
      const { id, process } = test.self;
      expect(early.heard.messages).toMatchObject([{ type: 'hello', id, process }]);
      expect(early.heard.ended).toBe(true);
      expect(test.store.leaderEpoch, 'and not followed').toBeLessThan(9);
    }
  });

  it('S19 a configuration that cannot be of this cluster is left out and named', async () => {
    const test = await NodeUnderTest.start();
    const [first, second] = test.configs({ state: 'creating' });
    const far = { ...first!, shard: SHARDS as ShardConfig['shard'] };
    const shifted = { ...second!, slots: [0, 1] as const };
    await test.tell(test.lead(1), [far, shifted, first!]);
    expect([...test.node.map.shards.keys()]).toEqual([0]);
    const named = test.log.lines.filter(({ level }) => level === 'error');
    expect(named.map(({ fields }) => fields?.['shard'])).toEqual([SHARDS, 1]);
  });

  it('an older configuration is ignored', async () => {
    const test = await NodeUnderTest.serving();
    await test.tell(test.lead(2), test.configs({ state: 'creating' }), 0);
    expect(test.node.standings()).toEqual(new Map([['primary', SHARDS]]));
  });
});

describe('a ping', () => {
  const pings = [
    { type: 'ping', number: 1 },
    { type: 'ping', number: 2 },
  ] as const;
  const pongs = (process: Uuid) => pings.map(({ number }) => ({ type: 'pong', number, process }));

  it('is answered at once, with its number and by this process', async () => {
    const test = await NodeUnderTest.serving();
    const leader = test.lead(2);
    await settle();
    const before = leader.heard.messages.length;
    for (const ping of pings) leader.say(ping);
    expect(leader.heard.messages.slice(before)).toEqual(pongs(test.self.process));
  });

  it('is answered even while the epoch of its leader is not durable', async () => {
    const test = await NodeUnderTest.serving();
    test.disk.hold();
    const leader = test.lead(2);
    for (const ping of pings) leader.say(ping);
    await settle();
    expect(leader.heard.messages).toEqual(pongs(test.self.process));
  });

  it('of a leader that has a successor, or said no hello, is not answered', async () => {
    const test = await NodeUnderTest.serving();
    const old = test.lead(2);
    await settle();
    test.lead(3);
    const silent = test.lead(4, { hello: false });
    for (const { heard, say } of [old, silent]) {
      const before = heard.messages.length;
      say(pings[0]);
      expect(heard.messages).toHaveLength(before);
      expect(heard.ended).toBe(true);
    }
  });
});

describe('what a node says of its own accord', () => {
  const shard = 0 as ShardId;
  const shardUuid = uuidOf('shard-0');
  const epoch = 1 as Epoch;
  const steppedDown = { type: 'stepped-down', shard, shardUuid, epoch, to: undefined } as const;
  const failed = { type: 'hand-over-failed', shard, epoch, why: 'a reason' } as const;
  const leaving = { type: 'leaving' } as const;

  /** Following alone, over a map that holds shard 0 in epoch 1. */
  async function follow() {
    const test = await NodeUnderTest.start();
    const { store, log } = test;
    const map = new ShardMap();
    map.shardCount = SHARDS;
    map.apply({ config: test.configs()[0]!, version: 0 });
    const orders: HandOverOrder[] = [];
    const records: RecordWrite[] = [];
    const following = new Following({
      self: { id: test.self.id, process: test.self.process },
      store,
      map,
      submit: (work) => void (work.type === 'record' && records.push(work)),
      handOver: (order) => orders.push(order),
      held: () => [],
      mapChanged: () => undefined,
      log,
    });
    /** A leader of this epoch; durable when that was written. */
    const lead = (leaderEpoch: number) => {
      const heard = new Recorder<MemberMessage>();
      const events = following.handler(heard, 'leader');
      const say = (message: LeaderMessage) => events.message(message);
      say({
        type: 'hello',
        clusterUuid: uuidOf('cluster'),
        leaderEpoch: leaderEpoch as LeaderEpoch,
        leader: 'r1' as MemberId,
      });
      /** All but the greeting and the report. */
      const words = () => heard.messages.filter(({ type }) => !/hello|replicas/.test(type));
      return { words, say };
    };
    const makeDurable = () => {
      for (const record of records.splice(0)) record.done();
    };
    return { following, map, orders, lead, makeDurable };
  }

  it('goes to the leader whose epoch is durable, and to nobody while there is none', async () => {
    const { following, lead, makeDurable } = await follow();
    following.send(failed);
    const leader = lead(1);
    following.send(failed);
    makeDurable();
    expect(leader.words()).toEqual([]);
    following.send(failed);
    const successor = lead(2);
    following.send(failed);
    expect(leader.words()).toEqual([failed]);
    expect(successor.words()).toEqual([]);
  });

  it('is said again to every new leader if it is leaving or stepped down, and else not', async () => {
    const { following, lead, makeDurable } = await follow();
    for (const word of [failed, steppedDown, leaving]) following.send(word);
    for (const leaderEpoch of [1, 2, 2]) {
      const leader = lead(leaderEpoch);
      makeDurable();
      expect(leader.words()).toEqual([leaving, steppedDown]);
    }
  });

  it('a step-down is not said again once the shard has a later epoch, or is another one', async () => {
    const { following, map, lead, makeDurable } = await follow();
    following.send(steppedDown);
    const config = map.config(shard)!;
    map.apply({ config: { ...config, epoch: 2 as Epoch }, version: 1 });
    const leader = lead(1);
    makeDurable();
    following.send({ ...steppedDown, epoch: 2 as Epoch, shardUuid: uuidOf('earlier') });
    const successor = lead(2);
    makeDurable();
    expect(successor.words()).toEqual([]);
    expect(leader.words()).toHaveLength(1);
  });

  it('S17 a hand-over is ordered by a leader whose epoch is durable, and waits until it is', async () => {
    const { orders, lead, makeDurable } = await follow();
    const order = { type: 'hand-over', shard, shardUuid, epoch, to: 's2' as MemberId } as const;
    const leader = lead(1);
    leader.say(order);
    expect(orders).toEqual([]);
    makeDurable();
    expect(orders).toEqual([order]);
    lead(2);
    leader.say(order);
    expect(orders).toHaveLength(1);
  });

  it('a node whose shards have one replica hands nothing over, and says so', async () => {
    const test = await NodeUnderTest.serving();
    const leader = test.lead(2);
    await settle();
    leader.say({ type: 'hand-over', shard, shardUuid, epoch, to: 's2' as MemberId });
    await settle();
    expect(leader.heard.messages.at(-1)).toEqual({ ...failed, why: 's2 is not in sync' });
    leader.say({
      type: 'hand-over',
      shard,
      shardUuid: uuidOf('other'),
      epoch,
      to: 's2' as MemberId,
    });
    const why = 'this node has no such replica';
    expect(leader.heard.messages.at(-1)).toEqual({ ...failed, why });
    expect(test.node.standings()).toEqual(new Map([['primary', SHARDS]]));
  });
});
