/** A router in office over shards with replicas: what it makes of what its members say and do. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Epoch, LeaderEpoch, MemberId, ShardId } from '../../src/model/ids.js';
import type { ChangeRequest, NodeWord, SteppedDown } from '../../src/model/member-messages.js';
import type { Registration } from '../../src/model/registrations.js';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { nodeZnode, shardZnode } from '../../src/model/znodes.js';
import { BEAT_MS } from '../../src/router/heartbeat.js';
import { SUSPECT_MS } from '../../src/router/liveness.js';
import { sharedBy } from '../support/control-harness.js';
import { reportsOf, uuidOf } from '../support/configs.js';
import { ok } from '../support/coordinator-checks.js';
import { FakeClock } from '../support/fake-clock.js';
import { ClusterZnodes, LeaderUnderTest } from '../support/leader-under-test.js';
import { settle } from '../support/storage-harness.js';

const ALL = [0, 1, 2, 3, 4, 5];
const SETTLE_MS = 500;
/** Between two looks at what is broken. */
const LOOK_AGAIN_MS = 5_000;
/** From a connection to ZooKeeper until whoever lives has had the time to register. */
const COMPLETE_MS = 2 * 4_000 + 3_000;
/** Until a hand-over that nobody answered, or that failed, may be asked for again. */
const ANSWER_MS = 2_000;
const REST_MS = 5_000;
/** Until a node that has not said what it holds is decided without. */
const ACCOUNT_MS = 1_000;
const NOTICE_MS = SUSPECT_MS + BEAT_MS;

let cluster: ClusterZnodes;
let nodes: Registration[];
let leader: LeaderUnderTest;
let configs: ShardConfig[];

/** Every shard on the same nodes, in sync; the primary of shard n is node n modulo their number. */
async function lead(count: number): Promise<void> {
  cluster = await ClusterZnodes.make();
  nodes = [];
  for (let n = 1; n <= count; n++) nodes.push(await cluster.register(`s${n}`));
  configs = ALL.map((shard) => {
    const at = shard % count;
    return sharedBy(shard, [...nodes.slice(at), ...nodes.slice(0, at)]);
  });
  for (const config of configs) await cluster.put(config);
  await cluster.completePlacement();
  leader = await LeaderUnderTest.start(cluster, { replicas: count });
  for (const node of nodes) leader.greet(node);
  await leader.pass(0);
}

/** Two nodes with every shard in sync on both, and all primaries on the first. */
async function leadLopsided(): Promise<void> {
  await lead(2);
  leader.leadership.stop();
  for (const [shard, config] of configs.entries()) {
    configs[shard] = { ...config, primary: 's1' as MemberId, epoch: 5 as Epoch };
    await cluster.put(configs[shard]);
  }
  leader = await LeaderUnderTest.start(cluster, { replicas: 2 });
}

const stored = () => Promise.all(ALL.map(async (shard) => (await cluster.stored(shard))!.config));
const primaries = async () => (await stored()).map(({ primary }) => primary);
const node = (id: string) => nodes.find((known) => known.id === id)!;
const said = (text: string) => leader.log.lines.filter(({ message }) => message.includes(text));

/** Kills the process: its stream breaks, and its port refuses. */
async function kill(id: string): Promise<void> {
  const { address } = node(id);
  leader.mute.add(id);
  leader.dialer.portOf = (asked) => (asked === address ? 'refused' : 'accepted');
  const stream = leader.streamTo(address);
  stream.ended = true;
  stream.events.closed('reset');
  await settle();
  await leader.pass(0);
}

/** Hand-overs that were ordered of a node on its present stream. */
function orders(id: string) {
  const { told } = leader.streamTo(node(id).address);
  return told.filter((message) => message.type === 'hand-over');
}

