import { describe, expect, it } from 'vitest';
import { WritePauses } from '../../bench/write-pauses.js';

function line(ms: number, msg: string, shard: number, epoch: number): string {
  const time = new Date(1_000_000 + ms).toISOString();
  return JSON.stringify({ time, level: 'debug', member: 's1', msg, shard, epoch });
}

describe('the write pauses of a benchmark', () => {
  it('last from the end of the primary until its successor serves', () => {
    const pauses = new WritePauses();
    pauses.hear(line(0, 'serving', 5, 1));
    pauses.hear(line(10, 'hand-over-begun', 5, 1));
    pauses.hear(line(12, 'hand-over-begun', 6, 4));
    pauses.hear(line(45, 'serving', 5, 2));
    expect(pauses.take()).toEqual([{ shard: 5, tookMs: 35, isGivenUp: false }]);
    pauses.hear(line(72, 'serving', 6, 6));
    pauses.hear(line(99, 'serving', 6, 7));
    expect(pauses.take()).toEqual([{ shard: 6, tookMs: 60, isGivenUp: false }]);
    expect(pauses.take()).toEqual([]);
  });

  it('or until it goes on itself', () => {
    const pauses = new WritePauses();
    pauses.hear(line(10, 'hand-over-begun', 5, 3));
    pauses.hear(line(11, 'serving', 5, 3)); // Said before, heard later.
    pauses.hear(line(1_010, 'hand-over-given-up', 5, 3));
    pauses.hear(line(1_500, 'serving', 5, 4));
    expect(pauses.take()).toEqual([{ shard: 5, tookMs: 1_000, isGivenUp: true }]);
  });

  it('are all that is read of a log', () => {
    const pauses = new WritePauses();
    pauses.hear('[r1] not JSON');
    pauses.hear(line(10, 'ready', 5, 3));
    pauses.hear(line(11, 'serving', 5, 4));
    expect(pauses.take()).toEqual([]);
  });
});
