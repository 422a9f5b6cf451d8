/** What is made of inventories when the shard map is lost. */
import { describe, expect, it } from 'vitest';
import type { AliveNodes } from '../../src/control/lives.js';
import {
  type KnownConfigs,
  NoPlanError,
  planRecovery,
  rebuiltFrom,
  type RecoveryPlan,
  type RecoveryWish,
  unsettled,
} from '../../src/control/recovery-plan.js';
import { type Epoch, EPOCH_MAX, isEpoch, type LeaderEpoch, type Seq } from '../../src/model/ids.js';
import type { HeldReplica, Inventory } from '../../src/model/inspection.js';
import type { Registration } from '../../src/model/registrations.js';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { clusterOf, nodeOf, uuidOf } from '../support/configs.js';
import { sharedBy } from '../support/control-harness.js';

const [s1, s2, s3] = [nodeOf('s1'), nodeOf('s2'), nodeOf('s3')];
const all = [s1, s2, s3];
const one = clusterOf({ shards: 1, replicas: 3, minIsr: 2 });
/** Epochs after the first recovery begin here. */
const FIRST = 1_000_001 as Epoch;
const CAREFUL: RecoveryWish = { acceptsLoss: false };

function heldOf(change: Partial<Record<keyof HeldReplica, unknown>> = {}): HeldReplica {
  return {
    shard: 0 as HeldReplica['shard'],
    shardUuid: uuidOf('shard-0'),
    epoch: 4 as Epoch,
    lastSeq: 9 as Seq,
    lastEpoch: 4 as Epoch,
    commitSeq: 9 as Seq,
    problem: undefined,
    ...change,
  } as HeldReplica;
}

function inventoryOf(
  { id, store, process, ancestry }: Registration,
  replica: HeldReplica | 'none' = heldOf(),
  config?: ShardConfig,
): Inventory {
  return {
    ...{ node: id, store, process, lives: [...ancestry, process], clusterUuid: one.clusterUuid },
    cluster: config && one,
    leaderEpoch: 3 as LeaderEpoch,
    replicas: replica === 'none' ? [] : [replica],
    configs: config === undefined ? [] : [{ config, version: 5 }],
  };
}

const wish = (acceptsLoss = false): RecoveryWish => ({ acceptsLoss, cluster: one });
/** With nobody registered. */
const settledOf = (plan: RecoveryPlan, configs: KnownConfigs, registered: AliveNodes = new Map()) =>
  unsettled(plan, { configs, registered });
const shardOf = (inventories: readonly Inventory[], how = CAREFUL) =>
  planRecovery(inventories, how).shards[0]!;