describe('nodes that register anew because ZooKeeper ended their sessions', () => {
  /** A leader that connected so long ago; s1 is not there, s2 is again. */
  async function leadAnew(connectedForMs: number, hasMemory = false): Promise<void> {
    await lead(2);
    leader.leadership.stop();
    await cluster.remove(nodeZnode('s1' as MemberId));
    await cluster.register('s2');
    const connectedAt = new FakeClock().now() - connectedForMs;
    leader = await LeaderUnderTest.start(cluster, { replicas: 2, connectedAt, hasMemory });
    const [there] = leader.map.map.nodes.values();
    leader.greet(there!);
    await leader.hear(there!, { type: 'replicas', replicas: [] });
  }

  it('L1 are not waited for by a leader that has been connected for long', async () => {
    await leadAnew(COMPLETE_MS);
    await leader.pass(0);
    expect(await primaries()).not.toContain('s1');
    expect(said('waiting for s1')).toEqual([]);
  });

  it('L1 nor after its connection was lost, if ZooKeeper knows as much as before', async () => {
    await lead(2);
    leader.session.suspend();
    leader.session.resume();
    await settle();
    await cluster.remove(nodeZnode('s1' as MemberId));
    await leader.pass(0);
    expect(await primaries()).not.toContain('s1');
  });

  it('S1 S6 are waited for anew if it knows less', async () => {
    await lead(2);
    leader.session.suspend();
    await cluster.put({ ...configs[1]!, epoch: 3 as Epoch, nonce: 'older' });
    leader.session.resume();
    await settle();
    await cluster.remove(nodeZnode('s1' as MemberId));
    await leader.pass(COMPLETE_MS - 1);
    expect(await primaries(), 's1 has not spoken').toEqual(['s1', 's2', 's1', 's2', 's1', 's2']);
    await leader.pass(1);
    await leader.pass(0);
    expect(await primaries()).not.toContain('s1');
  });

  it('L1 nor by one that knew the map before it connected', async () => {
    await leadAnew(1, true);
    await leader.pass(0);
    expect(await primaries()).not.toContain('s1');
  });

  it('L1 are known to be all that there are, once each has spoken that the map names', async () => {
    await lead(2);
    leader.leadership.stop();
    leader = await LeaderUnderTest.start(cluster, { replicas: 2, connectedAt: 1_000 });
    await leader.pass(0);
    expect(leader.trusts, 'they have not').toBe(false);
    for (const node of nodes) {
      leader.greet(node);
      await leader.hear(node, { type: 'replicas', replicas: [] });
    }
    expect(leader.trusts).toBe(true);
    await cluster.remove(nodeZnode('s1' as MemberId));
    await leader.pass(0);
    expect(await primaries()).not.toContain('s1');
  });

  it('L1 lose their primaries if they have not come after a while', async () => {
    await leadAnew(1);
    await leader.pass(1_000);
    const [line, ...more] = said('waiting for s1: the connection to ZooKeeper is new');
    expect(line?.fields).toEqual({ forMs: COMPLETE_MS - 1 - 1_000 });
    expect(more).toEqual([]);
    await leader.pass(COMPLETE_MS - 1_000 - 2);
    expect(await primaries()).toEqual(['s1', 's2', 's1', 's2', 's1', 's2']);
    await leader.pass(1);
    await leader.pass(0);
    expect(await primaries()).not.toContain('s1');
  });
});

it('S1 a leader that was held up waits once more: what nodes said it has not read yet', async () => {
  await lead(2);
  leader.leadership.stop();
  await cluster.register('s1');
  leader = await LeaderUnderTest.start(cluster, { replicas: 2 }, ({ reticent }) => {
    reticent.add('s1').add('s2');
  });
  leader.clock.holdUp(3 * ACCOUNT_MS);
  await settle();
  expect(leader.multis).toEqual([]);
  leader.clock.holdUp(3 * ACCOUNT_MS);
  await settle();
  expect(leader.multis, 'but not for ever').toHaveLength(1);
});

