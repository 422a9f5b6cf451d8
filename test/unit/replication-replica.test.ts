/** The core of one replica: what it serves, in which epoch, and when it answers. */
import { describe, expect, it } from 'vitest';
import type { Epoch, Incarnation, Seq } from '../../src/model/ids.js';
import type { Registration } from '../../src/model/registrations.js';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { Replica } from '../../src/replication/replica.js';
import type { Answer, Ready, Write } from '../../src/replication/replica-io.js';
import type { ReplicaState } from '../../src/replication/replica-state.js';
import { configOf, nodeOf } from '../support/configs.js';

const s1 = nodeOf('s1');
const s2 = nodeOf('s2');

const stateOf = (config: ShardConfig, change: Partial<ReplicaState> = {}): ReplicaState => ({
  shard: config.shard,
  shardUuid: config.shardUuid,
  promisedEpoch: config.epoch,
  lastSeq: 0 as Seq,
  ...change,
});

/** A replica of shard 0 on s1 that has heard `config`. */
function replicaWith(
  config: ShardConfig,
  {
    stored = stateOf(config),
    self = s1,
    openedEpoch = 0,
  }: { stored?: ReplicaState | null; self?: Registration; openedEpoch?: number } = {},
): Replica {
  const replica = new Replica({
    shard: config.shard,
    shardUuid: config.shardUuid,
    self: { node: self.id, store: self.store },
    lives: [self.incarnation],
    stored: stored ?? undefined,
    openedEpoch: openedEpoch as Epoch,
  });
  replica.step({ type: 'config', update: { config, version: 0 } });
  return replica;
}

const key = Buffer.from('k');
const put = (value: string): Write => ({ type: 'put', key, value: Buffer.from(value) });
const remove: Write = { type: 'delete', key };

let calls = 0;
function write(
  replica: Replica,
  change: Write,
  { epoch, ifVersion, stored = 0 }: { epoch?: number; ifVersion?: number; stored?: number } = {},
): number {
  const call = ++calls;
  replica.step({
    type: 'write',
    call,
    epoch: epoch as Epoch | undefined,
    write: change,
    ifVersion,
    storedVersion: stored as Seq,
  });
  return call;
}

/** The batch is durable; returns the answers that this lets out. */
function persist(replica: Replica, ready: Ready): readonly Answer[] {
  expect(ready.state).toBeDefined();
  const { promisedEpoch, lastSeq } = ready.state!;
  replica.step({ type: 'persisted', epoch: promisedEpoch, lastSeq });
  return replica.takeReady().answers;
}

const codes = (answers: readonly Answer[]) =>
  answers.map((answer) => (answer.type === 'refused' ? answer.refusal.code : answer.version));

