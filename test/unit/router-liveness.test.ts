/** When a process is taken for dead, by what it says, what its port says, and how late we are. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BEAT_MS } from '../../src/router/heartbeat.js';
import { Liveness, SUSPECT_MS } from '../../src/router/liveness.js';

describe('silence', () => {
  it('is believed after its time, once, and counts from the last word', () => {
    const liveness = new Liveness(0);
    expect(liveness.heard(700)).toBe(false);
    expect(liveness.passed(700 + SUSPECT_MS - 1, 0)).toBeUndefined();
    expect(liveness.passed(700 + SUSPECT_MS, 0)).toBe('silent');
    expect(liveness.passed(700 + 9 * SUSPECT_MS, 0)).toBeUndefined();
  });

  it('of one that never said anything counts from the first attempt', () => {
    const liveness = new Liveness(5_000);
    expect(liveness.passed(5_000 + SUSPECT_MS - 1, 0)).toBeUndefined();
    expect(liveness.passed(5_000 + SUSPECT_MS, 0)).toBe('silent');
  });

  it('is over with the next word, and may begin anew', () => {
    const liveness = new Liveness(0);
    liveness.passed(SUSPECT_MS, 0);
    expect(liveness.heard(SUSPECT_MS + 1)).toBe(true);
    expect(liveness.heard(SUSPECT_MS + 2)).toBe(false);
    expect(liveness.passed(2 * SUSPECT_MS + 2, 0)).toBe('silent');
  });

  it('while we were held up does not count: everybody gets the whole time anew', () => {
    const liveness = new Liveness(0);
    const wokenAt = 10 * SUSPECT_MS;
    expect(liveness.passed(wokenAt, wokenAt - BEAT_MS)).toBeUndefined();
    expect(liveness.passed(wokenAt + SUSPECT_MS - 1, 0)).toBeUndefined();
    expect(liveness.passed(wokenAt + SUSPECT_MS, 0)).toBe('silent');
  });
});

describe('a port that refuses', () => {
  it('is believed, once, until its process speaks', () => {
    const liveness = new Liveness(0);
    expect(liveness.probed('refused')).toBe('refused');
    expect(liveness.probed('refused')).toBeUndefined();
    expect(liveness.passed(SUSPECT_MS, 0), 'it is suspected already').toBeUndefined();
    expect(liveness.heard(SUSPECT_MS)).toBe(true);
    expect(liveness.probed('refused')).toBe('refused');
  });

  it.each(['accepted', 'silent'] as const)('is something else than one that is %s', (result) => {
    const liveness = new Liveness(0);
    expect(liveness.probed(result)).toBeUndefined();
    expect(liveness.isSuspected).toBe(false);
  });

  it('does not make up for a process that says nothing when it accepts', () => {
    const liveness = new Liveness(0);
    liveness.probed('accepted');
    expect(liveness.passed(SUSPECT_MS, 0)).toBe('silent');
    liveness.probed('accepted');
    expect(liveness.isSuspected).toBe(true);
  });
});

it('nobody who answers each ping in time is suspected, however often we are held up', () => {
  /** How late each beat of ours is, and how long the answer to its ping takes. */
  const beats = fc.array(
    fc.record({ lateMs: fc.nat(30_000), answerMs: fc.nat(SUSPECT_MS / 2 - BEAT_MS) }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(beats, (schedule) => {
      const liveness = new Liveness(0);
      /** When what was said arrives at our machine; we read it after the next beat. */
      let arrivesAt = 0;
      let now = 0;
      for (const { lateMs, answerMs } of schedule) {
        now += BEAT_MS + lateMs;
        expect(liveness.passed(now, lateMs)).toBeUndefined();
        if (arrivesAt <= now) liveness.heard(now);
        arrivesAt = now + answerMs;
      }
    }),
  );
});
