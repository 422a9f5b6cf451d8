/** What is kept of reads: only what is committed, and within its memory. */
import { describe, expect, it } from 'vitest';
import type { Seq } from '../../src/model/ids.js';
import { ReadMemory } from '../../src/replication/read-cache.js';

const recordOf = (seq: number, bytes = 1) => ({ value: Buffer.alloc(bytes), seq: seq as Seq });
/** Room for about so many small records, in both generations. */
const memoryFor = (records: number) => new ReadMemory({ readBytesMax: records * 402 });

describe('a cache', () => {
  it('knows what was kept, absence too, until it is forgotten', () => {
    const cache = memoryFor(100).open();
    const record = recordOf(7);
    expect(cache.find('a')).toBeUndefined();
    cache.keep('a', record);
    cache.keep('b', null);
    expect([cache.find('a'), cache.find('b')]).toEqual([record, null]);
    cache.forget('a');
    cache.forget('b');
    cache.forget('c');
    expect([cache.find('a'), cache.find('b')]).toEqual([undefined, undefined]);
  });

  it('forgets what has grown old, not what was asked for lately', () => {
    const cache = memoryFor(20).open();
    cache.keep('asked', recordOf(1));
    cache.keep('not asked', recordOf(2));
    for (let n = 0; n < 50; n++) {
      cache.keep(`k${n}`, recordOf(n + 3));
      expect(cache.find('asked')?.seq).toBe(1);
    }
    expect(cache.find('not asked')).toBeUndefined();
    const kept = Array.from({ length: 50 }, (_, n) => cache.find(`k${n}`)).filter(Boolean).length;
    expect(kept).toBeGreaterThanOrEqual(8);
    expect(kept).toBeLessThanOrEqual(20);
  });

  it('forgets what is old as well', () => {
    const cache = memoryFor(20).open();
    cache.keep('a', recordOf(1));
    for (let n = 0; n < 12; n++) cache.keep(`k${n}`, recordOf(n + 2));
    cache.forget('a');
    expect(cache.find('a')).toBeUndefined();
  });

  it('keeps no large value, and nothing once it is closed', () => {
    const cache = memoryFor(1_000_000).open();
    cache.keep('small', recordOf(1, 16 * 1024));
    cache.keep('large', recordOf(2, 16 * 1024 + 1));
    expect([cache.find('small')?.seq, cache.find('large')]).toEqual([1, undefined]);
    cache.close();
    cache.keep('late', recordOf(3));
    expect([cache.find('small'), cache.find('late')]).toEqual([undefined, undefined]);
  });
});

it('the caches of a node share its memory: one that is asked more has more of it', () => {
  const memory = memoryFor(20);
  const [busy, idle] = [memory.open(), memory.open()];
  idle.keep('a', recordOf(1));
  for (let n = 0; n < 50; n++) busy.keep(`k${n}`, recordOf(n));
  expect(idle.find('a')).toBeUndefined();
  expect(busy.find('k49')).toBeDefined();
  expect([memory.hits, memory.misses]).toEqual([1, 1]);
  busy.close();
  expect(memory.caches).toBe(1);
});