describe('a configuration that a node still knows', () => {
  const config = sharedBy(0, all);

  it('S1 S6 is taken, in an epoch above all that was ever promised', () => {
    const plan = planRecovery(
      [inventoryOf(s1, heldOf(), config), inventoryOf(s2), inventoryOf(s3, heldOf({ lastSeq: 8 }))],
      CAREFUL,
    );
    expect(plan.leaderEpoch).toBe(3);
    expect(plan.cluster).toEqual(one);
    const { shardUuid } = config;
    expect(plan.shards[0]).toMatchObject({
      ...{ source: 'configuration', mayLose: false, doubt: '' },
      config: { epoch: FIRST, shardUuid, primary: 's1', isr: ['s1', 's2', 's3'], learners: [] },
    });
    expect(new Set(plan.shards[0]!.config!.replicas.map((p) => p.incarnation))).toEqual(
      new Set([0]),
    );
  });

  it('L1 not in an epoch that nobody could read: its znode stays as it is', () => {
    const used = heldOf({ epoch: EPOCH_MAX });
    const planned = shardOf([inventoryOf(s1, used, config), inventoryOf(s2), inventoryOf(s3)]);
    expect(planned).toMatchObject({ source: 'nothing', config: undefined, mayLose: true });
    expect(planned.doubt).toBe(`no epoch is left above ${EPOCH_MAX}: its znode stays as it is`);
    const before = heldOf({ epoch: EPOCH_MAX - 2_000_000 });
    expect(isEpoch(shardOf([inventoryOf(s1, before, config)]).config?.epoch)).toBe(true);
  });

  it('S17 in a leaderEpoch not below that in which it was written, if that can be', () => {
    const writtenIn = (leaderEpoch: number) => {
      const known = { ...config, leaderEpoch: leaderEpoch as LeaderEpoch };
      return planRecovery([inventoryOf(s1, heldOf(), known), inventoryOf(s2)], CAREFUL);
    };
    expect(writtenIn(6).leaderEpoch).toBe(6);
    const damaged = writtenIn(EPOCH_MAX);
    expect(damaged.leaderEpoch, 'none would be left above it').toBe(3);
    expect(damaged.shards[0]).toMatchObject({ source: 'configuration', config: { epoch: FIRST } });
  });

  it('S6 a learner stays one, though it has as much: its primary may go on without it', () => {
    const learning = { isr: ['s1', 's2'] as never, learners: ['s3'] as never };
    const known = sharedBy(0, all, learning);
    const inventories = [s1, s2, s3].map((node) => inventoryOf(node, heldOf(), known));
    expect(shardOf(inventories)).toMatchObject({
      ...{ source: 'configuration', mayLose: false, doubt: '' },
      config: { primary: 's1', isr: ['s1', 's2'], learners: ['s3'] },
    });
  });

  it('S6 without its primary, whoever of the isr has the longest log takes over', () => {
    const planned = shardOf([
      inventoryOf(s2, heldOf({ lastSeq: 8 }), config),
      inventoryOf(s3, heldOf({ lastSeq: 9 })),
    ]);
    expect(planned).toMatchObject({
      ...{ source: 'configuration', mayLose: false },
      config: { primary: 's3', isr: ['s3'], learners: ['s1', 's2'] },
    });
    expect(planned.doubt).toMatch(/primary s1 does not lead it any more: s3 does/);
  });

  it.each([
    ['is not of the isr', { ...nodeOf('s1', 2), ancestry: [] }],
    ['takes over only with the longest log, if it cannot be told', nodeOf('s1', 2)],
  ])('S6 S19 a primary whose disk was set back %s', (_, back) => {
    const running = [s2, s3].map((node) => inventoryOf(node, heldOf(), config));
    const planned = shardOf([inventoryOf(back, heldOf({ lastSeq: 3 })), ...running]);
    expect(planned).toMatchObject({
      mayLose: false,
      config: { primary: 's2', isr: ['s2', 's3'], learners: ['s1'] },
    });
  });

  it('S6 S19 whose in-sync replicas have lost their data waits, unless that is accepted', () => {
    const alone = sharedBy(0, all, { isr: ['s1'], learners: ['s2', 's3'] } as never);
    const back = { ...nodeOf('s1', 2), ancestry: [uuidOf('older')] };
    const inventories = [
      inventoryOf(back, heldOf({ lastSeq: 3 }), alone),
      { ...inventoryOf(nodeOf('s2', 2), heldOf({ lastSeq: 7 })), lives: [s2.process] },
      inventoryOf(s3, heldOf({ lastSeq: 7 })),
    ];
    const known = new Map([[alone.shard, alone]]);
    const waits = planRecovery(inventories, CAREFUL);
    expect(waits.shards[0]).toMatchObject({ mayLose: false, config: { primary: 's1' } });
    expect(settledOf(waits, known).shards, 'ZooKeeper knows as much').toEqual([]);

    const accepted = planRecovery(inventories, wish(true));
    expect(settledOf(accepted, known).shards).toMatchObject([
      { mayLose: true, config: { primary: 's2', isr: ['s2', 's3'], learners: ['s1'] } },
    ]);
    expect(rebuiltFrom(accepted, 'n').shards[0]!.abandons).toBe(alone.nonce);
    // In the lives that they are in, or had when they joined last: they have what they hold now.
    const lives = [back.process, s2.process, s3.process];
    expect(accepted.shards[0]!.config!.replicas.map(({ process }) => process)).toEqual(lives);
    const since = { ...alone, nonce: 'since' };
    expect(settledOf(accepted, new Map([[alone.shard, since]])).shards, 'it moved on').toEqual([]);
  });

  it.each([
    ['as it was', s1, true],
    ['in a later life', nodeOf('s1', 2), true],
    ['without its data', { ...nodeOf('s1', 2), ancestry: [] }, false],
  ])('S14 none is abandoned that is registered %s', (_, registered, keeps) => {
    const alone = sharedBy(0, all, { isr: ['s1'], learners: ['s2', 's3'] } as never);
    const plan = planRecovery([inventoryOf(s2, heldOf(), alone), inventoryOf(s3)], wish(true));
    const nodes = new Map([registered, s2, s3].map((node) => [node.id, node]));
    const [planned] = settledOf(plan, new Map([[alone.shard, alone]]), nodes).shards;
    expect(planned!.config === undefined).toBe(keeps);
    if (keeps) expect(planned!.doubt).toMatch(/^s1 is in sync and registered, and may serve it/);
  });

  it('S14 nor one that is damaged, and still runs', () => {
    const alone = sharedBy(0, all, { isr: ['s1'], learners: ['s2', 's3'] } as never);
    const damaged = inventoryOf(s1, heldOf({ problem: 'rot' }), alone);
    const planned = shardOf([damaged, inventoryOf(s2), inventoryOf(s3)], wish(true));
    expect(planned).toMatchObject({ mayLose: false, waits: true, config: { isr: ['s1'] } });
    expect(planned.doubt).toMatch(/s1 runs, and may serve what it can: end its node first/);
    const ended = inventoryOf(nodeOf('s1', 2), heldOf({ problem: 'rot' }), alone);
    const without = shardOf([ended, inventoryOf(s2), inventoryOf(s3)], wish(true));
    expect(without).toMatchObject({ mayLose: true, config: { primary: 's2' } });
  });

  it('S6 a disk that was set back is no witness that nothing is missing', () => {
    // s1 and s2 may have gone on without s3, in the same epoch.
    const back = { ...nodeOf('s1', 2), ancestry: [] };
    const planned = shardOf([
      inventoryOf(back, heldOf({ lastSeq: 3 })),
      inventoryOf(s3, heldOf(), config),
    ]);
    expect(planned).toMatchObject({ mayLose: true, config: { primary: 's3', isr: ['s3'] } });
    expect(planned.doubt).toMatch(/2 of its 3 replicas do not answer/);
  });

  it('S6 a learner with more than those in sync may have been taken in since', () => {
    const learning = sharedBy(0, all, { isr: ['s1', 's2'], learners: ['s3'] } as never);
    const longer = inventoryOf(s3, heldOf({ lastSeq: 12 }));
    const planned = shardOf([inventoryOf(s2, heldOf(), learning), longer]);
    expect(planned).toMatchObject({ mayLose: true, config: { primary: 's2' } });
    expect(planned.doubt).toMatch(/s3 has more than s2/);
  });

  it('S1 S6 is outdated once a replica has promised more: those who knew were restarted', () => {
    // s1 was cut off; s2 and s3 went on in epoch 7, and forgot the map when they were restarted.
    const ahead = { epoch: 7 as Epoch, lastEpoch: 7 as Epoch };
    const planned = shardOf([
      inventoryOf(s1, heldOf({ lastSeq: 12 }), config),
      inventoryOf(s2, heldOf({ ...ahead, lastSeq: 10 })),
      inventoryOf(s3, heldOf({ ...ahead, lastSeq: 11 })),
    ]);
    expect(planned).toMatchObject({
      ...{ source: 'replicas', mayLose: false },
      config: { epoch: FIRST, primary: 's3', isr: ['s3'], learners: ['s1', 's2'] },
    });
  });

  it('S1 S6 is passed if whoever promised more is not even named in it: the shard has moved', () => {
    // ZooKeeper was set back to it, and all nodes were started again and told of it.
    const moved = ['s4', 's5', 's6'].map((id) => nodeOf(id));
    const inventories = [
      ...all.map((node) => inventoryOf(node, heldOf(), config)),
      ...moved.map((node) => inventoryOf(node, heldOf({ epoch: 9, lastEpoch: 9 }), config)),
    ];
    expect(shardOf(inventories)).toMatchObject({
      ...{ source: 'replicas', used: 9, mayLose: false, doubt: '' },
      config: { primary: 's4', isr: ['s4', 's5', 's6'], learners: ['s1', 's2', 's3'] },
    });
  });

  it('S6 S19 and who is not named any more stands for none of those that do not answer', () => {
    // s3 left the isr in epoch 6, in which s1 and s2 went on; s4 knows epoch 4 only.
    const s4 = inventoryOf(nodeOf('s4'), heldOf({ lastSeq: 3 }), config);
    const left = heldOf({ epoch: 6, lastEpoch: 6, lastSeq: 20 });
    const planned = shardOf([s4, inventoryOf(s3, left)]);
    expect(planned).toMatchObject({ mayLose: true, config: { primary: 's3', isr: ['s3'] } });
    expect(planned.doubt).toBe(
      '2 of its 3 replicas do not answer with a sound log up to epoch 6, enough to have gone on ' +
        'without the others: acknowledged writes may be missing',
    );
    const noMap = [inventoryOf(nodeOf('s4'), heldOf({ epoch: 6 })), inventoryOf(s3, left)];
    expect(shardOf(noMap, wish())).toMatchObject({ mayLose: true, config: { primary: 's3' } });
  });

  it('S6 S19 and if only a damaged one knows it, those that are sound may miss writes', () => {
    const damaged = heldOf({ epoch: 9, lastEpoch: 9, problem: 'checksum' });
    const others = [s2, s3].map((node) => inventoryOf(node, heldOf(), config));
    expect(shardOf([inventoryOf(s1, damaged, config), ...others])).toMatchObject({
      ...{ source: 'replicas', mayLose: true, config: { primary: 's2', isr: ['s2', 's3'] } },
    });
  });

  it('S19 of a shard that is being created is passed once a log has an entry', () => {
    const creating = { ...config, state: 'creating' } as const;
    const empty = heldOf({ lastSeq: 0, lastEpoch: 0, commitSeq: 0 });
    const nobodyWrote = all.map((node) => inventoryOf(node, empty, creating));
    expect(shardOf(nobodyWrote)).toMatchObject({
      ...{ source: 'configuration', mayLose: false, doubt: '' },
      config: { state: 'creating', primary: 's1', isr: ['s1', 's2', 's3'] },
    });
    const [first, second] = nobodyWrote;
    const written = inventoryOf(s3, heldOf({ lastSeq: 1 }), creating);
    expect(shardOf([first!, second!, written])).toMatchObject({
      ...{ source: 'replicas', mayLose: true },
      config: { state: 'active', primary: 's3', isr: ['s3'], learners: ['s1', 's2'] },
    });
  });

  it('S19 with so few that the others may have gone on, writes may be missing, it says', () => {
    const planned = shardOf([inventoryOf(s2, heldOf(), config)]);
    expect(planned).toMatchObject({ mayLose: true, config: { primary: 's2' } });
    expect(planned.doubt).toMatch(/2 of its 3 replicas do not answer/);
    // Even its own primary: it may have been cut off before the others were.
    expect(shardOf([inventoryOf(s1, heldOf(), config)])).toMatchObject({ mayLose: true });
  });

  it('the newest of several counts', () => {
    const newer = sharedBy(0, all, { epoch: 7 as Epoch, primary: s3.id });
    const planned = shardOf([inventoryOf(s1, heldOf(), config), inventoryOf(s3, heldOf(), newer)]);
    expect(planned.config).toMatchObject({ epoch: FIRST, primary: 's3' });
  });

  it('S6 S19 waits for its in-sync replicas, unless the loss is accepted', () => {
    const alone = sharedBy(0, all, { isr: ['s1'] as never, learners: ['s2', 's3'] as never });
    const inventories = [
      inventoryOf(s2, heldOf({ lastSeq: 5 }), alone),
      inventoryOf(s3, heldOf({ lastSeq: 7 })),
    ];
    const waits = shardOf(inventories);
    expect(waits).toMatchObject({ mayLose: false, config: { primary: 's1', isr: ['s1'] } });
    expect(waits.doubt).toMatch(/none of its in-sync replicas \(s1\) answers/);
    const lossy = shardOf(inventories, { acceptsLoss: true });
    expect(lossy).toMatchObject({
      mayLose: true,
      config: { epoch: FIRST, primary: 's3', isr: ['s3'], learners: ['s1', 's2'] },
    });
  });

  it('S6 a damaged replica, or another disk under the same name, is no copy', () => {
    const damaged = heldOf({ problem: 'checksum' });
    const other = inventoryOf(nodeOf('s2', 1, 'fresh'), heldOf());
    const planned = shardOf([inventoryOf(s1, damaged, config), other, inventoryOf(s3)]);
    expect(planned).toMatchObject({ mayLose: true, config: { primary: 's3', isr: ['s3'] } });
  });
});

