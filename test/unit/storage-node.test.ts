/** A storage node over a fake disk: what it serves, refuses and survives. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/model/limits.js';
import { slotOf, shardOfSlot } from '../../src/model/slot.js';
import type { Epoch } from '../../src/model/ids.js';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { clusterOf, nodeOf, placeOf } from '../support/configs.js';
import {
  type CallAnswer,
  deleteRequest,
  getRequest,
  NodeUnderTest,
  putRequest,
  settle,
  SHARDS,
} from '../support/storage-harness.js';

const shardOf = (key: string) => shardOfSlot(slotOf(Buffer.from(key)), SHARDS);

describe('calls', () => {
  it('a put is read back with its version; an absent key is no error', async () => {
    const test = await NodeUnderTest.serving();
    expect(await test.get('k')).toEqual({ value: undefined, version: 0 });
    // Position 1 is the barrier of the epoch.
    expect(await test.put('k', 'v')).toEqual({ applied: true, version: 2 });
    expect(await test.get('k')).toEqual({ value: 'v', version: 2 });
    expect(await test.put('k', '')).toEqual({ applied: true, version: 3 });
    expect(await test.get('k')).toEqual({ value: '', version: 3 });
  });

  it('a failed condition says the current version, and is no error', async () => {
    const test = await NodeUnderTest.serving();
    await test.put('k', 'v');
    expect(await test.put('k', 'w', 0)).toEqual({ applied: false, version: 2 });
    expect(await test.put('k', 'w', 2)).toEqual({ applied: true, version: 3 });
    expect(await test.delete('k', 2)).toEqual({ applied: false, version: 3 });
    expect(await test.delete('k', 3)).toEqual({ applied: true, version: 3 });
    expect(await test.delete('k')).toEqual({ applied: true, version: 0 });
    expect(await test.delete('k', 3)).toEqual({ applied: false, version: 0 });
    expect(await test.put('k', 'again', 0)).toEqual({ applied: true, version: 5 });
  });

  it('keys and values beyond their limits are refused and nothing is applied', async () => {
    const test = await NodeUnderTest.serving();
    const { writes } = test.disk;
    for (const [kind, request] of [
      ['get', getRequest('')],
      ['put', putRequest('', 'v')],
      ['put', putRequest('k'.repeat(LIMITS.keyBytesMax + 1), 'v')],
      ['put', putRequest('k', Buffer.alloc(LIMITS.valueBytesMax + 1))],
      ['delete', deleteRequest('')],
      ['put', Buffer.from([0x0a, 0x7f])],
    ] as const) {
      expect(await test.call(kind, request)).toEqual({ code: 'INVALID_REQUEST' });
    }
    expect(test.disk.writes).toBe(writes);
    const longest = 'k'.repeat(LIMITS.keyBytesMax);
    expect(await test.put(longest, 'v'.repeat(LIMITS.valueBytesMax))).toMatchObject({
      applied: true,
    });
    expect((await test.get(longest)).value?.length).toBe(LIMITS.valueBytesMax);
  });

  it('S23 a node that is not the primary refuses with the hint that repairs the map', async () => {
    const test = await NodeUnderTest.start();
    const other = nodeOf('s2');
    const leader = test.lead(1);
    leader.say({ type: 'map', shards: [], nodes: [test.self, other] });
    await test.tell(leader, test.configs({}, other));
    leader.say({ type: 'map', shards: [], nodes: [test.self, other] });
    for (const [kind, request] of [
      ['get', getRequest('k')],
      ['put', putRequest('k', 'v')],
    ] as const) {
      const context = { budgetMs: 1_000, onCancel: () => undefined };
      await expect(test.node.kv.call(kind, request, context)).rejects.toMatchObject({
        code: 'NOT_PRIMARY',
        hint: {
          version: 0,
          address: other.address,
          config: { shard: shardOf('k'), primary: 's2' },
        },
      });
    }
  });

  it('a node that has heard nothing of a shard says that it is behind', async () => {
    const test = await NodeUnderTest.start();
    expect(await test.get('k')).toEqual({ code: 'NODE_BEHIND' });
    expect(await test.put('k', 'v')).toEqual({ code: 'NODE_BEHIND' });
  });

  it('a call whose time is over when its turn comes is not started', async () => {
    const test = await NodeUnderTest.serving();
    test.disk.hold();
    const first = test.put('k', '1');
    await settle();
    const second = test.call('put', putRequest('k', '2'), 50);
    test.clock.advance(60);
    test.disk.release();
    expect(await first).toMatchObject({ applied: true });
    expect(await second).toEqual({ code: 'DEADLINE_PASSED' });
    expect((await test.get('k')).value).toBe('1');
  });

  it('what a node holds is bounded: beyond it is refused before it waits', async () => {
    const test = await NodeUnderTest.serving();
    test.disk.hold();
    const value = 'v'.repeat(LIMITS.valueBytesMax);
    const fits = Math.floor(LIMITS.queuedBytesMax / LIMITS.valueBytesMax) - 1;
    const taken = Array.from({ length: fits }, () => test.put('k', value));
    const answers = await Promise.all([test.put('k', value), test.put('k', value)]);
    expect(answers).toContainEqual({ code: 'OVERLOADED' });
    test.disk.release();
    for (const answer of await Promise.all(taken)) expect(answer).toMatchObject({ applied: true });
    expect(test.node.metrics.queuedCalls).toBe(0);
    expect(test.node.metrics.queuedBytes).toBe(0);
  });

  it('a stopping node takes nothing new and answers what it has taken', async () => {
    const test = await NodeUnderTest.serving();
    test.disk.hold();
    const taken = test.put('k', 'v');
    await settle();
    test.node.close();
    expect(await test.put('k', 'w')).toEqual({ code: 'STOPPING' });
    const idle = test.node.idle();
    test.disk.release();
    await idle;
    expect(await taken).toMatchObject({ applied: true });
    await test.node.markClean();
    expect((await NodeUnderTest.start(test.disk.afterCrash(), 2)).store.lastStop).toBe('clean');
  });
});

describe('rounds', () => {
  it('writes that arrive during an fsync share the next one', async () => {
    const test = await NodeUnderTest.serving();
    const before = test.disk.writes;
    test.disk.hold();
    const first = test.put('first', 'v');
    await settle();
    const rest = Array.from({ length: 100 }, (_, n) => test.put(`key-${n}`, 'v'));
    await settle();
    test.disk.release();
    await Promise.all([first, ...rest]);
    expect(test.disk.writes - before).toBe(2);
  });

  it('S12 a read waits for no fsync and sees no write that is not durable', async () => {
    const test = await NodeUnderTest.serving();
    await test.put('k', 'old');
    test.disk.hold();
    const write = test.put('k', 'new');
    await settle();
    expect((await test.get('k')).value).toBe('old');
    test.disk.release();
    await write;
    expect((await test.get('k')).value).toBe('new');
  });

  it('S3 a read in a new epoch waits until the promise of that epoch is durable', async () => {
    const test = await NodeUnderTest.serving();
    await test.put('k', 'v');
    const again = await NodeUnderTest.start(test.disk.afterCrash(), 2);
    await settle();
    const leader = again.lead(2);
    await settle();
    again.disk.hold();
    await again.tell(leader, again.configs({ epoch: 2 as never }), 2);
    let answer: CallAnswer | undefined;
    void again.get('k').then((got) => {
      answer = got;
    });
    await settle();
    expect(answer).toBeUndefined();
    again.disk.release();
    await settle();
    expect(answer).toEqual({ value: 'v', version: 2 });
  });
});

describe('a node that leaves', () => {
  const [s2, s3] = [nodeOf('s2'), nodeOf('s3')];

  /** All shards are on three nodes; whether `leave` has resolved. */
  async function leaving(configs: (test: NodeUnderTest) => Partial<ShardConfig>) {
    const test = await NodeUnderTest.serving();
    await test.node.join(clusterOf({ shards: SHARDS, minIsr: 2 }));
    const leader = test.lead(2);
    let isOver = false;
    let moved = 0;
    const replicas = [test.self, s2, s3].map(placeOf);
    const told = async (change: Partial<ShardConfig>, version: number) => {
      await test.tell(leader, test.configs({ replicas, ...change }), version);
      return isOver;
    };
    await told(configs(test), 2);
    void test.node.leave(() => moved++).then(() => (isOver = true));
    await settle();
    expect(leader.heard.messages).toContainEqual({ type: 'leaving' });
    return { self: test.self, isOver: () => isOver, moved: () => moved, told };
  }

  it('waits until others lead its shards, and go on without its replicas', async () => {
    const inSync = ({ self }: NodeUnderTest) => [self.id, s2.id, s3.id];
    const node = await leaving((test) => ({ isr: inSync(test) }));
    expect(node.isOver()).toBe(false);
    const isr = [node.self.id, s2.id, s3.id];
    expect(await node.told({ epoch: 2 as Epoch, primary: s2.id, isr }, 3)).toBe(false);
    expect(node.moved()).toBe(SHARDS);
    const without = { isr: [s2.id, s3.id], learners: [node.self.id] };
    expect(await node.told({ epoch: 2 as Epoch, primary: s2.id, ...without }, 4)).toBe(true);
  });

  it('not for those that need it to be minIsr members', async () => {
    const node = await leaving(({ self }) => {
      return { epoch: 2 as Epoch, primary: s2.id, isr: [self.id, s2.id], learners: [s3.id] };
    });
    expect(node.isOver()).toBe(true);
  });
});

