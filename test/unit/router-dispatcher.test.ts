/** The data path of a router with a clock and streams that the test moves by hand. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { CallKind } from '../../src/model/calls.js';
import type { Epoch } from '../../src/model/ids.js';
import { LIMITS } from '../../src/model/limits.js';
import { RefusedError } from '../../src/model/refusals.js';
import { encodeGet, encodePut } from '../../src/client/messages.js';
import { Dispatcher } from '../../src/router/dispatcher.js';
import { MapHolder } from '../../src/router/map-holder.js';
import { RouterCounters } from '../../src/router/metrics.js';
import { NodeLinks } from '../../src/router/node-links.js';
import { encodeResponses } from '../../src/wire/frame.js';
import { configOf, nodeOf } from '../support/configs.js';
import { FakeClock } from '../support/fake-clock.js';
import { FakeDialer } from '../support/fake-dialer.js';
import { silentLog } from '../support/silent-log.js';

const key = Buffer.from('foo'); // Slot 12,182: shard 4 of 6.
const shard = 4;
const get = encodeGet(key);
const put = encodePut(key, Buffer.from('v'), undefined);
const ok = Buffer.from('answer');
const node = nodeOf('s1');

let clock: FakeClock;
let dialer: FakeDialer;
let map: MapHolder;
let counters: RouterCounters;
let links: NodeLinks;
let dispatcher: Dispatcher;
let deferred: (() => void)[];

beforeEach(() => {
  clock = new FakeClock();
  dialer = new FakeDialer();
  map = new MapHolder();
  counters = new RouterCounters();
  deferred = [];
  const random = {
    fraction: () => 0.5,
    uuid: () => {
      throw new Error('unused');
    },
    nonce: () => '',
  };
  const defer = (task: () => void) => void deferred.push(task);
  links = new NodeLinks({ clock, random, log: silentLog, dialer, defer }, map);
  dispatcher = new Dispatcher({ clock, random, map, links, counters });
});

/** The end of this tick: frames leave. */
function tick(): void {
  for (const task of deferred.splice(0)) task();
}

function knowMap(): void {
  map.setShardCount(6);
  map.setNodes([node]);
  map.applyConfigs([{ config: configOf(shard, node), version: 1 }]);
}

interface Call {
  readonly result: Promise<Buffer>;
  cancel(): void;
}

function call(kind: CallKind, request: Buffer, budgetMs = 5_000): Call {
  let cancel: () => void = () => undefined;
  const result = dispatcher.call(kind, request, {
    budgetMs,
    onCancel: (listener) => (cancel = listener),
  });
  result.catch(() => undefined);
  return { result, cancel: () => cancel() };
}

async function refusalOf({ result }: Call): Promise<RefusedError> {
  const error: unknown = await result.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RefusedError);
  return error as RefusedError;
}

describe('sending', () => {
  it('a call goes to the primary with shard, epoch, kind and the bytes as they came', async () => {
    knowMap();
    const reading = call('get', get, 800);
    dialer.last.connect();
    tick();
    const [request] = dialer.last.requests;
    expect(request).toMatchObject({ kind: 'get', shard, epoch: 1, budgetMs: 800, payload: get });
    dialer.last.answer(request!, ok);
    expect(await reading.result).toEqual(ok);
    expect(counters.calls.count('get', 'ok')).toBe(1);
    expect(counters).toMatchObject({ heldCalls: 0, heldBytes: 0, waitingCalls: 0 });
    expect(clock.pending).toBe(0);
  });

  it('calls of one tick share a frame', () => {
    knowMap();
    call('get', get);
    dialer.last.connect();
    tick();
    for (let count = 0; count < 10; count++) call('put', put);
    tick();
    expect(dialer.last.frames.map((frame) => frame.length)).toEqual([1, 10]);
  });

  it('a frame stays within its bound; a request larger than it travels alone', () => {
    knowMap();
    const large = encodePut(key, Buffer.alloc(700 * 1024), undefined);
    call('put', large);
    call('put', large);
    call('put', put);
    dialer.last.connect();
    expect(dialer.last.frames.map((frame) => frame.length)).toEqual([1, 2]);
  });

  it('one frame of reads and one of writes are in flight, until something of it is answered', () => {
    knowMap();
    call('get', get);
    call('put', put);
    call('get', get);
    dialer.last.connect();
    const kinds = () => dialer.last.frames.map((frame) => frame.map(({ kind }) => kind).join(' '));
    expect(kinds()).toEqual(['get get', 'put']);
    for (let times = 0; times < 3; times++) {
      call('get', get);
      tick();
    }
    expect(kinds()).toHaveLength(2);
    const [first, second] = dialer.last.requests;
    dialer.last.answer(first!, ok);
    tick();
    expect(kinds().slice(2)).toEqual(['get get get']);
    // What is late of the frame before says nothing about this one.
    dialer.last.answer(second!, ok);
    call('get', get);
    tick();
    expect(kinds()).toHaveLength(3);
  });

  it('a frame of which nothing is answered holds up the next one for a moment only', () => {
    knowMap();
    call('put', put);
    dialer.last.connect();
    call('put', put);
    tick();
    expect(dialer.last.frames).toHaveLength(1);
    clock.advance(10);
    tick();
    expect(dialer.last.frames).toHaveLength(2);
  });

  it('while the stream takes no more, calls wait for it to drain', () => {
    knowMap();
    call('get', get);
    dialer.last.takesMore = false;
    dialer.last.connect();
    call('put', put);
    tick();
    expect(dialer.last.frames).toHaveLength(1);
    dialer.last.events.drain();
    expect(dialer.last.frames).toHaveLength(2);
  });

  it('answers come in any order', async () => {
    knowMap();
    const first = call('get', get);
    const second = call('get', get);
    dialer.last.connect();
    const [one, two] = dialer.last.requests;
    dialer.last.answer(two!, Buffer.from('2'));
    dialer.last.answer(one!, Buffer.from('1'));
    expect(await first.result).toEqual(Buffer.from('1'));
    expect(await second.result).toEqual(Buffer.from('2'));
  });
});

