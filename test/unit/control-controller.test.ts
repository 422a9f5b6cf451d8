import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Controller } from '../../src/control/controller.js';
import { type Epoch, EPOCH_MAX, type ShardId } from '../../src/model/ids.js';
import type { Registration } from '../../src/model/registrations.js';
import type { StoredShard } from '../../src/model/shard-config.js';
import { clusterOf, configOf, nodeOf, reportOf, uuidOf } from '../support/configs.js';
import { ControlHarness, LEADER_EPOCH } from '../support/control-harness.js';

const [s1, s2, s3] = [nodeOf('s1'), nodeOf('s2'), nodeOf('s3')];

/** The only registered node, and it has said what it holds. */
function register(controller: Controller, node: Registration): void {
  controller.step({ type: 'nodes', nodes: [node] });
  controller.step({ type: 'spoken', node: node.id });
  controller.step({ type: 'accounted', process: node.process });
}

describe('first placement', () => {
  it('waits for the nodes the cluster was told to expect, and until they have settled', () => {
    const harness = new ControlHarness(clusterOf({ initialStorage: 3 }));
    expect(harness.nodes(s1, s2).settle().run()).toEqual([]);
    expect(harness.nodes(s1, s2, s3).run()).toHaveLength(6);
    expect(new ControlHarness().nodes(s1).run()).toEqual([]);
  });

  it('balances the shards to within one per node', () => {
    const harness = new ControlHarness(clusterOf({ shards: 64 })).nodes(s1, s2, s3).settle();
    harness.run();
    expect([...harness.primaries().values()].sort()).toEqual([21, 21, 22]);
  });

  it('goes on where a leader that died left off, and keeps the balance', () => {
    const made = [configOf(0, s1), configOf(1, s1)];
    const harness = new ControlHarness(clusterOf(), made).nodes(s1, s2, s3).settle();
    harness.run();
    expect([...harness.primaries().values()]).toEqual([2, 2, 2]);
    expect(harness.config(0)).toEqual(made[0]);
  });

  it('a shard becomes active only after its primary reported the replica as durable', () => {
    const harness = new ControlHarness().nodes(s1).settle();
    harness.run();
    expect(harness.config(0).state).toBe('creating');
    expect(harness.run()).toEqual([]);
    harness.reportAll().run();
    expect(harness.config(0)).toMatchObject({ state: 'active', epoch: 1, leaderEpoch: 7 });
    expect(harness.run()).toEqual([]);
  });

  it('S19 no shard becomes active before the placement is recorded as complete', () => {
    const controller = new Controller(clusterOf({ shards: 2 }), LEADER_EPOCH);
    const [first, second] = [configOf(0, s1, { state: 'creating' }), 1 as ShardId];
    const read = (stored: StoredShard) => controller.step({ type: 'shard-read', stored });
    controller.step({ type: 'placement-read', placement: 'open' });
    register(controller, s1);
    controller.step({ type: 'reported', replicas: [reportOf(first)] });
    read({ type: 'config', config: first, version: 0 });
    expect(controller.takeReady()).toMatchObject({ writes: [], completesPlacement: false });
    // What does not parse is there too.
    read({ type: 'garbled', shard: second });
    expect(controller.takeReady()).toMatchObject({ writes: [], completesPlacement: true });
    expect(controller.takeReady().completesPlacement).toBe(true);
    controller.step({ type: 'placement-read', placement: 'complete' });
    const { writes, completesPlacement } = controller.takeReady();
    expect([writes.map(({ why }) => why), completesPlacement]).toEqual([['activate'], false]);
  });

  it('nothing is created before it is known whether the placement is complete', () => {
    const controller = new Controller(clusterOf({ shards: 1 }), LEADER_EPOCH);
    controller.step({ type: 'shard-read', stored: { type: 'absent', shard: 0 as ShardId } });
    register(controller, s1);
    controller.step({ type: 'nodes-settled' });
    expect(controller.takeReady().writes).toEqual([]);
    controller.step({ type: 'placement-read', placement: 'open' });
    expect(controller.takeReady().writes).toHaveLength(1);
  });

  it('a report of another shard of the same number does not count', () => {
    const harness = new ControlHarness().nodes(s1).settle();
    harness.run();
    const foreign = { ...reportOf(harness.config(0)), shardUuid: uuidOf('other') };
    harness.controller.step({ type: 'reported', replicas: [foreign] });
    expect(harness.run()).toEqual([]);
  });

  it('a shard being created moves to another node when its node is gone, in a new epoch', () => {
    const harness = new ControlHarness().nodes(s1).settle();
    harness.run();
    harness.nodes(s2, s3).run();
    expect([...harness.primaries()]).toEqual([
      ['s2', 3],
      ['s3', 3],
    ]);
    expect(harness.config(0)).toMatchObject({ state: 'creating', epoch: 2 });
  });
});

