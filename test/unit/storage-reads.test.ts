/** Reads beside the rounds: in which order a value is read and its answer is allowed. */
import { expect, it } from 'vitest';
import type { ShardId, Uuid } from '../../src/model/ids.js';
import type { ReadData } from '../../src/replication/primary.js';
import type { CallResult } from '../../src/storage/calls.js';
import { Reads } from '../../src/storage/reads.js';
import { encodeGetResponse } from '../../src/wire/kv-messages.js';
import { FakeClock } from '../support/fake-clock.js';
import { settle } from '../support/storage-harness.js';

const KEY = Buffer.from('k');

/** A replica whose lease ends while the value is being read, or does not. */
function readUnderLease(leaseMs: number, readMs: number): CallResult[] {
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
    wakefulness: { look: () => undefined },
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

it('S13 and is answered if it does', async () => {
  const answers = readUnderLease(30, 20);
  await settle(2);
  expect(answers).toEqual([encodeGetResponse({ value: Buffer.from('v'), version: 7 as never })]);
});