describe('standing', () => {
  it('the primary of an active shard, in this life and store, serves', () => {
    expect(replicaWith(configOf(0, s1)).standing).toBe('serving');
  });

  it('S19 a replica starts empty while its shard is being created', () => {
    const replica = replicaWith(configOf(0, s1, { state: 'creating' }), { stored: null });
    expect(replica.standing).toBe('creating');
    const ready = replica.takeReady();
    expect(ready.state).toEqual(stateOf(configOf(0, s1)));
    expect(ready.born).toBeUndefined();
    replica.step({ type: 'persisted', epoch: 1 as Epoch, lastSeq: 0 as Seq });
    expect(replica.takeReady().born).toEqual(ready.state);
  });

  it('S19 a replica that an active shard counts on never starts empty', () => {
    const replica = replicaWith(configOf(0, s1), { stored: null });
    expect(replica.standing).toBe('lost');
    write(replica, put('v'));
    const ready = replica.takeReady();
    expect(ready.state).toBeUndefined();
    expect(ready.data).toEqual([]);
    expect(codes(ready.answers)).toEqual(['NO_PRIMARY']);
  });

  it('a shard that is being created is not served, and is once it is active', () => {
    const config = configOf(0, s1, { state: 'creating' });
    const replica = replicaWith(config, { stored: null });
    persist(replica, replica.takeReady());
    expect(replica.readAdmission(undefined)).toMatchObject({ code: 'NO_PRIMARY' });
    write(replica, put('v'));
    expect(codes(replica.takeReady().answers)).toEqual(['NO_PRIMARY']);
    replica.step({
      type: 'config',
      update: { config: { ...config, state: 'active' }, version: 1 },
    });
    expect(replica.readAdmission(undefined)).toBe('now');
  });

  it('S1 a restarted process does not serve in the epoch of the one before', () => {
    const replica = replicaWith(configOf(0, s1), { self: nodeOf('s1', 2) });
    expect(replica.standing).toBe('awaiting-epoch');
    expect(replica.readAdmission(undefined)).toMatchObject({ code: 'NODE_BEHIND' });
    const update = { config: configOf(0, nodeOf('s1', 2), { epoch: 2 as Epoch }), version: 1 };
    replica.step({ type: 'config', update });
    expect(replica.standing).toBe('serving');
  });

  it('a process that registered again keeps serving in the life before', () => {
    const replica = replicaWith(configOf(0, s1));
    replica.step({ type: 'registered', incarnation: 7 as Incarnation });
    expect(replica.readAdmission(1 as Epoch)).toBe('now');
  });

  it('a configuration that counts on a life is served when this process learns it has it', () => {
    const replica = replicaWith(configOf(0, nodeOf('s1', 2)));
    expect(replica.standing).toBe('awaiting-epoch');
    replica.step({ type: 'registered', incarnation: 2 as Incarnation });
    expect(replica.standing).toBe('serving');
  });

  it('the same name with another store is another replica', () => {
    const replica = replicaWith(configOf(0, nodeOf('s1', 1, 'other')));
    expect(replica.readAdmission(undefined)).toMatchObject({ code: 'NOT_PRIMARY' });
  });

  it('S2 a configuration below the promised epoch is not served', () => {
    const config = configOf(0, s1, { epoch: 3 as Epoch });
    const replica = replicaWith(config, { stored: stateOf(config, { promisedEpoch: 5 as Epoch }) });
    expect(replica.standing).toBe('awaiting-epoch');
    expect(replica.takeReady().state).toBeUndefined();
  });
});

describe('an epoch that an earlier process promised', () => {
  it('S1 is not served by this one, whatever life the configuration names; a higher one is', () => {
    const config = configOf(0, s1, { epoch: 3 as Epoch });
    const replica = replicaWith(config, { openedEpoch: 3 });
    expect(replica.standing).toBe('awaiting-epoch');
    const next = configOf(0, s1, { epoch: 4 as Epoch });
    replica.step({ type: 'config', update: { config: next, version: 1 } });
    expect(replica.standing).toBe('serving');
  });
});

describe('epochs', () => {
  it('S23 a caller in a lower epoch, a higher one, or at the wrong node is refused', () => {
    const replica = replicaWith(configOf(0, s1, { epoch: 3 as Epoch }));
    for (const epoch of [2, 4]) write(replica, put('v'), { epoch });
    expect(codes(replica.takeReady().answers)).toEqual(['STALE_EPOCH', 'NODE_BEHIND']);
    expect(replica.readAdmission(2 as Epoch)).toMatchObject({ code: 'STALE_EPOCH' });
    expect(replica.readAdmission(4 as Epoch)).toMatchObject({ code: 'NODE_BEHIND' });
    const other = replicaWith(configOf(0, s2, { epoch: 3 as Epoch }));
    expect(other.readAdmission(3 as Epoch)).toMatchObject({ code: 'NOT_PRIMARY' });
    expect(other.readAdmission(4 as Epoch)).toMatchObject({ code: 'NODE_BEHIND' });
  });

  it('S3 nothing is answered in an epoch before its promise is durable', () => {
    const config = configOf(0, s1, { epoch: 2 as Epoch });
    const replica = replicaWith(config, { stored: stateOf(config, { promisedEpoch: 1 as Epoch }) });
    const failed = write(replica, put('v'), { ifVersion: 9, stored: 4 });
    expect(replica.readAdmission(undefined)).toBe('later');
    const ready = replica.takeReady();
    expect(ready.state?.promisedEpoch).toBe(2);
    expect(ready.answers).toEqual([]);
    expect(persist(replica, ready)).toEqual([
      { type: 'written', call: failed, applied: false, version: 4 },
    ]);
    expect(replica.readAdmission(undefined)).toBe('now');
  });

  it('S13 a replica that stopped serving refuses the value that was read before', () => {
    const replica = replicaWith(configOf(0, s1));
    expect(replica.readAdmission(1 as Epoch)).toBe('now');
    const update = { config: configOf(0, s2, { epoch: 2 as Epoch }), version: 1 };
    replica.step({ type: 'config', update });
    expect(replica.readAdmission(1 as Epoch)).toMatchObject({ code: 'NOT_PRIMARY' });
  });
});

