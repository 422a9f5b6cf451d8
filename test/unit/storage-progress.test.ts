/** What a storage node tells operators of the learners of its primaries. */
import { describe, expect, it } from 'vitest';
import type { MemberId, ShardId } from '../../src/model/ids.js';
import { LEARNERS_TOLD_MAX, type ProgressReport } from '../../src/model/member-messages.js';
import type { ShardConfig } from '../../src/model/shard-config.js';
import { Progress, type WatchedReplica } from '../../src/storage/progress.js';
import { nodeOf } from '../support/configs.js';
import { sharedBy } from '../support/control-harness.js';
import { ManualClock } from '../support/storage-harness.js';

const [s1, s2, s3] = [nodeOf('s1'), nodeOf('s2'), nodeOf('s3')];

type PeerView = ReturnType<NonNullable<WatchedReplica['primary']>['peer']>;

class Watched {
  readonly clock = new ManualClock();
  readonly told: ProgressReport[] = [];
  readonly progress: Progress;
  replicas: WatchedReplica[] = [];
  sentBytes: number | undefined;

  constructor() {
    this.progress = new Progress({
      self: s1.id,
      clock: this.clock,
      replicas: () => this.replicas,
      sentBytes: () => this.sentBytes,
      tell: (report) => this.told.push(report),
    });
    this.progress.start();
  }

  /** What is told in the next second; undefined: nothing. */
  next(): ProgressReport['learners'] | undefined {
    const { length } = this.told;
    this.clock.advance(1_000);
    return this.told[length]?.learners;
  }
}

/** A shard led by s1, with these learners as it sees them, and a log of 9 entries. */
function led(shard: number, peers: Readonly<Record<string, PeerView>>): WatchedReplica {
  const learners = Object.keys(peers) as MemberId[];
  const config: ShardConfig = sharedBy(shard, [s1, s2, s3], { isr: [s1.id], learners });
  return {
    config,
    primary: { epoch: config.epoch, peer: (node) => peers[node] },
    problem: undefined,
    body: { log: { last: { seq: 9 } } },
  };
}

const position = (seq: number) => ({ seq, epoch: 1, chain: 0 }) as never;

describe('the progress of learners', () => {
  it('is what the log lacks, or the data that was sent, and since when', () => {
    const test = new Watched();
    test.replicas = [
      led(0, { s2: { phase: 'following', durable: position(4) } }),
      led(1, { s2: { phase: 'installing', durable: undefined } }),
      led(2, { s2: { phase: 'down', durable: position(3) }, s3: undefined }),
    ];
    test.sentBytes = 4_096;
    const about = (shard: number, node: string) => ({ shard: shard as ShardId, node, epoch: 4 });
    expect(test.next()).toEqual([
      { ...about(0, 's2'), by: 'log', done: 4, total: 9, forMs: 0 },
      { ...about(1, 's2'), by: 'snapshot', done: 4_096, total: 0, forMs: 0 },
      { ...about(2, 's2'), by: 'nothing', done: 3, total: 9, forMs: 0 },
      { ...about(2, 's3'), by: 'nothing', done: 0, total: 9, forMs: 0 },
    ]);
    expect(test.next()?.map(({ forMs }) => forMs)).toEqual([1_000, 1_000, 1_000, 1_000]);
  });

  it('is not told while there is none, and its end is told once', () => {
    const test = new Watched();
    expect(test.next()).toBeUndefined();
    test.replicas = [led(0, { s2: { phase: 'following', durable: position(4) } })];
    expect(test.next()).toHaveLength(1);
    test.replicas = [{ ...test.replicas[0]!, primary: undefined }];
    expect(test.next()).toEqual([]);
    expect(test.next()).toBeUndefined();
    // It begins anew: this is another time out of sync.
    test.replicas = [led(0, { s2: { phase: 'following', durable: position(4) } })];
    expect(test.next()).toMatchObject([{ forMs: 0 }]);
  });

  it('goes with what is damaged on this node, until nothing is', () => {
    const test = new Watched();
    const sound = led(5, {});
    test.replicas = [led(4, {}), { ...sound, problem: 'a record is not what was written' }];
    expect(test.next()).toEqual([]);
    const damaged = [{ shard: 5, node: s1.id, problem: 'a record is not what was written' }];
    expect(test.told.at(-1)).toEqual({
      type: 'progress',
      learners: [],
      damaged,
      outdated: [],
      used: [],
    });
    test.replicas = [sound];
    expect(test.next()).toEqual([]);
    expect(test.told.at(-1)?.damaged).toEqual([]);
    expect(test.next()).toBeUndefined();
  });

  it('is bounded: those that are under way come first', () => {
    const test = new Watched();
    test.replicas = Array.from({ length: 400 }, (_, shard) => {
      const phase = shard === 399 ? 'following' : 'down';
      return led(shard, { s2: { phase, durable: undefined } });
    });
    const learners = test.next()!;
    expect(learners).toHaveLength(LEARNERS_TOLD_MAX);
    expect(learners[0]).toMatchObject({ shard: 399, by: 'log' });
  });
});