describe('a node that is suspected', () => {
  beforeEach(() => lead(3));

  it('loses its primaries at once, while it is still registered', async () => {
    await kill('s1');
    expect(await primaries()).toEqual(['s2', 's2', 's3', 's3', 's2', 's3']);
    const [first] = await stored();
    expect(first).toMatchObject({ isr: ['s2', 's3'], learners: ['s1'], leaseReleased: false });
    expect(first!.epoch).toBeGreaterThan(configs[0]!.epoch);
    expect(said('storage node s1 is suspected: its port refuses connections')).toHaveLength(1);
    expect(said('2 fail-over from s1')).toHaveLength(1);
    expect(leader.multis).toHaveLength(1);
  });

  it('for its silence loses them as well, and is named when it is heard again', async () => {
    leader.mute.add('s2');
    await leader.pass(NOTICE_MS);
    await leader.pass(0);
    expect(await primaries()).not.toContain('s2');
    expect(said('storage node s2 is suspected: it has said nothing for 2000 ms')).toHaveLength(1);
    leader.mute.delete('s2');
    await leader.pass(BEAT_MS);
    expect(said('storage node s2 is heard again')).toHaveLength(1);
    expect(await primaries(), 'the primaries stay where they are by now').not.toContain('s2');
  });

  it('in its next life is not suspected any more', async () => {
    await kill('s1');
    const reborn = await cluster.register('s1', 2);
    leader.mute.clear();
    await leader.pass(SETTLE_MS);
    const places = (await stored()).map(({ replicas }) => {
      return replicas.find((place) => place.node === 's1')?.process;
    });
    expect(new Set(places)).toEqual(new Set([reborn.process]));
  });

  it('and registers anew, the same process, is not suspected any more', async () => {
    leader.mute.add('s1');
    await leader.pass(NOTICE_MS);
    await cluster.remove(nodeZnode(node('s1').id));
    await settle();
    leader.mute.clear();
    await cluster.register('s1');
    await leader.pass(NOTICE_MS);
    expect(said('heard again'), 'its registration says it').toEqual([]);
    // It could become primary again: the last of the others dies.
    const [config] = await stored();
    expect(config?.replicas.find((place) => place.node === 's1')?.incarnation).toBeGreaterThan(
      node('s1').incarnation,
    );
  });

  it('is nobody, if it was the leader that was held up', async () => {
    leader.mute.add('s1').add('s2').add('s3');
    leader.clock.holdUp(20_000);
    leader.mute.clear();
    await leader.pass(20_000);
    expect(said('suspected')).toEqual([]);
    expect(leader.multis).toEqual([]);
  });

  it('is not decided on by a leader that was stopped, nor by one that is fenced', async () => {
    await cluster.takeLeaderEpoch();
    await kill('s1');
    expect(await stored()).toEqual(configs);
    expect(leader.over).toHaveLength(1);
    leader.mute.add('s2');
    await leader.pass(20_000);
    expect(said('s2 is suspected')).toEqual([]);
  });
});

it('the only node that holds a shard changes nothing for it when it is suspected', async () => {
  await lead(1);
  await cluster.register('s2');
  await leader.pass(SETTLE_MS);
  await kill('s1');
  await leader.pass(20_000);
  expect(await stored()).toEqual(configs);
  expect(said('storage node s1 is suspected')).toHaveLength(1);
  leader.mute.clear();
  leader.dialer.portOf = () => 'accepted';
  await leader.pass(20_000);
  expect(said('storage node s1 is heard again')).toHaveLength(1);
  expect(leader.multis).toEqual([]);
});

describe('what a primary asks for', () => {
  beforeEach(() => lead(3));

  const shrink = (as: Partial<ChangeRequest> = {}): NodeWord => {
    const { shard, shardUuid, epoch } = configs[0]!;
    const change = { type: 'shrink', node: 's3' as MemberId } as const;
    return { type: 'request', request: { shard, shardUuid, epoch, basedOn: 0, change, ...as } };
  };

  it('is granted, and no line but that of the write is above debug', async () => {
    await leader.hear(node('s1'), shrink());
    expect((await stored())[0]).toMatchObject({ isr: ['s1', 's2'], learners: ['s3'], epoch: 4 });
    expect(said('s1 asks for shrink').map(({ level }) => level)).toEqual(['debug']);
    expect(said('shard map: 1 shrink')).toHaveLength(1);
  });

  it('by others than the primary that the leader knows is not granted', async () => {
    await leader.hear(node('s2'), shrink());
    await leader.hear(node('s3'), shrink({ shard: 9 as ShardId }));
    await leader.hear(node('s1'), shrink({ epoch: 3 as Epoch }));
    expect(leader.multis).toEqual([]);
    expect(await stored()).toEqual(configs);
  });

  it('nor is what the primary asks for without knowing the newest configuration', async () => {
    await leader.hear(node('s1'), shrink());
    const change = { type: 'shrink', node: 's2' as MemberId } as const;
    await leader.hear(node('s1'), shrink({ change, basedOn: 0 }));
    expect((await stored())[0]).toMatchObject({ isr: ['s1', 's2'], epoch: 4 });
  });

  it('S6 but if it knows a later one than ZooKeeper, the epoch ends', async () => {
    const inSync = ['s1', 's3'] as MemberId[];
    const change = { type: 'set-back', nonce: 'later', inSync } as const;
    await leader.hear(node('s1'), shrink({ change, basedOn: 7 }));
    expect((await stored())[0]).toMatchObject({ isr: ['s1', 's3'], learners: ['s2'], epoch: 5 });
    expect(said('shard map: 1 set-back')).toHaveLength(1);
  });

  it('for many shards at once is written together', async () => {
    const [first, fourth] = [configs[0]!, configs[3]!].map(({ shard, shardUuid }) => {
      return shrink({ shard, shardUuid });
    });
    await leader.hear(node('s1'), first!, fourth!);
    expect(leader.changes()).toEqual([[0, 3].map((shard) => shardZnode(shard as ShardId))]);
  });
});