describe('waiting', () => {
  it('a call waits for the map and goes when it comes, without any timer of its own', async () => {
    const writing = call('put', put);
    expect(counters.waitingCalls).toBe(1);
    expect(clock.pending).toBe(1); // Its deadline.
    knowMap();
    expect(counters.waitingCalls).toBe(0);
    dialer.last.connect();
    dialer.last.answer(dialer.last.requests[0]!, ok);
    expect(await writing.result).toEqual(ok);
  });

  it('without a primary until the deadline: NO_PRIMARY, UNAVAILABLE, not applied', async () => {
    map.setShardCount(6);
    const writing = call('put', put, 300);
    clock.advance(300);
    const refusal = await refusalOf(writing);
    expect(refusal).toMatchObject({ code: 'NO_PRIMARY', status: 'UNAVAILABLE' });
    expect(refusal.outcome).toBe('not-applied');
    expect(refusal.message).toContain('shard 4');
  });

  it('a primary that cannot be reached until the deadline: NO_PRIMARY too', async () => {
    knowMap();
    const writing = call('put', put, 300);
    dialer.last.break('connection refused');
    clock.advance(300);
    const refusal = await refusalOf(writing);
    expect(refusal.code).toBe('NO_PRIMARY');
    expect(refusal.message).toContain('connection refused');
  });

  it('a write that was never sent goes to the new primary when the map changes', async () => {
    knowMap();
    const writing = call('put', put);
    const other = nodeOf('s2');
    map.setNodes([node, other]);
    const config = configOf(shard, other, { epoch: 2 as Epoch });
    map.applyConfigs([{ config, version: 2 }]);
    expect(dialer.last.address).toBe(other.address);
    dialer.last.connect();
    expect(dialer.last.requests[0]).toMatchObject({ epoch: 2 });
    dialer.last.answer(dialer.last.requests[0]!, ok);
    expect(await writing.result).toEqual(ok);
  });

  it('one deadline covers waiting and sending', () => {
    call('put', put, 1_000);
    clock.advance(600);
    knowMap();
    dialer.last.connect();
    expect(dialer.last.requests[0]!.budgetMs).toBe(400);
  });
});

