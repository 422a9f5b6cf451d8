/** What dies again and again is started again less and less often. */
import { describe, expect, it } from 'vitest';
import { RestartPauses } from '../../src/cli/restart-pauses.js';

describe('the pause before a restart', () => {
  it('doubles up to 5 s for what dies soon, each by itself, and begins anew after 10 s', () => {
    const pauses = new RestartPauses();
    expect(Array.from({ length: 8 }, () => pauses.next('r1', 9_999))).toEqual([
      ...[100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000],
    ]);
    expect(pauses.next('s1', 1)).toBe(100);
    expect(pauses.next('r1', 10_000)).toBe(100);
    expect(pauses.next('r1', 1)).toBe(200);
  });
});
