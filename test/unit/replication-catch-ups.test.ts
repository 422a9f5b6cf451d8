/** What is on its way to the replicas of a node that catch up, over all shards. */
import { describe, expect, it } from 'vitest';
import type { MemberId } from '../../src/model/ids.js';
import { CatchUps } from '../../src/replication/catch-ups.js';

const [S2, S3] = ['s2', 's3'] as MemberId[] as [MemberId, MemberId];
const SETTINGS = { catchUpNodeEntries: 10, catchUpNodeBytes: 1_000 };

describe('what is on its way to a node', () => {
  it('is the sum over its replicas, and has a bound in entries and one in bytes', () => {
    const catchUps = new CatchUps(SETTINGS);
    const [one, two, elsewhere] = [{ node: S2 }, { node: S2 }, { node: S3 }];
    catchUps.set(one, { entries: 6, bytes: 60 }, 0);
    expect(catchUps.isFull(S2)).toBe(false);
    catchUps.set(two, { entries: 4, bytes: 40 }, 0);
    expect(catchUps.isFull(S2)).toBe(true);
    expect(catchUps.isFull(S3)).toBe(false);
    catchUps.set(two, { entries: 3, bytes: 30 }, 0);
    expect(catchUps.isFull(S2)).toBe(false);
    catchUps.set(elsewhere, { entries: 1, bytes: 1_000 }, 0);
    expect(catchUps.isFull(S3)).toBe(true);
  });

  it('is less by what a replica had that is gone, however often that is said', () => {
    const catchUps = new CatchUps(SETTINGS);
    const [one, two] = [{ node: S2 }, { node: S2 }];
    catchUps.set(one, { entries: 9, bytes: 9 }, 0);
    catchUps.set(two, { entries: 9, bytes: 9 }, 0);
    catchUps.end(one);
    catchUps.end(one);
    expect(catchUps.isFull(S2)).toBe(false);
    catchUps.set(one, { entries: 1, bytes: 1 }, 0);
    expect(catchUps.isFull(S2)).toBe(true);
  });

  it('tells when any of it was last acknowledged: sending more is no progress', () => {
    const catchUps = new CatchUps(SETTINGS);
    const [one, two] = [{ node: S2 }, { node: S2 }];
    expect(catchUps.progressAt(S2)).toBe(-Infinity);
    catchUps.set(one, { entries: 2, bytes: 2 }, 5);
    catchUps.set(two, { entries: 1, bytes: 1 }, 6);
    expect(catchUps.progressAt(S2)).toBe(5);
    catchUps.set(one, { entries: 1, bytes: 1 }, 7);
    expect(catchUps.progressAt(S2)).toBe(7);
    catchUps.end(two);
    expect(catchUps.progressAt(S2)).toBe(7);
  });
});
