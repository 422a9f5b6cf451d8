/** The controller against a cluster in the small, whatever happens and in whatever order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Incarnation, MemberId, ShardId } from '../../src/model/ids.js';
import { ControlWorld, type WriteFate } from '../support/control-world.js';

const SHARDS = 2;
/** Far more than a cluster of this size needs to settle. */
const ROUNDS_MAX = 60;

const NODE_EVENTS = [
  ...(['start', 'start', 'stop', 'registerAgain', 'wipe', 'saveImage', 'setBack'] as const),
  ...(['suspected', 'heard', 'leave', 'gone', 'gone', 'tell', 'tell', 'tell'] as const),
];
const REPLICA_EVENTS = [
  ...([
    'write',
    'write',
    'write',
    'expand',
    'expand',
    'expand',
    'shrink',
    'shrink',
    'step-down',
  ] as const),
];
const LEADER_EVENTS = [
  ...(['decide', 'decide', 'decide', 'end-write', 'end-write', 'end-write'] as const),
  ...(['see-nodes', 'see-nodes', 'settled', 'deliver', 'deliver', 'forge'] as const),
  // Stretches in which all goes well, so that what follows hits a cluster at work.
  ...(['proceed', 'proceed', 'proceed', 'proceed', 'proceed', 'proceed', 'proceed'] as const),
  ...(['heal', 'hand-over', 'new-leader'] as const),
];

/** Numbers mean whatever the event makes of them, so that shrinking keeps its sense. */
const at = fc.nat(15);
const ofNode = fc.record({ what: fc.constantFrom(...NODE_EVENTS), node: at });
const ofReplica = fc.record({
  what: fc.constantFrom(...REPLICA_EVENTS),
  ...{ node: at, shard: at, other: at },
});
const ofLeader = fc.record({
  what: fc.constantFrom(...LEADER_EVENTS),
  at,
  fate: fc.constantFrom<WriteFate>('ok', 'ok', 'not-written', 'answer-lost', 'conflict'),
});
type Of<T> = T extends fc.Arbitrary<infer U> ? U : never;
type NodeEvent = Of<typeof ofNode>;
type ReplicaEvent = Of<typeof ofReplica>;
type LeaderEvent = Of<typeof ofLeader>;

function happen(world: ControlWorld, now: NodeEvent | ReplicaEvent | LeaderEvent): void {
  if ('fate' in now) lead(world, now);
  else if ('shard' in now) act(world, now);
  else live(world, now);
}

function live(world: ControlWorld, { what, node: which }: NodeEvent): void {
  const node = world.node(which);
  switch (what) {
    case 'suspected':
    case 'heard':
      return world.suspect(node, what);
    case 'gone':
      // All others have long been seen by then.
      world.stop(node);
      world.seeNodes();
      world.seeSettled();
      return world.giveUp(node);
    case 'setBack':
    case 'wipe':
      world.stop(node);
      world[what](node);
      return world.start(node);
    case 'start':
    case 'stop':
    case 'registerAgain':
    case 'saveImage':
    case 'leave':
    case 'tell':
      return world[what](node);
  }
}

function act(world: ControlWorld, now: ReplicaEvent): void {
  const shard = (now.shard % SHARDS) as ShardId;
  // Mostly the primary as it is; else whoever, who may believe to be it.
  const primary = now.node < 12 ? world.primaryOf(shard) : undefined;
  const [node, member] = [primary ?? world.node(now.node), world.node(now.other).id];
  const isReached = (id: MemberId) => (now.other & (1 << (Number(id.slice(1)) % 4))) !== 0;
  switch (now.what) {
    case 'write':
      return world.write(shard, node, isReached);
    case 'expand':
      return void world.expand(shard, node, now.other);
    case 'shrink':
      return world.shrink(shard, node, member);
    case 'step-down':
      return world.stepDown(shard, node, now.other % 2 === 0 ? member : undefined);
  }
}

function lead(world: ControlWorld, { what, at, fate }: LeaderEvent): void {
  // Mostly the newest; else one that may be outdated.
  const request = world.requests.at(at < 8 ? -1 : at % Math.max(1, world.requests.length));
  switch (what) {
    case 'decide':
      return void world.decide();
    case 'end-write':
      return world.endWrite(at, fate);
    case 'see-nodes':
      return world.seeNodes();
    case 'settled':
      return world.seeSettled();
    case 'deliver':
      return world.deliver(request);
    case 'hand-over':
      return world.answerHandOver(at, fate === 'ok');
    case 'new-leader':
      return world.changeLeader();
    case 'proceed':
      if (fate === 'ok') world.deliver(request);
      return void world.proceed();
    case 'heal':
      return void world.heal(ROUNDS_MAX);
    case 'forge': {
      if (request?.change.type !== 'expand') return;
      const incarnation = (request.change.incarnation - 1) as Incarnation;
      return world.deliver({ ...request, change: { ...request.change, incarnation } });
    }
  }
}

const events = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: ofNode },
    { weight: 4, arbitrary: ofReplica },
    { weight: 5, arbitrary: ofLeader },
  ),
  { maxLength: 150, size: 'max' },
);

/** Settled: nothing is proposed, and every shard is as it should be. */
function expectWell(world: ControlWorld, balancedTo: number): void {
  const { replicas } = world.cluster;
  const primaries = new Map(world.nodes.map(({ id }) => [id, 0]));
  let isWhole = true;
  for (const { config } of world.znodes.values()) {
    primaries.set(config.primary, primaries.get(config.primary)! + 1);
    if (world.isStranded(config)) isWhole = false;
    else {
      expect(config).toMatchObject({ state: 'active', learners: [] });
      const most = world.hasGrown(config.shard) ? world.nodes.length : replicas;
      expect(config.isr.length).toBeGreaterThanOrEqual(replicas);
      expect(config.isr.length).toBeLessThanOrEqual(most);
    }
  }
  expect(world.znodes.size).toBe(world.cluster.shards);
  const counts = [...primaries.values()];
  if (isWhole) expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(balancedTo);
}

describe.each([
  { nodes: 3, replicas: 3, minIsr: 2, initialStorage: 3 },
  { nodes: 4, replicas: 3, minIsr: 1, initialStorage: 1 },
  { nodes: 5, replicas: 2, minIsr: 2, initialStorage: 2 },
  { nodes: 2, replicas: 2, minIsr: 1, initialStorage: 2 },
  { nodes: 3, replicas: 1, minIsr: 1, initialStorage: 3 },
])('$nodes nodes, $replicas replicas, minIsr $minIsr', ({ nodes, ...cluster }) => {
  const { replicas } = cluster;
  const make = () => new ControlWorld(nodes, { shards: SHARDS, ...cluster });

  it('S1 S6 S7 S15 S16 S19 hold whatever happens, and what heals settles as it should be', () => {
    fc.assert(
      fc.property(fc.nat(3), events, (atWork, history) => {
        const world = make();
        if (atWork > 0) expect(world.heal(ROUNDS_MAX)).toBe(true);
        for (const now of history) happen(world, now);
        expect(world.heal(ROUNDS_MAX), 'settles').toBe(true);
        expect(world.decide(), 'and rests').toBe(false);
        expectWell(world, replicas === 1 ? SHARDS : 1);
        // A successor that reads the same map changes nothing that is right.
        world.changeLeader();
        world.seeNodes();
        world.seeSettled();
        expect(world.decide(), 'under a successor too').toBe(false);
      }),
      { numRuns: 120 },
    );
  });
});