describe('shards that hold data', () => {
  const stored = [0, 1, 2, 3, 4, 5].map((id) => configOf(id, s1));

  it('a successor that reads a right map changes nothing', () => {
    const harness = new ControlHarness(clusterOf(), stored).nodes(s1, s2).settle().reportAll();
    expect(harness.run()).toEqual([]);
  });

  it('S1 a primary that restarted gets a new epoch, and its new life is recorded', () => {
    const reborn = nodeOf('s1', 2);
    const harness = new ControlHarness(clusterOf(), stored).nodes(reborn).settle();
    expect(harness.run().map(({ why }) => why)).toEqual(stored.map(() => 'new-life'));
    expect(harness.config(0)).toMatchObject({
      epoch: 2,
      state: 'active',
      shardUuid: stored[0]!.shardUuid,
      replicas: [{ node: 's1', store: s1.store, incarnation: 2 }],
    });
    expect(harness.run()).toEqual([]);
  });

  it('S19 a primary that is away keeps its shards: nobody else has the data', () => {
    const harness = new ControlHarness(clusterOf(), stored).nodes(s2, s3).settle();
    expect(harness.run()).toEqual([]);
  });

  it('S19 a primary that came back with another data directory is not started empty', () => {
    const wiped = nodeOf('s1', 2, 'fresh-disk');
    const harness = new ControlHarness(clusterOf(), stored).nodes(wiped).settle();
    const ready = harness.controller.takeReady();
    expect(ready.writes).toEqual([]);
    expect(ready.events).toContainEqual({ type: 'replica-lost', shard: 0, node: 's1' });
    expect(harness.controller.takeReady().events).toEqual([]);
  });

  it('S19 a shard whose znode is missing is not made anew, and is named once', () => {
    const controller = new Controller(clusterOf(), LEADER_EPOCH);
    controller.step({ type: 'placement-read', placement: 'complete' });
    for (const config of stored.slice(1)) {
      controller.step({ type: 'shard-read', stored: { type: 'config', config, version: 1 } });
    }
    controller.step({ type: 'shard-read', stored: { type: 'absent', shard: 0 as ShardId } });
    register(controller, s1);
    controller.step({ type: 'nodes-settled' });
    const ready = controller.takeReady();
    expect(ready).toMatchObject({ writes: [], completesPlacement: false });
    expect(ready.events).toEqual([{ type: 'shard-missing', shard: 0 }]);
    expect(controller.takeReady().events).toEqual([]);
  });

  it('S1 a primary whose epoch was used by an earlier life gets one above it (B9)', () => {
    const harness = new ControlHarness(clusterOf(), stored).nodes(s1).settle().reportAll();
    const used = { ...reportOf(stored[3]!), openedEpoch: 1 as Epoch };
    harness.controller.step({ type: 'reported', replicas: [used] });
    expect(harness.run().map(({ draft }) => [draft.shard, draft.epoch])).toEqual([[3, 2]]);
    expect(harness.run()).toEqual([]);
  });

  it('L1 no epoch is written that nobody could read: it is said once, and the shard waits', () => {
    const last = stored.map((config) => ({ ...config, epoch: EPOCH_MAX as Epoch }));
    const harness = new ControlHarness(clusterOf(), last).nodes(nodeOf('s1', 2)).settle();
    const { writes, events } = harness.controller.takeReady();
    expect(writes).toEqual([]);
    expect(events).toEqual(last.map(({ shard }) => ({ type: 'no-epoch-left', shard })));
    expect(harness.controller.takeReady()).toMatchObject({ writes: [], events: [] });
  });

  it('S19 a znode that does not parse is named and never written', () => {
    const controller = new Controller(clusterOf({ shards: 1 }), LEADER_EPOCH);
    const shard = 0 as ShardId;
    controller.step({ type: 'shard-read', stored: { type: 'garbled', shard } });
    register(controller, s1);
    controller.step({ type: 'nodes-settled' });
    const ready = controller.takeReady();
    expect(ready.writes).toEqual([]);
    expect(ready.events).toEqual([{ type: 'shard-garbled', shard }]);
  });

  it('what is broken is named once, looked at until it is restored, and led on from there', () => {
    const controller = new Controller(clusterOf({ shards: 1 }), LEADER_EPOCH);
    const shard = 0 as ShardId;
    const config = configOf(0, s1);
    controller.step({ type: 'placement-read', placement: 'complete' });
    register(controller, nodeOf('s1', 2));
    const eventsOf = (stored: StoredShard) => {
      controller.step({ type: 'shard-read', stored });
      return controller.takeReady();
    };
    expect(controller.broken).toEqual([]);
    expect(eventsOf({ type: 'absent', shard }).events).toEqual([{ type: 'shard-missing', shard }]);
    expect(eventsOf({ type: 'absent', shard }).events).toEqual([]);
    expect(eventsOf({ type: 'garbled', shard }).events).toEqual([{ type: 'shard-garbled', shard }]);
    expect(eventsOf({ type: 'garbled', shard }).events).toEqual([]);
    expect(controller.broken).toEqual([shard]);
    const { events, writes } = eventsOf({ type: 'config', config, version: 0 });
    expect(events).toEqual([{ type: 'shard-restored', shard }]);
    expect(writes).toMatchObject([{ why: 'new-life', basedOn: 0, draft: { epoch: 2 } }]);
    expect(controller.broken).toEqual([]);
    controller.step({ type: 'not-written', shard });
    expect(eventsOf({ type: 'garbled', shard }).events).toEqual([{ type: 'shard-garbled', shard }]);
  });

  it('nothing is decided about a shard that was not read yet', () => {
    const controller = new Controller(clusterOf(), LEADER_EPOCH);
    register(controller, s1);
    controller.step({ type: 'nodes-settled' });
    expect(controller.takeReady().writes).toEqual([]);
  });

  it('S18 a shard has one write under way at a time', () => {
    const harness = new ControlHarness(clusterOf(), stored).nodes(nodeOf('s1', 2)).settle();
    expect(harness.controller.takeReady().writes).toHaveLength(6);
    expect(harness.controller.takeReady().writes).toEqual([]);
    harness.controller.step({ type: 'not-written', shard: 2 as ShardId });
    expect(harness.controller.takeReady().writes.map(({ draft }) => draft.shard)).toEqual([2]);
  });
});

