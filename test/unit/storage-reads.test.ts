/** Reads beside the rounds: in which order a value is read and its answer is allowed. */
import { expect, it } from 'vitest';
import type { ShardId, Uuid } from '../../src/model/ids.js';
import { RefusedError } from '../../src/model/refusals.js';
import { StorageFailure } from '../../src/ports/disk.js';
import type { ReadData } from '../../src/replication/primary.js';
import type { CallResult } from '../../src/storage/calls.js';
import { Reads } from '../../src/storage/reads.js';
import { encodeGetResponse } from '../../src/wire/kv-messages.js';
import { FakeClock } from '../support/fake-clock.js';
import { settle } from '../support/storage-harness.js';

const KEY = Buffer.from('k');

/** A replica whose lease ends while the value is being read, or whose system sleeps then. */
function readUnderLease(leaseMs: number, readMs: number, sleeps: number[] = []): CallResult[] {
  const clock = new FakeClock();
  const until = clock.now() + leaseMs;
  const answers: CallResult[] = [];
  const store = {
    read: () => {
      clock.advance(readMs);
      return { value: Buffer.from('v'), seq: 7 };
    },
  };
  const replicas = {
    get: () => ({
      primary: { read: (key: Buffer, fromData: ReadData) => fromData('' as Uuid, key) },
    }),
    admission: (...[, , , now]: [unknown, unknown, unknown, number]) =>
      now < until ? 'now' : 'later',
  };
  const reads = new Reads({
    store: store as never,
    replicas: replicas as never,
    clock,
    wakefulness: { look: () => sleeps.shift() === 1 },
    damaged: (_, error) => expect.unreachable(error.message),
    failed: (error) => expect.unreachable(String(error)),
  });
  reads.submit({
    call: { kind: 'get', key: KEY },
    ...{
      shard: 0 as ShardId,
      epoch: undefined,
      deadlineAt: Infinity,
      answerBy: Infinity,
      requestBytes: 1,
    },
    respond: (result) => void answers.push(result),
    isGone: () => false,
    isCongested: () => false,
  });
  return answers;
}

it('S13 a value is answered only if the lease still holds after it was read', async () => {
  const answers = readUnderLease(10, 20);
  await settle(2);
  expect(answers).toEqual([]);
});

it('S13 S14 what was read around a sleep of the system is read and judged again', async () => {
  const sleeps = [1];
  const lost = readUnderLease(30, 20, sleeps);
  await settle(4);
  expect([lost, sleeps], 'the lease is over the second time').toEqual([[], []]);
  const kept = readUnderLease(50, 20, [1, 0]);
  await settle(4);
  expect(kept).toHaveLength(1);
});

it('S13 and is answered if it does', async () => {
  const answers = readUnderLease(30, 20);
  await settle(2);
  expect(answers).toEqual([encodeGetResponse({ value: Buffer.from('v'), version: 7 as never })]);
});

it('S20 nothing is answered with a value once the disk has failed', async () => {
  const clock = new FakeClock();
  const answers: CallResult[] = [];
  let calls = 0;
  const store = {
    read: () => {
      if (++calls === 2) throw new StorageFailure('EIO');
      return { value: Buffer.from('v'), seq: 7 };
    },
  };
  const replicas = {
    get: () => ({
      primary: { read: (key: Buffer, fromData: ReadData) => fromData('' as Uuid, key) },
    }),
    admission: () => 'now',
  };
  const reads = new Reads({
    store: store as never,
    replicas: replicas as never,
    clock,
    wakefulness: { look: () => false },
    damaged: (_, error) => expect.unreachable(error.message),
    failed: () => reads.refuseAll(new RefusedError('STOPPING', 'the disk of this node has failed')),
  });
  for (const shard of [0, 1, 3]) {
    reads.submit({
      call: { kind: 'get', key: KEY },
      ...{ shard: shard as ShardId, epoch: undefined, deadlineAt: Infinity, answerBy: Infinity },
      requestBytes: 1,
      respond: (result) => void answers.push(result),
      isGone: () => false,
      isCongested: () => false,
    });
  }
  await settle(2);
  expect(answers.map((answer) => (answer as RefusedError).code).sort()).toEqual([
    ...['STOPPING', 'STOPPING', 'STORAGE_FAILED'],
  ]);
});
