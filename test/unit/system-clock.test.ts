import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/system/clock.js';

describe('the clock of this machine', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  it('S14 B15 goes on as before when the wall clock is set, forwards or back', () => {
    const before = systemClock.now();
    for (const hours of [10, -10]) {
      vi.setSystemTime(Date.now() + hours * 3_600_000);
      const passed = systemClock.now() - before;
      expect(passed).toBeGreaterThanOrEqual(0);
      expect(passed).toBeLessThan(60_000);
    }
  });
});