describe('a disk that fails', () => {
  it('S20 S21 ends the node: the round under way is unknown, the rest definitely refused', async () => {
    const test = await NodeUnderTest.serving();
    await test.put('k', 'v');
    test.disk.hold();
    const underWay = test.put('k', 'w');
    await settle();
    const queued = test.put('k', 'x');
    await settle();
    test.disk.medium.writeFault = 'once';
    test.disk.release();
    expect(await underWay).toEqual({ code: 'STORAGE_FAILED' });
    expect(await queued).toEqual({ code: 'STOPPING' });
    expect(await test.get('k')).toEqual({ code: 'STOPPING' });
    expect(await test.put('k', 'y')).toEqual({ code: 'STOPPING' });
    expect(test.failure).toMatchObject({ name: 'StorageFailure' });
    expect(test.node.metrics.queuedCalls).toBe(0);
  });

  it('S20 a read that the disk refuses ends the node too', async () => {
    const test = await NodeUnderTest.serving();
    test.disk.medium.readFault = 'broken';
    expect(await test.get('k')).toEqual({ code: 'STORAGE_FAILED' });
    expect(test.failure).toMatchObject({ name: 'StorageFailure' });
    expect(await test.get('k')).toEqual({ code: 'STOPPING' });
    expect(await test.put('k', 'v')).toEqual({ code: 'STOPPING' });

    const { writes } = test.disk;
    await test.tell(test.lead(2), test.configs({ epoch: 2 as never }), 2);
    expect(test.disk.writes, 'nothing is written any more').toBe(writes);

    const other = await NodeUnderTest.serving();
    other.disk.medium.readFault = 'broken';
    const both = [other.put('a', 'v', 0), other.put('b', 'v', 0)];
    for (const answer of await Promise.all(both)) {
      expect(['STORAGE_FAILED', 'STOPPING']).toContain(answer.code);
    }
  });

  it('S20 a record that does not match its checksum is refused, not answered', async () => {
    const test = await NodeUnderTest.serving();
    await test.put('k', 'value');
    await test.put('other', 'value');
    await test.tick(); // What is committed goes into the data.
    for (const [name, record] of test.disk.medium.contents()) {
      if (!name.endsWith('Dk')) continue;
      const damaged = Buffer.from(record);
      damaged[damaged.length - 1]! ^= 1;
      test.disk.medium.plant(name, damaged);
    }
    expect(await test.get('k')).toEqual({ code: 'CORRUPT_RECORD' });
    expect(await test.put('k', 'w', 2)).toEqual({ code: 'CORRUPT_RECORD' });
    expect(await test.delete('k')).toEqual({ code: 'CORRUPT_RECORD' });
    expect((await test.get('other')).value).toBe('value');
    expect(await test.put('k', 'whole again')).toMatchObject({ applied: true });
    expect((await test.get('k')).value).toBe('whole again');
    expect(test.failure).toBeUndefined();
  });

  it('a full disk refuses puts only', async () => {
    const test = await NodeUnderTest.serving();
    await test.put('k', 'v');
    test.isDiskFull = true;
    expect(await test.put('k', 'w')).toEqual({ code: 'DISK_FULL' });
    expect((await test.get('k')).value).toBe('v');
    expect(await test.delete('k')).toEqual({ applied: true, version: 2 });
  });
});