describe('writes', () => {
  it('S5 a write is answered when it is durable, and not before', () => {
    const replica = replicaWith(configOf(0, s1));
    const call = write(replica, put('v'));
    const ready = replica.takeReady();
    expect(ready.answers).toEqual([]);
    expect(ready.data).toMatchObject([{ type: 'put', seq: 1 }]);
    expect(persist(replica, ready)).toEqual([{ type: 'written', call, applied: true, version: 1 }]);
  });

  it('S9 what became durable is never more than what was assigned', () => {
    const replica = replicaWith(configOf(0, s1));
    expect(() => {
      replica.step({ type: 'persisted', epoch: 1 as Epoch, lastSeq: 1 as Seq });
    }).toThrow('invariant S9');
  });

  it('S12 a condition that failed on an uncommitted write waits for that write', () => {
    const replica = replicaWith(configOf(0, s1));
    write(replica, put('v'));
    write(replica, put('w'), { ifVersion: 0 });
    write(replica, { type: 'delete', key: Buffer.from('other') });
    const ready = replica.takeReady();
    expect(ready.data.length).toBe(1);
    const immediate = ready.answers.length;
    const later = persist(replica, ready);
    expect(immediate + later.length).toBe(3);
    expect(later.slice(0, 2)).toMatchObject([
      { applied: true, version: 1 },
      { applied: false, version: 1 },
    ]);
  });

  it('a condition that failed on what is committed is answered at once', () => {
    const replica = replicaWith(configOf(0, s1));
    const call = write(replica, put('v'), { ifVersion: 0, stored: 3 });
    const { answers, state } = replica.takeReady();
    expect(answers).toEqual([{ type: 'written', call, applied: false, version: 3 }]);
    expect(state).toBeUndefined();
  });

  it('within a round each write sees the ones before it', () => {
    const config = configOf(0, s1);
    const replica = replicaWith(config, { stored: stateOf(config, { lastSeq: 4 as Seq }) });
    write(replica, remove, { stored: 4 }); // 5, deletes 4
    write(replica, remove, { stored: 4 }); // nothing there
    write(replica, put('a'), { ifVersion: 0, stored: 4 }); // 6
    write(replica, put('b'), { ifVersion: 6, stored: 4 }); // 7
    write(replica, remove, { ifVersion: 6, stored: 4 }); // fails on 7
    const ready = replica.takeReady();
    expect(ready.state?.lastSeq).toBe(7);
    expect(persist(replica, ready)).toMatchObject([
      { applied: true, version: 4 },
      { applied: true, version: 0 },
      { applied: true, version: 6 },
      { applied: true, version: 7 },
      { applied: false, version: 7 },
    ]);
  });

  it('S22 versions go on where the stored state ends, also for a key that was deleted', () => {
    const config = configOf(0, s1);
    const replica = replicaWith(config, { stored: stateOf(config, { lastSeq: 41 as Seq }) });
    write(replica, put('v'));
    expect(replica.takeReady().data).toMatchObject([{ seq: 42 }]);
  });
});