describe('refusals of a node', () => {
  it('a hint repairs the map and the call goes on at once', async () => {
    knowMap();
    const reading = call('get', get);
    dialer.last.connect();
    const other = nodeOf('s2');
    const config = configOf(shard, other, { epoch: 2 as Epoch });
    const [request] = dialer.last.requests;
    dialer.last.refuse(request!, 'NOT_PRIMARY', {
      hint: { config, version: 2, address: other.address },
    });
    expect(dialer.last.address).toBe(other.address);
    dialer.last.connect();
    dialer.last.answer(dialer.last.requests[0]!, ok);
    expect(await reading.result).toEqual(ok);
    expect(counters.retries).toBe(1);
  });

  it('a node that is behind is asked again after a pause', async () => {
    knowMap();
    const reading = call('get', get);
    dialer.last.connect();
    dialer.last.refuse(dialer.last.requests[0]!, 'NODE_BEHIND');
    expect(counters.waitingCalls).toBe(1);
    clock.advance(5);
    tick();
    expect(dialer.last.requests).toHaveLength(2);
    dialer.last.answer(dialer.last.requests[1]!, ok);
    expect(await reading.result).toEqual(ok);
  });

  it('the same refusal without a newer map does not spin', () => {
    knowMap();
    call('get', get);
    dialer.last.connect();
    for (let round = 0; round < 20; round++) {
      dialer.last.refuse(dialer.last.requests.at(-1)!, 'STALE_EPOCH');
      clock.advance(200);
      tick();
    }
    expect(dialer.last.requests.length).toBeLessThanOrEqual(21);
  });

  it('a refusal that holds until the deadline is the answer', async () => {
    knowMap();
    const writing = call('put', put, 50);
    dialer.last.connect();
    dialer.last.refuse(dialer.last.requests[0]!, 'OVERLOADED');
    clock.advance(4);
    clock.advance(46);
    tick();
    expect((await refusalOf(writing)).outcome).toBe('not-applied');
  });

  it('S21 an unknown outcome is passed on and not tried again', async () => {
    knowMap();
    const writing = call('put', put);
    dialer.last.connect();
    dialer.last.refuse(dialer.last.requests[0]!, 'STORAGE_FAILED');
    expect(await refusalOf(writing)).toMatchObject({ code: 'STORAGE_FAILED', outcome: 'unknown' });
  });

  it('S21 a refusal that does not parse leaves the outcome of a write unknown', async () => {
    knowMap();
    const writing = call('put', put);
    dialer.last.connect();
    const { call: id } = dialer.last.requests[0]!;
    dialer.last.events.message(
      encodeResponses([{ call: id, status: 'refused', payload: Buffer.from([0xff]) }]),
    );
    expect(await refusalOf(writing)).toMatchObject({ code: 'PRIMARY_LOST', outcome: 'unknown' });
  });
});

describe('lost connections', () => {
  it('a read that was sent is sent again over the next connection', async () => {
    knowMap();
    const reading = call('get', get);
    dialer.last.connect();
    dialer.last.break();
    clock.advance(20);
    expect(dialer.streams).toHaveLength(2);
    dialer.last.connect();
    dialer.last.answer(dialer.last.requests[0]!, ok);
    expect(await reading.result).toEqual(ok);
  });

  it('S21 a write that was sent is not sent again: PRIMARY_LOST, outcome unknown', async () => {
    knowMap();
    const writing = call('put', put);
    dialer.last.connect();
    dialer.last.break();
    expect(await refusalOf(writing)).toMatchObject({ code: 'PRIMARY_LOST', outcome: 'unknown' });
    clock.advance(1_000);
    dialer.last.connect();
    expect(dialer.last.requests).toHaveLength(0);
  });

  it('a write that was not sent is sent over the next connection', async () => {
    knowMap();
    const writing = call('put', put);
    dialer.last.break('connection refused');
    clock.advance(20);
    dialer.last.connect();
    dialer.last.answer(dialer.last.requests[0]!, ok);
    expect(await writing.result).toEqual(ok);
  });

  it('S21 a write whose answer does not come in time: outcome unknown', async () => {
    knowMap();
    const writing = call('put', put, 100);
    dialer.last.connect();
    clock.advance(100);
    expect(await refusalOf(writing)).toMatchObject({ code: 'PRIMARY_LOST', outcome: 'unknown' });
  });

  it('a read whose answer does not come in time: DEADLINE_PASSED', async () => {
    knowMap();
    const reading = call('get', get, 100);
    dialer.last.connect();
    clock.advance(100);
    expect(await refusalOf(reading)).toMatchObject({ code: 'DEADLINE_PASSED' });
  });

  it('the pause before a new connection grows to a second, and no further', () => {
    knowMap();
    call('get', get, 60_000);
    const pauses: number[] = [];
    for (let round = 0; round < 9; round++) {
      const opened = dialer.streams.length;
      const before = clock.now();
      dialer.last.break('refused');
      while (dialer.streams.length === opened) clock.advance(1);
      pauses.push(clock.now() - before);
    }
    expect(pauses[0]).toBeLessThanOrEqual(20);
    expect(pauses.at(-1)).toBeGreaterThan(400);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1_000);
  });

  it('a node that registers anew is tried at once, whatever the pause', () => {
    knowMap();
    call('get', get);
    for (let round = 0; round < 8; round++) {
      dialer.last.break('refused');
      clock.advance(700);
    }
    dialer.last.break('refused');
    const opened = dialer.streams.length;
    map.setNodes([{ ...node, incarnation: 2 as never }]);
    expect(dialer.streams.length).toBe(opened + 1);
  });

  it('garbage from a node ends its stream; the write’s outcome is unknown', async () => {
    knowMap();
    const writing = call('put', put);
    dialer.last.connect();
    dialer.last.events.message(Buffer.from([1, 2, 3]));
    expect(dialer.last.ended).toBe(true);
    expect(await refusalOf(writing)).toMatchObject({ code: 'PRIMARY_LOST' });
  });
});