describe('what operators are told', () => {
  it('is what nodes say of their own damaged replicas, and not of those of others', async () => {
    await lead(3);
    const own = { shard: 0 as ShardId, node: 's1' as MemberId, problem: 'rot' };
    const damaged = [own, { ...own, node: 's2' as MemberId }];
    await leader.hear(node('s1'), {
      type: 'progress',
      learners: [],
      damaged,
      outdated: [],
      used: [],
    });
    await leader.pass(500);
    expect(leader.map.damaged).toEqual([own]);
    await leader.hear(node('s1'), {
      type: 'progress',
      learners: [],
      damaged: [],
      outdated: [],
      used: [],
    });
    await leader.pass(500);
    expect(leader.map.damaged).toEqual([]);
  });
});

describe('hand-overs', () => {
  const steppedDown = (config: ShardConfig, as: Partial<SteppedDown> = {}): SteppedDown => {
    const { shard, shardUuid, epoch } = config;
    return { type: 'stepped-down', shard, shardUuid, epoch, to: 's3' as MemberId, ...as };
  };
  const failed = ({ shard, epoch }: ShardConfig): NodeWord => {
    return { type: 'hand-over-failed', shard, epoch, why: 'a reason' };
  };
  /** s1 has shards 0 and 3; it is about to shut down. */
  async function leave(): Promise<void> {
    await lead(3);
    await leader.hear(node('s1'), { type: 'leaving' });
  }

  const shardsOrdered = () => orders('s1').map(({ shard }) => shard);

  it('of a node that leaves are ordered of it, shard by shard, and nothing is written', async () => {
    await leave();
    const { shard, shardUuid, epoch } = configs[0]!;
    expect(orders('s1')).toMatchObject([{ shard, shardUuid, epoch }]);
    expect([...orders('s2'), ...orders('s3')]).toEqual([]);
    expect(leader.multis).toEqual([]);
    await leader.hear(node('s1'), steppedDown(configs[0]!));
    expect(shardsOrdered()).toEqual([0, 3]);
  });

  it('for balance are ordered of the node that has too much, once all has settled', async () => {
    await leadLopsided();
    await leader.pass(SETTLE_MS - 1);
    expect(orders('s1')).toEqual([]);
    await leader.pass(1);
    expect(orders('s1').map(({ to }) => to)).toEqual(['s2']);
  });

  it('make the named member primary, without its waiting for the lease', async () => {
    await leave();
    await leader.hear(node('s1'), steppedDown(configs[0]!), steppedDown(configs[3]!));
    expect((await stored())[3]).toMatchObject({ primary: 's3', epoch: 5, leaseReleased: true });
    expect(said('shard map: 2 hand-over from s1')).toHaveLength(1);
    await leader.pass(ANSWER_MS + REST_MS);
    expect(shardsOrdered()).toEqual([0]);
  });

  it('are believed of nobody but the primary, and of no earlier shard of that number', async () => {
    await leave();
    await leader.hear(node('s2'), steppedDown(configs[0]!));
    await leader.hear(node('s1'), steppedDown(configs[0]!, { shardUuid: uuidOf('earlier') }));
    await leader.hear(node('s1'), steppedDown(configs[0]!, { epoch: 3 as Epoch }));
    expect(leader.multis).toEqual([]);
  });

  it('that nobody answers are ordered again after a pause', async () => {
    await leave();
    await leader.pass(ANSWER_MS);
    await leader.pass(0);
    expect(shardsOrdered()).toEqual([0, 3]);
    await leader.pass(REST_MS - 1);
    expect(shardsOrdered()).toEqual([0, 3]);
    await leader.pass(1);
    await leader.pass(0);
    expect(shardsOrdered()).toEqual([0, 3, 0]);
  });

  it('that failed are ordered again after a pause, however often that is said', async () => {
    await leave();
    await leader.hear(node('s1'), failed(configs[0]!));
    // Meanwhile it is the turn of another.
    expect(shardsOrdered()).toEqual([0, 3]);
    await leader.pass(REST_MS - 1);
    await leader.hear(node('s1'), failed(configs[0]!));
    await leader.hear(node('s2'), failed(configs[3]!));
    expect(shardsOrdered()).toEqual([0, 3]);
    await leader.pass(1);
    await leader.pass(0);
    expect(shardsOrdered()).toEqual([0, 3, 0]);
  });

  it('leave no timer behind when the leader is stopped', async () => {
    await leave();
    leader.leadership.stop();
    expect(leader.clock.pending).toBe(0);
  });
});