describe('replicas alone', () => {
  it('S6 the longest logs of the latest epoch are in sync, if all replicas answer', () => {
    const inventories = [
      inventoryOf(s1, heldOf({ lastEpoch: 3, lastSeq: 20 })),
      inventoryOf(s2),
      inventoryOf(s3),
    ];
    expect(shardOf(inventories, wish())).toMatchObject({
      ...{ source: 'replicas', mayLose: false, doubt: '' },
      config: { epoch: FIRST, primary: 's2', isr: ['s2', 's3'], learners: ['s1'], state: 'active' },
    });
  });

  it('S6 S19 minIsr of them missing may have gone on alone, fewer cannot', () => {
    const two = shardOf([inventoryOf(s1), inventoryOf(s2)], wish());
    expect(two).toMatchObject({ mayLose: false, doubt: '', config: { isr: ['s1', 's2'] } });
    const planned = shardOf([inventoryOf(s1)], wish());
    expect(planned).toMatchObject({ mayLose: true, config: { isr: ['s1'] } });
    expect(planned.doubt).toMatch(/2 of its 3 replicas do not answer/);
  });

  it('S19 who led in an epoch that somebody promised may have written, and not answer', () => {
    const learner = inventoryOf(s3, heldOf({ epoch: 9 }));
    const planned = shardOf([inventoryOf(s1), inventoryOf(s2), learner], wish());
    expect(planned).toMatchObject({
      ...{ source: 'replicas', used: 9, mayLose: true },
      config: { epoch: FIRST, isr: ['s1', 's2', 's3'] },
    });
    expect(planned.doubt).toMatch(/^epoch 9 was promised, but the last entry is of epoch 4: /);
    expect(shardOf([learner], wish()).doubt).toMatch(/^epoch 9 .*; 2 of its 3 replicas do not/);
  });

  it('S19 a shard that nobody holds stays missing', () => {
    const planned = shardOf([inventoryOf(s1, 'none'), inventoryOf(s2, 'none')], wish());
    expect(planned).toMatchObject({ source: 'nothing', config: undefined, mayLose: true });
  });

  it('a shard that was made anew is the one that was written to last', () => {
    const older = heldOf({ shardUuid: uuidOf('older'), lastEpoch: 2, lastSeq: 99, epoch: 9 });
    const planned = shardOf([inventoryOf(s1, older), inventoryOf(s2), inventoryOf(s3)], wish());
    expect(planned.config).toMatchObject({ shardUuid: uuidOf('shard-0'), epoch: FIRST });
  });
});

