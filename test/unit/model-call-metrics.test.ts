/** Counting calls by how they ended and how long they took. */
import { expect, it } from 'vitest';
import { CallMetrics, DURATION_BOUNDS } from '../../src/model/call-metrics.js';

it('every call is in exactly one bucket, and counted by operation and outcome', () => {
  const calls = new CallMetrics();
  for (const seconds of [0, 0.001, 0.0011, 9.9, 10, 10.1, 3_600]) calls.ended('put', 'ok', seconds);
  calls.ended('put', 'OVERLOADED', 0);
  calls.ended('get', 'ok', 0.2);
  expect(calls.count('put', 'ok')).toBe(7);
  expect(calls.count('delete', 'ok')).toBe(0);
  expect([...calls.counts()]).toContainEqual({
    labels: { op: 'put', outcome: 'OVERLOADED' },
    value: 1,
  });
  const put = [...calls.durations()].find(({ labels }) => labels.op === 'put')!.durations;
  expect(put.counts).toHaveLength(DURATION_BOUNDS.length + 1);
  expect([put.counts[0], put.counts[1], put.counts.at(-2), put.counts.at(-1)]).toEqual([
    3, 1, 2, 2,
  ]);
  expect(put.sum).toBeCloseTo(3_630.0021);
});
