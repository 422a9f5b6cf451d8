/** The stream of frames between a router and a storage node. */
import { describe, expect, it } from 'vitest';
import { slotOf, shardOfSlot } from '../../src/model/slot.js';
import {
  answerOf,
  ExchangeUnderTest,
  getRequest,
  NodeUnderTest,
  putRequest,
  settle,
  SHARDS,
} from '../support/storage-harness.js';

const shardOf = (key: string) => shardOfSlot(slotOf(Buffer.from(key)), SHARDS);

describe('exchange', () => {
  it('requests of one frame, for many shards, are answered in one frame', async () => {
    const test = await NodeUnderTest.serving();
    const stream = new ExchangeUnderTest(test.node);
    const keys = Array.from({ length: 50 }, (_, n) => `key-${n}`);
    const puts = stream.send(
      keys.map((key) => ({ kind: 'put', payload: putRequest(key, key), shard: shardOf(key) })),
    );
    await settle();
    expect(stream.out.messages.length).toBe(1);
    expect(
      stream
        .responses()
        .map(({ call }) => call)
        .sort((a, b) => a - b),
    ).toEqual(puts);

    stream.send(
      keys.map((key) => ({ kind: 'get', payload: getRequest(key), shard: shardOf(key) })),
    );
    await settle();
    expect(stream.out.messages.length).toBe(2);
    const values = stream.responses().slice(50);
    expect(values.map(({ payload }) => answerOf('get', payload).value)).toEqual(keys);
  });

  it('a frame that was held up on its way is not served after its deadline', async () => {
    const test = await NodeUnderTest.serving();
    const stream = new ExchangeUnderTest(test.node);
    const shard = shardOf('k');
    const send = (value: string) => {
      stream.send([{ kind: 'put', payload: putRequest('k', value), shard, budgetMs: 500 }]);
      return settle();
    };
    await send('in time');
    // Both clocks go on; this one leaves now and arrives 499 ms later, the next one 500.
    stream.sentMs += 1_000;
    test.clock.advance(1_499);
    await send('just in time');
    stream.sentMs += 1;
    test.clock.advance(2);
    await send('too late');
    const outcomes = stream.details().map(({ status, detail }) => detail?.code ?? status);
    expect(outcomes).toEqual(['ok', 'ok', 'DEADLINE_PASSED']);
    expect(stream.details()[2]?.detail?.outcome).toBe('not-applied');
    stream.send([{ kind: 'get', payload: getRequest('k'), shard }]);
    await settle();
    expect(answerOf('get', stream.responses()[3]!.payload).value).toBe('just in time');
  });

  it('S13 S23 a refusal carries the code, and the hint where there is one', async () => {
    const test = await NodeUnderTest.serving();
    const stream = new ExchangeUnderTest(test.node);
    const shard = shardOf('k');
    const request = { kind: 'get', payload: getRequest('k'), shard } as const;
    stream.send([
      { ...request, epoch: 0 },
      { ...request, epoch: 2 },
      { ...request, shard: (shard + 1) % SHARDS },
    ]);
    await settle();
    const byCode = new Map(stream.details().map(({ detail }) => [detail?.code, detail]));
    expect(byCode.get('STALE_EPOCH')).toMatchObject({
      retry: 'refresh-map',
      outcome: 'not-applied',
      hint: { config: { shard, epoch: 1, primary: 's1' }, address: test.self.address },
    });
    expect(byCode.get('NODE_BEHIND')).toMatchObject({ retry: 'backoff' });
    expect(byCode.get('INVALID_REQUEST')).toMatchObject({ retry: 'never' });
  });

  it('S21 a write under way when the disk fails is answered as unknown', async () => {
    const test = await NodeUnderTest.serving();
    const stream = new ExchangeUnderTest(test.node);
    test.disk.medium.writeFault = 'once';
    stream.send([{ kind: 'put', payload: putRequest('k', 'v'), shard: shardOf('k') }]);
    await settle();
    expect(stream.details()).toMatchObject([
      { status: 'unknown', detail: { code: 'STORAGE_FAILED', outcome: 'unknown' } },
    ]);
  });

  it('a malformed frame closes its own stream and no other', async () => {
    const test = await NodeUnderTest.serving();
    const bad = new ExchangeUnderTest(test.node);
    const good = new ExchangeUnderTest(test.node);
    bad.events.message(Buffer.from([0x0a, 0x02, 0xff]));
    expect(bad.out.ended).toBe(true);
    bad.send([{ kind: 'get', payload: getRequest('k'), shard: shardOf('k') }]);
    good.send([{ kind: 'get', payload: getRequest('k'), shard: shardOf('k') }]);
    await settle();
    expect(good.responses().length).toBe(1);
    expect(bad.responses().length).toBe(0);
    expect(test.log.has('closed a stream')).toBe(true);
  });

  it('while the stream takes no more, responses wait and nothing is lost', async () => {
    const test = await NodeUnderTest.serving();
    const stream = new ExchangeUnderTest(test.node);
    stream.out.takes = false;
    const get = { kind: 'get', payload: getRequest('k'), shard: shardOf('k') } as const;
    for (let n = 0; n < 3; n++) {
      stream.send([get]);
      await settle();
    }
    expect(stream.out.messages.length).toBe(1);
    stream.out.takes = true;
    stream.events.drain();
    await settle();
    expect(stream.responses().map(({ call }) => call)).toEqual([1, 2, 3]);
  });

  it('reads are refused while megabytes of answers wait for a caller that does not read', async () => {
    const test = await NodeUnderTest.serving();
    await test.put('k', 'v'.repeat(1024 * 1024));
    const stream = new ExchangeUnderTest(test.node);
    stream.out.takes = false;
    const get = { kind: 'get', payload: getRequest('k'), shard: shardOf('k') } as const;
    stream.send(Array.from({ length: 20 }, () => get));
    await settle(60);
    stream.out.takes = true;
    stream.events.drain();
    await settle(60);
    const answers = stream.details();
    expect(answers.length).toBe(20);
    const refused = answers.filter(({ detail }) => detail?.code === 'OVERLOADED');
    expect(refused.length).toBeGreaterThan(5);
  });

  it('calls of a stream that broke are not started', async () => {
    const test = await NodeUnderTest.serving();
    const stream = new ExchangeUnderTest(test.node);
    test.disk.hold();
    const first = test.put('k', 'v');
    await settle();
    stream.send([{ kind: 'put', payload: putRequest('k', 'w'), shard: shardOf('k') }]);
    stream.events.closed('connection lost');
    test.disk.release();
    await first;
    await settle();
    expect((await test.get('k')).value).toBe('v');
    expect(test.node.metrics.queuedCalls).toBe(0);
  });
});