describe('a write that meets conflict after conflict', () => {
  it('is tried again at once, and then with a pause that grows', async () => {
    await lead(3);
    const attempts: number[] = [];
    leader.session.multi = () => {
      attempts.push(leader.clock.now());
      return Promise.resolve({
        status: 'failed',
        code: 'bad-version',
        message: '',
        at: 1,
      } as never);
    };
    await kill('s1');
    for (let ms = 0; ms < 8_000; ms += 50) await leader.pass(50);
    const pauses = attempts.slice(1).map((at, index) => at - attempts[index]!);
    expect(pauses.slice(0, 8)).toEqual([0, 50, 100, 200, 400, 800, 1_600, 2_000]);
  });
});

it('a look that finds the same nodes does not make the leader wait for them to settle', async () => {
  await leadLopsided();
  const { told } = leader.streamTo(node('s1').address);
  const before = told.length;
  await leader.pass(SETTLE_MS - 1);
  const stranger = nodeZnode('Not-An-Id' as MemberId);
  ok(await cluster.other.create(stranger, Buffer.from('?'), 'ephemeral'));
  await settle();
  expect(told).toHaveLength(before);
  await leader.pass(1);
  expect(orders('s1')).toHaveLength(1);
});

it('two leaders: the earlier one is told that its time is over and decides nothing', async () => {
  await lead(3);
  const { id, process } = node('s1');
  const later = (leader.leaderEpoch + 1) as LeaderEpoch;
  await leader.hear(node('s1'), { type: 'hello', id, process, leaderEpoch: later });
  expect(leader.heard).toEqual([later]);
  leader.leadership.stop();
  await leader.pass(20_000);
  expect(said('suspected')).toEqual([]);
  expect(leader.multis).toEqual([]);
});

describe('what ZooKeeper knows less of than the nodes', () => {
  async function setBack() {
    const made = await ClusterZnodes.make();
    const node = await made.register('s1');
    const placed = await made.place(node);
    await made.completePlacement();
    const first = await LeaderUnderTest.start(made);
    const later = reportsOf(placed[0]!).map((one) => ({ ...one, epoch: 6 as Epoch }));
    await first.hear(node, { type: 'replicas', replicas: later });
    await first.pass(LOOK_AGAIN_MS);
    await first.pass(500);
    expect(first.map.outdated).toEqual([0]);
    return { made, first, placed };
  }

  it('is told to routers that come later, too', async () => {
    const { made, first, placed } = await setBack();
    await made.stand('r2');
    await settle();
    await first.pass(LOOK_AGAIN_MS);
    await first.pass(500);
    const told = first.streamTo('r2:7000').told.filter(({ type }) => type === 'progress');
    const used = [{ shardUuid: placed[0]!.shardUuid, epoch: 6 }];
    expect(told.at(-1)).toMatchObject({ outdated: [0], used });
  });

  it.each(['this router', 'another, which was told'])(
    'S1 S19 is left alone by the next leader, %s, while whoever knew more is away',
    async (who) => {
      const { made, first, placed } = await setBack();
      const used = [{ shardUuid: placed[0]!.shardUuid, epoch: 6 as Epoch }];
      first.leadership.stop();
      await made.remove(nodeZnode('s1' as MemberId));
      const next = await LeaderUnderTest.start(made, {}, ({ map }) => {
        if (who !== 'this router') {
          const told = { learners: [], damaged: [], outdated: [0 as ShardId], used };
          return map.applyProgress({ type: 'progress', ...told });
        }
        for (const [shardUuid, epoch] of first.map.used) map.applyUsed([{ shardUuid, epoch }]);
      });
      const again = await made.register('s1', 2);
      await next.pass(LOOK_AGAIN_MS);
      next.greet(again);
      await next.report(again, placed);
      await next.pass(LOOK_AGAIN_MS);
      expect((await made.stored(0))!.config.epoch).toBe(1);
      expect((await made.stored(1))!.config.epoch).toBe(2);
      await made.put({ ...placed[0]!, epoch: 1_000_001 as Epoch, nonce: '99' });
      await next.pass(LOOK_AGAIN_MS);
      expect((await made.stored(0))!.config.epoch, 'an operator has').toBe(1_000_002);
    },
  );

  it('is over with the next leader, if that finds all well', async () => {
    const { made, first, placed } = await setBack();
    first.leadership.stop();
    await made.put({ ...placed[0]!, epoch: 1_000_001 as Epoch, nonce: '99' });
    const outdated = first.map.outdated;
    const next = await LeaderUnderTest.start(made, {}, ({ map }) => {
      map.applyProgress({ type: 'progress', learners: [], damaged: [], outdated, used: [] });
    });
    await next.pass(500);
    expect(next.map.outdated).toEqual([]);
  });
});