describe('nodes that come and go', () => {
  it('a node that restarted as another process gets a new connection', () => {
    knowMap();
    call('get', get);
    dialer.last.connect();
    const again = nodeOf('s1', 2);
    map.setNodes([again]);
    map.applyConfigs([{ config: configOf(shard, again, { epoch: 2 as Epoch }), version: 2 }]);
    call('get', get);
    expect(dialer.streams).toHaveLength(2);
    dialer.last.connect();
    expect(dialer.last.requests[0]).toMatchObject({ epoch: 2 });
  });

  it('a node that leaves may still answer what it got, and its link then ends', async () => {
    knowMap();
    const writing = call('put', put);
    const stream = dialer.last;
    stream.connect();
    map.setNodes([]);
    expect(stream.ended).toBe(false);
    stream.answer(stream.requests[0]!, ok);
    expect(await writing.result).toEqual(ok);
    expect(stream.ended).toBe(true);
    stream.break();
    clock.advance(5_000);
    expect(dialer.streams).toHaveLength(1);
  });
});

describe('bounds', () => {
  it('more calls than the limit are refused as OVERLOADED, and room comes back', async () => {
    for (let held = 0; held < LIMITS.queuedCallsMax; held++) call('get', get, 100);
    expect(await refusalOf(call('get', get))).toMatchObject({ code: 'OVERLOADED' });
    clock.advance(100);
    expect(counters.heldCalls).toBe(0);
    call('get', get);
    expect(counters.heldCalls).toBe(1);
  });

  it('more bytes than the limit are refused as OVERLOADED', async () => {
    const large = encodePut(key, Buffer.alloc(1024 * 1024), undefined);
    const fitting = Math.floor(LIMITS.queuedBytesMax / large.length);
    for (let held = 0; held < fitting; held++) call('put', large);
    expect(await refusalOf(call('put', large))).toMatchObject({ code: 'OVERLOADED' });
  });

  it('a request without a key, or far too large, is refused before it is held', async () => {
    expect(await refusalOf(call('get', Buffer.alloc(0)))).toMatchObject({
      code: 'INVALID_REQUEST',
    });
    const huge = encodePut(key, Buffer.alloc(2 * 1024 * 1024), undefined);
    expect(await refusalOf(call('put', huge))).toMatchObject({ code: 'INVALID_REQUEST' });
    expect(counters.heldCalls).toBe(0);
  });

  it('a call that its caller gave up is dropped, wherever it is', () => {
    const waiting = call('get', get);
    waiting.cancel();
    knowMap();
    const queued = call('get', get);
    queued.cancel();
    dialer.last.connect();
    expect(dialer.last.frames).toHaveLength(0);
    const sent = call('get', get);
    tick();
    sent.cancel();
    dialer.last.answer(dialer.last.requests[0]!, ok);
    expect(counters.heldCalls).toBe(0);
    expect(counters.calls.count('get', 'cancelled')).toBe(3);
    expect(clock.pending).toBe(0);
  });

  it('a router that stops refuses what waits and what comes', async () => {
    const waiting = call('get', get);
    dispatcher.stop();
    expect(await refusalOf(waiting)).toMatchObject({ code: 'STOPPING' });
    expect(await refusalOf(call('get', get))).toMatchObject({ code: 'STOPPING' });
  });

  it('a router that stops lets what was sent finish, and refuses what was not', async () => {
    knowMap();
    const [sent, refused] = [call('put', put), call('put', put)];
    dialer.last.connect();
    tick();
    dialer.last.takesMore = false;
    const unsent = call('put', put);
    dispatcher.stop();
    expect(await refusalOf(unsent)).toMatchObject({ code: 'STOPPING', outcome: 'not-applied' });
    const [first, second] = dialer.last.requests;
    dialer.last.answer(first!, ok);
    expect(await sent.result).toEqual(ok);
    // What comes back now is not sent again.
    dialer.last.refuse(second!, 'NODE_BEHIND');
    expect(await refusalOf(refused)).toMatchObject({ code: 'STOPPING' });
    expect(counters.heldCalls).toBe(0);
    tick();
    expect(dialer.last.requests).toHaveLength(2);
  });

  it('a router that stops while its connections are down refuses what waits for them', async () => {
    knowMap();
    const writing = call('put', put);
    dispatcher.stop();
    expect(await refusalOf(writing)).toMatchObject({ code: 'STOPPING', outcome: 'not-applied' });
    expect(clock.pending).toBe(0);
  });
});