describe('no plan', () => {
  it('nodes of two clusters, or of none, or nobody who knows what the cluster was', () => {
    const stranger = { ...inventoryOf(s2), clusterUuid: uuidOf('other') };
    const fresh = { ...inventoryOf(s1), clusterUuid: null };
    expect(() => planRecovery([inventoryOf(s1), stranger], wish())).toThrow(/different clusters/);
    expect(() => planRecovery([fresh], wish())).toThrow(NoPlanError);
    expect(() => planRecovery([inventoryOf(s1)], CAREFUL)).toThrow(/--shards/);
  });
});

describe('a cluster that ZooKeeper knows as it was', () => {
  const two = clusterOf({ shards: 2, replicas: 3, minIsr: 2 });
  const config = sharedBy(0, all, { epoch: 7 as Epoch });
  const other = { ...sharedBy(1, all), epoch: 4 as Epoch };
  const inventory = {
    ...inventoryOf(s1, heldOf({ epoch: 7 }), config),
    cluster: two,
    configs: [config, other].map((one) => ({ config: one, version: 5 })),
  };
  const plan = planRecovery([inventory], { acceptsLoss: true });
  const [first, second] = plan.shards.map(({ shard }) => shard);
  const knownAs = (change: Partial<ShardConfig>, of = config) => ({ ...of, ...change });
  const needed = (...configs: readonly (ShardConfig | undefined)[]) => {
    return settledOf(plan, new Map(configs.map((one, id) => [plan.shards[id]!.shard, one]))).shards;
  };
  const shardsOf = (...configs: readonly (ShardConfig | undefined)[]) => {
    return needed(...configs).map(({ shard }) => shard);
  };
  const at = (epoch: number) => ({ epoch: epoch as Epoch });

  it('S1 S19 only what is older than what nodes know is settled, or cannot be read', () => {
    expect(shardsOf(config, other)).toEqual([]);
    expect(shardsOf(knownAs(at(9)), other), 'the nodes know less').toEqual([]);
    expect(shardsOf(knownAs(at(6)), other)).toEqual([first]);
    expect(shardsOf(knownAs(at(6)), undefined)).toEqual([first, second]);
    expect(shardsOf(config)).toEqual([second]);
  });

  it('S19 is the one before if it has yet to create another one of its number', () => {
    const anew = sharedBy(0, [nodeOf('s4'), nodeOf('s5'), nodeOf('s6')], {
      ...{ state: 'creating', shardUuid: uuidOf('anew'), epoch: 8 as Epoch },
    });
    // Those that were started again know only what they have been told since.
    const restarted = all.map((node) => inventoryOf(node, heldOf(), anew));
    const empty = heldOf({ epoch: 7, lastSeq: 0, lastEpoch: 0 });
    const running = [inventoryOf(s1, empty, config), inventoryOf(s2, empty, anew)];
    for (const nodes of [restarted, running]) {
      const settled = settledOf(planRecovery(nodes, CAREFUL), new Map([[first!, anew]]));
      const { shardUuid } = config;
      expect(settled.shards).toMatchObject([{ config: { shardUuid, state: 'active' } }]);
      expect(settled.shards[0]!.config!.epoch).toBeGreaterThan(8);
    }
  });

  it('S19 is outdated if it has yet to create what has been active', () => {
    const creating = { ...config, state: 'creating' } as const;
    expect(shardsOf(creating, other)).toEqual([first]);
    expect(shardsOf({ ...creating, ...at(8) }, other), 'or was placed anew').toEqual([first]);
    const empty = heldOf({ epoch: 7, lastSeq: 0, lastEpoch: 0 });
    const active = planRecovery([inventoryOf(s1, empty, config)], { acceptsLoss: true });
    expect(settledOf(active, new Map([[first!, creating]])).shards, 'a node knows').toHaveLength(1);
    const asNew = planRecovery([inventoryOf(s1, empty, creating)], { acceptsLoss: true });
    expect(settledOf(asNew, new Map([[first!, creating]])).shards).toEqual([]);
    const restarted = planRecovery([inventoryOf(s1, empty)], wish(true));
    expect(settledOf(restarted, new Map([[first!, creating]])).shards, 'nor do they').toEqual([]);
    const rotten = planRecovery(
      [inventoryOf(s1, heldOf({ epoch: 7, problem: 'rot' }))],
      wish(true),
    );
    expect(settledOf(rotten, new Map([[first!, creating]])).shards).toMatchObject([
      { config: undefined, mayLose: true },
    ]);
  });

  it('S19 what there is no plan for is not said to be well', () => {
    const rotten = inventoryOf(s1, heldOf({ epoch: 7, problem: 'rot' }));
    const broken = planRecovery([rotten], wish(true));
    const older = new Map([[broken.shards[0]!.shard, sharedBy(0, all)]]);
    expect(settledOf(broken, older).shards).toMatchObject([{ config: undefined, mayLose: true }]);
  });

  it('S19 a shard that was made since under this number is not overwritten, but said', () => {
    const anew = knownAs({ ...at(1), shardUuid: uuidOf('anew') });
    const [planned] = needed(anew, other);
    expect(planned).toMatchObject({ shard: first, config: undefined, mayLose: false });
    expect(planned!.doubt).toMatch(/another shard of this number.*stays on their disks/);
    const [creating] = needed({ ...anew, state: 'creating' }, other);
    expect(creating).toMatchObject({ config: { shardUuid: config.shardUuid } });
  });
});