describe('restarts', () => {
  it('S1 a restarted node serves nothing before it has an epoch of its own', async () => {
    const test = await NodeUnderTest.serving();
    await test.put('k', 'v');
    const again = await NodeUnderTest.start(test.disk.afterCrash(), 2);
    await again.tell(again.lead(2), test.configs(), 1);
    expect(await again.get('k')).toEqual({ code: 'NODE_BEHIND' });
    await again.tell(again.lead(2), again.configs({ epoch: 2 as never }), 2);
    expect(await again.get('k')).toEqual({ value: 'v', version: 2 });
    expect(await again.put('k', 'w')).toEqual({ applied: true, version: 4 });
  });

  it('S19 a node whose data is gone serves none of its shards', async () => {
    const test = await NodeUnderTest.serving();
    const empty = await NodeUnderTest.start(undefined, 2);
    const mine = { ...test.self, incarnation: empty.self.incarnation, store: empty.self.store };
    await empty.tell(empty.lead(2), empty.configs({ epoch: 2 as never }, mine), 2);
    expect(await empty.get('k')).toEqual({ code: 'NO_PRIMARY' });
    expect(empty.log.has('a replica is lost')).toBe(true);
    expect([...empty.replicaStore.states()]).toEqual([]);
  });

  it('S5 S22 whatever the order of calls, crashes and failures: a node is a map', async () => {
    const key = fc.constantFrom('a', 'b', '{a}c', 'd');
    const step = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.tuple(
          fc.constant('put' as const),
          key,
          fc.option(fc.nat(5), { nil: undefined }),
        ),
      },
      {
        weight: 2,
        arbitrary: fc.tuple(
          fc.constant('delete' as const),
          key,
          fc.option(fc.nat(5), { nil: undefined }),
        ),
      },
      { weight: 3, arbitrary: fc.tuple(fc.constant('get' as const), key, fc.constant(undefined)) },
      {
        weight: 1,
        arbitrary: fc.tuple(fc.constant('crash' as const), key, fc.constant(undefined)),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (script) => {
        let test = await NodeUnderTest.serving();
        let life = 1;
        let values = 0;
        const model = new Map<string, { value: string; version: number }>();
        const highest = new Map<string, number>();
        for (const [what, name, condition] of script) {
          const known = model.get(name);
          const version = known?.version ?? 0;
          if (what === 'crash') {
            test = await test.restart(++life);
          } else if (what === 'get') {
            expect(await test.get(name)).toEqual({ value: known?.value, version });
          } else if (what === 'put') {
            const value = `value-${++values}`;
            const answer = await test.put(name, value, condition);
            const holds = condition === undefined || condition === version;
            expect(answer.applied).toBe(holds);
            if (!holds) {
              expect(answer.version).toBe(version);
              continue;
            }
            expect(answer.version).toBeGreaterThan(highest.get(name) ?? 0);
            highest.set(name, answer.version!);
            model.set(name, { value, version: answer.version! });
          } else {
            const answer = await test.delete(name, condition ?? 0);
            const holds = (condition ?? 0) === 0 || condition === version;
            expect(answer).toEqual({ applied: holds, version });
            if (holds) model.delete(name);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
