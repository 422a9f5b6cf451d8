/** Rounds of writes: how much goes into one, and what is left undone once the disk is not trusted. */
import { beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/model/limits.js';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { StorageFailure } from '../../src/ports/disk.js';
import {
  type CallAnswer,
  getRequest,
  NodeUnderTest,
  putRequest,
  settle,
} from '../support/storage-harness.js';

const epoch = (number: number) => number as ShardConfig['epoch'];

let test: NodeUnderTest;

beforeEach(async () => {
  test = await NodeUnderTest.serving();
});

describe('a disk that neither writes nor fails', () => {
  const SECONDS = 20;
  const pass = async (seconds: number) => {
    for (let n = 0; n < seconds; n++) await test.tick(1_000);
  };

  it('L1 is taken for a failed one after a while: others can lead what it holds', async () => {
    await test.put('k', 'v');
    test.disk.hold();
    const call = test.call('put', putRequest('k', 'w'), 60_000);
    await settle();
    await pass(SECONDS - 1);
    expect(test.failure).toBeUndefined();
    await pass(1);
    expect(test.failure).toBeInstanceOf(StorageFailure);
    expect(String(test.failure)).toMatch(/the disk does not answer/);
    expect(await call).toEqual({ code: 'STORAGE_FAILED' });
    test.disk.release();
    await pass(1);
    expect(test.failures).toHaveLength(1);
  });

  it('is not, when it is slow, or when it was this process that did not run', async () => {
    for (const wait of [() => pass(SECONDS - 1), () => test.tick(60_000)]) {
      test.disk.hold();
      const call = test.call('put', putRequest('k', 'v'), 3_600_000);
      await settle();
      await wait();
      test.disk.release();
      await settle();
      expect(await call).toMatchObject({ applied: true });
    }
    await pass(2 * SECONDS);
    expect(test.failure).toBeUndefined();
  });
});

describe('one round', () => {
  /** Calls per round, of calls that are all there before the round under way ends. */
  async function roundsOf(calls: readonly (() => Promise<CallAnswer>)[]): Promise<number[]> {
    const { metrics } = test.node;
    const sizes: number[] = [];
    const count = metrics.countRound.bind(metrics);
    metrics.countRound = (size, seconds) => {
      sizes.push(size);
      count(size, seconds);
    };
    test.disk.hold();
    void test.put('under way', '');
    await settle();
    const answers = calls.map((call) => call());
    await settle();
    test.disk.release();
    for (const answer of await Promise.all(answers)) expect(answer.applied).toBe(true);
    expect(sizes[0]).toBe(1);
    // Rounds without new calls write what did not fit into one entry of its shard.
    return sizes.slice(1).filter((size) => size > 0);
  }

  it('takes 8 MiB of requests and the one that goes beyond; the rest waits for the next', async () => {
    const value = 'v'.repeat(LIMITS.valueBytesMax);
    const puts = Array.from({ length: 20 }, (_, n) => () => test.put(`key-${n}`, value));
    expect(await roundsOf(puts)).toEqual([8, 8, 4]);
  });

  it('takes a bounded number of calls, however small', async () => {
    const puts = Array.from({ length: 5_000 }, (_, n) => () => test.put(`key-${n}`, ''));
    expect(await roundsOf(puts)).toEqual([2_048, 2_048, 904]);
  });

  it('looks up a bounded number of stored versions', async () => {
    const puts = Array.from({ length: 600 }, (_, n) => () => test.put(`key-${n}`, '', 0));
    expect(await roundsOf(puts)).toEqual([256, 256, 88]);
  });

  it('looks up a bounded number of stored bytes', async () => {
    const value = 'v'.repeat(LIMITS.valueBytesMax);
    const keys = Array.from({ length: 10 }, (_, n) => `key-${n}`);
    for (const key of keys) await test.put(key, value);
    expect(await roundsOf(keys.map((key) => () => test.delete(key)))).toEqual([4, 4, 2]);
  });
});

describe('a read that finds the disk broken while a round is under way (S20)', () => {
  /** The read fails, and then the disk says that the round was written after all. */
  async function failRead(): Promise<void> {
    test.disk.medium.readFault = 'broken';
    expect(await test.get('k')).toEqual({ code: 'STORAGE_FAILED' });
    test.disk.release();
    await settle();
  }

  it('leaves the outcome of the round unknown, and answers each call once', async () => {
    test.disk.hold();
    const underWay = test.put('k', 'v');
    await settle();
    const queued = test.put('k', 'w');
    await failRead();
    expect(await underWay).toEqual({ code: 'STORAGE_FAILED' });
    expect(await queued).toEqual({ code: 'STOPPING' });
    expect(test.node.metrics.queuedCalls).toBe(0);
    expect(test.failures).toHaveLength(1);
  });

  it('keeps the node from following a leader whose epoch was in the round', async () => {
    test.disk.hold();
    const leader = test.lead(2);
    await test.tell(leader, test.configs({ epoch: epoch(2) }), 2);
    await failRead();
    expect(leader.heard.messages).toEqual([]);
    expect(test.node.map.config(0 as never)?.epoch).toBe(1);
  });

  it('keeps it from reporting the replicas that were in the round', async () => {
    const leader = test.lead(1);
    await settle();
    test.disk.hold();
    await test.tell(leader, test.configs({ epoch: epoch(2) }), 2);
    const before = leader.heard.messages.length;
    test.disk.medium.readFault = 'broken';
    // Nothing is served before the promise is durable, but the store is asked first.
    expect(await test.get('k')).toEqual({ code: 'STORAGE_FAILED' });
    test.disk.release();
    await settle();
    expect(leader.heard.messages).toHaveLength(before);
  });

  it('keeps it from being marked as cleanly stopped', async () => {
    test.disk.hold();
    let isMarked = false;
    void test.node.markClean().then(() => {
      isMarked = true;
    });
    await settle();
    await failRead();
    expect(isMarked).toBe(false);
  });

  it('is the one failure that the node ends with, even if the write fails too', async () => {
    test.disk.hold();
    const underWay = test.put('k', 'v');
    await settle();
    test.disk.medium.writeFault = 'full';
    await failRead();
    expect(await underWay).toEqual({ code: 'STORAGE_FAILED' });
    expect(test.failures).toMatchObject([{ message: 'input/output error' }]);
  });

  it('lets nothing be written any more', async () => {
    await failRead();
    const { writes } = test.disk;
    void test.node.markClean();
    await test.tell(test.lead(2), test.configs({ epoch: epoch(2) }), 2);
    expect(test.disk.writes).toBe(writes);
    expect(test.failures).toHaveLength(1);
  });
});

describe('a bug of our own that a read meets', () => {
  const bug = new TypeError('a bug');

  /** Answers of calls, in order; undefined = none yet. */
  function watch(calls: readonly Promise<CallAnswer>[]): (CallAnswer | undefined)[] {
    const answers: (CallAnswer | undefined)[] = calls.map(() => undefined);
    for (const [index, call] of calls.entries()) {
      void call.then((answer) => {
        answers[index] = answer;
      });
    }
    return answers;
  }

  it('ends the node with that very error, and is not said to be the disk', async () => {
    test.disk.get = () => {
      throw bug;
    };
    const answers = watch([test.call('get', getRequest('k')), test.get('other')]);
    await settle();
    expect(test.failures).toEqual([bug]);
    // Nothing that was read is answered, whoever met the bug.
    expect(answers).toEqual([{ code: 'STOPPING' }, { code: 'STOPPING' }]);
    expect(await test.call('put', putRequest('k', 'v'))).toEqual({ code: 'STOPPING' });
  });

  it('leaves the outcome of writes under way unknown (S21)', async () => {
    test.disk.hold();
    const underWay = test.put('k', 'v');
    await settle();
    test.disk.get = () => {
      throw bug;
    };
    void test.get('k');
    expect(await underWay).toEqual({ code: 'STORAGE_FAILED' });
    test.disk.release();
    await settle();
    expect(test.failures).toEqual([bug]);
  });

  it('in a lookup for a write ends the node as well', async () => {
    test.disk.get = () => {
      throw bug;
    };
    expect(await test.put('k', 'v', 0)).toEqual({ code: 'STORAGE_FAILED' });
    expect(test.failures).toEqual([bug]);
  });
});