describe('a primary that serves on', () => {
  const config = sharedBy(0, all);
  const endingAt = (lastSeq: number) => heldOf({ lastSeq });
  const isrOf = (...inventories: readonly Inventory[]) => shardOf(inventories).config?.isr;

  it('S6 keeps its isr, wherever their logs ended when each was asked', () => {
    const lead = inventoryOf(s1, endingAt(9), config);
    const others = [inventoryOf(s2, endingAt(11)), inventoryOf(s3, endingAt(12))];
    expect(isrOf(lead, ...others)).toEqual(['s1', 's2', 's3']);
    const [away] = others;
    expect(shardOf([lead, away!]).config).toMatchObject({ isr: ['s1', 's2'], learners: ['s3'] });
  });

  it.each([
    ['another process', inventoryOf(nodeOf('s1', 2, 's1'), endingAt(9), config)],
    ['one that knows less', inventoryOf(s1, endingAt(9))],
    ['one that knows another', inventoryOf(s1, endingAt(9), { ...config, nonce: 'other' })],
  ])('S6 %s does not: who is in sync is what their logs say', (_, lead) => {
    const others = [inventoryOf(s2, endingAt(9), config), inventoryOf(s3, endingAt(8))];
    expect(isrOf(...others, lead)).not.toContain('s3');
  });
});

it('S1 each recovery begins another million of epochs', () => {
  const epochAfter = (epoch: number) => shardOf([inventoryOf(s1, heldOf({ epoch }))], wish(true));
  expect(epochAfter(999_999)).toMatchObject({ used: 999_999, config: { epoch: 1_000_001 } });
  expect(epochAfter(1_000_000)).toMatchObject({ config: { epoch: 2_000_001 } });
  expect(epochAfter(1_000_002)).toMatchObject({ config: { epoch: 2_000_001 } });
});
