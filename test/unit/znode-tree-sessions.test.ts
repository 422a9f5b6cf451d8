/** When sessions expire: never before their timeout, at most one tick behind it. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { SessionExpiry } from '../../src/znode-tree/session-expiry.js';

const TICK_MS = 500;
let expiry: SessionExpiry;

beforeEach(() => {
  expiry = new SessionExpiry({ tickMs: TICK_MS });
});

describe('the expiry of sessions', () => {
  it.each([
    [1, 1_000],
    [1_000, 1_000],
    [4_321, 4_321],
    [99_999, 10_000],
  ])('a session that asks for %i ms gets %i: 2 to 20 ticks', (requestedMs, grantedMs) => {
    expect(expiry.negotiate(requestedMs)).toBe(grantedMs);
  });

  it('comes at the next tick behind the timeout', () => {
    expiry.track('s', { timeoutMs: 4_000, nowMs: 100 });
    expect(expiry.nextMs).toBe(4_500);
    expect(expiry.expire(4_499)).toEqual([]);
    expect(expiry.expire(4_500)).toEqual(['s']);
    expect(expiry.expire(9_999)).toEqual([]);
    expect(expiry.nextMs).toBeUndefined();
  });

  it('is put off whenever the client is heard of', () => {
    expiry.track('s', { timeoutMs: 4_000, nowMs: 0 });
    expect(expiry.touch('s', 3_000)).toBe(true);
    expect(expiry.expire(7_499)).toEqual([]);
    expect(expiry.expire(7_500)).toEqual(['s']);
  });

  it('is final: a session that expired or was closed cannot be touched', () => {
    expiry.track('expired', { timeoutMs: 1_000, nowMs: 0 });
    expiry.track('closed', { timeoutMs: 4_000, nowMs: 0 });
    expiry.forget('closed');
    expect(expiry.expire(60_000)).toEqual(['expired']);
    expect(expiry.touch('expired', 60_000)).toBe(false);
    expect(expiry.touch('closed', 60_000)).toBe(false);
  });

  it('takes all that are due at once, earliest first', () => {
    expiry.track('late', { timeoutMs: 2_000, nowMs: 0 });
    expiry.track('early', { timeoutMs: 1_000, nowMs: 0 });
    expiry.track('never', { timeoutMs: 10_000, nowMs: 0 });
    expect(expiry.expire(5_000)).toEqual(['early', 'late']);
  });

  it('is never before the timeout and at most a tick behind, however sessions are touched', () => {
    const arbitrary = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(1_500)));
    fc.assert(
      fc.property(arbitrary, (touches) => {
        const each = new SessionExpiry({ tickMs: TICK_MS });
        const heardMs = new Map<string, number>();
        for (const id of ['a', 'b', 'c']) each.track(id, { timeoutMs: 2_000, nowMs: 0 });
        for (const id of ['a', 'b', 'c']) heardMs.set(id, 0);
        let nowMs = 0;
        for (const [id, passedMs] of touches) {
          nowMs += passedMs;
          for (const expired of each.expire(nowMs)) {
            expect(nowMs).toBeGreaterThan(heardMs.get(expired)! + 2_000);
            heardMs.delete(expired);
          }
          for (const ms of heardMs.values()) expect(nowMs).toBeLessThan(ms + 2_000 + TICK_MS);
          expect(each.touch(id, nowMs)).toBe(heardMs.has(id));
          if (heardMs.has(id)) heardMs.set(id, nowMs);
        }
      }),
    );
  });
});