it('S1 S19 over any comings and goings: epochs only grow, data stays on its store', () => {
  const life = fc.record({
    node: fc.constantFrom('s1', 's2', 's3'),
    event: fc.constantFrom('up', 'down', 'wiped', 'report'),
  });
  fc.assert(
    fc.property(fc.array(life, { maxLength: 40 }), (steps) => {
      const harness = new ControlHarness(clusterOf({ shards: 4 })).settle();
      const up = new Map<string, Registration>();
      let lives = 0;
      for (const { node, event } of steps) {
        if (event === 'up') up.set(node, nodeOf(node, ++lives));
        if (event === 'wiped') up.set(node, nodeOf(node, ++lives, `${node}-${lives}`));
        if (event === 'down') up.delete(node);
        if (event === 'report') harness.reportAll();
        const before = new Map(harness.znodes);
        harness.nodes(...up.values()).run();
        for (const [shard, { config }] of before) {
          const after = harness.config(shard);
          expect(after.epoch).toBeGreaterThanOrEqual(config.epoch);
          const sameOwner =
            after.primary === config.primary &&
            after.replicas[0]!.incarnation === config.replicas[0]!.incarnation &&
            after.replicas[0]!.store === config.replicas[0]!.store;
          if (after.epoch === config.epoch) expect(sameOwner).toBe(true);
          if (config.state === 'active') {
            expect(after.state).toBe('active');
            expect(after.replicas[0]!.store).toBe(config.replicas[0]!.store);
          }
        }
      }
    }),
  );
});
