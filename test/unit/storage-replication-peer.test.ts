/** The stream to another node, without a network: what it counts a lease from, and what ends it. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { MemberId, ShardId } from '../../src/model/ids.js';
import type { ProbeResult, StreamEvents } from '../../src/ports/network.js';
import {
  decodeFrame,
  encodeFrame,
  type Hello,
  type ReplicationRecord,
} from '../../src/storage/replication-frame.js';
import { ReplicationPeer, UNANSWERED_MAX } from '../../src/storage/replication-peer.js';
import { nodeOf, uuidOf } from '../support/configs.js';
import { FakeClock } from '../support/fake-clock.js';
import { silentLog } from '../support/silent-log.js';
import { CountingRandom, Recorder, settle } from '../support/storage-harness.js';

const BEAT_MS = 200;
const { id: node, address, store, process } = nodeOf('s2');
const clusterUuid = uuidOf('cluster');
const OWN: Hello = {
  type: 'hello',
  ...{ node: 's1' as MemberId, store: uuidOf('s1') },
  process: uuidOf('p'),
  clusterUuid,
};
const THEIRS: Hello = { type: 'hello', node, store, process, clusterUuid };

class Stream extends Recorder<Buffer> {
  readonly events: StreamEvents<Buffer>;

  constructor(events: StreamEvents<Buffer>) {
    super();
    this.events = events;
  }

  say(...records: readonly ReplicationRecord[]): void {
    this.events.message(encodeFrame(records));
  }

  get heard(): ReplicationRecord[] {
    return this.messages.flatMap(decodeFrame);
  }
}

describe('the stream to another node', () => {
  let clock: FakeClock;
  let streams: Stream[];
  let told: string[];
  let stale: (() => boolean)[];
  let probe: ProbeResult | Promise<ProbeResult>;
  let peer: ReplicationPeer;
  beforeEach(() => {
    [clock, streams, told, stale, probe] = [new FakeClock(), [], [], [], 'accepted'];
    const dialer = {
      replicate: (_: string, events: StreamEvents<Buffer>) => {
        const stream = new Stream(events);
        streams.push(stream);
        return stream;
      },
      probe: () => Promise.resolve(probe),
    };
    peer = new ReplicationPeer(
      {
        ...{ clock, random: new CountingRandom(), log: silentLog, dialer: dialer as never },
        ...{ hello: () => OWN, settings: { beatMs: BEAT_MS } },
        events: {
          up: (identity) => void told.push(`up ${identity.node}`),
          down: (_, gone) => void told.push(gone ? 'gone' : 'down'),
          leaving: (node) => void told.push(`leaving ${node}`),
          answered: (_, sentAt) => void told.push(`answered ${sentAt}`),
          heard: (...[, , isStale]) => void stale.push(isStale),
        },
      },
      { node, address, store, process },
    );
  });

  async function connected(): Promise<Stream> {
    const stream = streams.at(-1)!;
    await settle(2);
    stream.say(THEIRS);
    await settle(2);
    return stream;
  }

  it('says that the other end is about to stop', async () => {
    const stream = await connected();
    stream.say({ type: 'leaving' });
    expect(told).toEqual([`up ${node}`, `leaving ${node}`]);
  });

  it('S14 a lease counts from when the beat was sent, however long the answer takes', async () => {
    const stream = await connected();
    expect(stream.heard).toEqual([OWN, { type: 'beat', number: 1 }]);
    const sentAt = clock.now();
    clock.advance(BEAT_MS - 1);
    stream.say({ type: 'beatAck', number: 1 });
    expect(told).toEqual([`up ${node}`, `answered ${sentAt}`]);
  });

  it('S14 each beat is answered once, and one that was never sent not at all', async () => {
    const stream = await connected();
    for (const number of [1, 1, 7]) stream.say({ type: 'beatAck', number });
    expect(told.filter((line) => line.startsWith('answered'))).toHaveLength(1);
  });

  it('S14 what was sent on an earlier stream is not answered on the next one', async () => {
    const stream = await connected();
    stream.events.closed('reset');
    clock.advance(BEAT_MS - 1);
    await connected();
    stream.say({ type: 'beatAck', number: 1 });
    streams.at(-1)!.say({ type: 'beatAck', number: 1 });
    expect(told).toEqual([`up ${node}`, 'down', `up ${node}`]);
  });

  it('L5 who answers none for long loses its stream, and whatever waits for it', async () => {
    const stream = await connected();
    for (let beat = 0; beat < UNANSWERED_MAX - 1; beat++) clock.advance(BEAT_MS);
    expect(stream.ended).toBe(false);
    clock.advance(BEAT_MS);
    expect(stream.ended).toBe(true);
    expect(told).toEqual([`up ${node}`, 'down']);
    const next = await (clock.advance(2_000), connected());
    for (let beat = 1; beat <= 2 * UNANSWERED_MAX; beat++) {
      next.say({ type: 'beatAck', number: UNANSWERED_MAX + beat });
      clock.advance(BEAT_MS);
    }
    expect(next.ended).toBe(false);
  });

  it('is opened again later and later, if all that follows its greeting is that it breaks', async () => {
    const pauses: number[] = [];
    for (let times = 0; times < 8; times++) {
      (await connected()).events.closed('too much was sent');
      const [before, brokenAt] = [streams.length, clock.now()];
      while (streams.length === before) clock.advance(1);
      pauses.push(clock.now() - brokenAt);
    }
    expect(pauses).toEqual([15, 30, 60, 120, 240, 480, 750, 750]);
    const stream = await connected();
    stream.say({ type: 'beatAck', number: 9 });
    stream.events.closed('reset');
    clock.advance(15);
    expect(streams).toHaveLength(10);
  });

  it('S16 whoever answers in another store or life is not the replica that is meant', () => {
    for (const change of [{ store: uuidOf('new') }, { process: uuidOf('s2-2') }]) {
      const stream = streams.at(-1)!;
      stream.say({ ...THEIRS, ...change });
      expect(stream.ended).toBe(true);
      clock.advance(2_000);
    }
    expect(streams.length).toBeGreaterThan(2);
    expect(told).toEqual([]);
  });

  it('a process is gone only if its port refuses', async () => {
    (await connected()).events.closed('reset');
    await settle(2);
    expect(told).toEqual([`up ${node}`, 'down']);
    probe = 'refused';
    clock.advance(2_000);
    (await connected()).events.closed('reset');
    await settle(2);
    expect(told.slice(2)).toEqual([`up ${node}`, 'down', 'gone']);
  });

  it('a process whose port had not closed yet is found gone when it is dialled again', async () => {
    (await connected()).events.closed('reset');
    await settle(2);
    expect(told).toEqual([`up ${node}`, 'down']);
    probe = 'refused';
    clock.advance(15);
    streams.at(-1)!.events.closed('refused');
    await settle(2);
    expect(told).toEqual([`up ${node}`, 'down', 'gone']);
  });

  it.each([
    ['a stream that is not needed any more', () => Promise.resolve(peer.close())],
    ['a stream that is up again', connected],
  ])('what its port said of %s is late', async (_, meanwhile) => {
    let answer: (result: ProbeResult) => void = () => undefined;
    probe = new Promise((resolve) => (answer = resolve));
    (await connected()).events.closed('reset');
    clock.advance(15);
    await meanwhile();
    const before = told.length;
    answer('refused');
    await settle(2);
    expect(told.slice(before)).toEqual([]);
  });

  it('S3 what came on a stream that has ended since is known to be stale', async () => {
    const stream = await connected();
    stream.say({
      type: 'dataAck',
      shard: 0 as ShardId,
      shardUuid: uuidOf('x'),
      number: 1,
      parts: 1,
    });
    expect(stale.map((isStale) => isStale())).toEqual([false]);
    stream.events.closed('reset');
    expect(stale.map((isStale) => isStale())).toEqual([true]);
  });
});
