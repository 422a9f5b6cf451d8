/** A system that slept, and a process that did not run: leases counted through that are void. */
import { beforeEach, describe, expect, it } from 'vitest';
import { ShardMap } from '../../src/model/shard-map.js';
import { SINCE_BOOT_STEP_MS } from '../../src/ports/clock.js';
import { LeaseClaims, promiseMs } from '../../src/replication/lease.js';
import { nodeSettings } from '../../src/storage/replica-settings.js';
import { UNSEEN_SLEEP_MS, Wakefulness } from '../../src/storage/wakefulness.js';
import { FakeClock } from '../support/fake-clock.js';
import { LEASE } from '../support/replica-group.js';
import { LoneReplica, s2, s3 } from '../support/replica-parts.js';
import { MemoryLog } from '../support/storage-harness.js';

/** Its clock since boot cuts off as the kernel's does, and reading it may take a while. */
class CoarseClock extends FakeClock {
  /** How long each of the next readings takes. */
  heldUpMs: number[] = [];

  override sinceBoot(): number {
    this.holdUp(this.heldUpMs.shift() ?? 0);
    const sinceBoot = super.sinceBoot();
    return sinceBoot - (sinceBoot % SINCE_BOOT_STEP_MS);
  }
}

describe('a system that slept', () => {
  let clock: CoarseClock;
  let log: MemoryLog;
  let claims: LeaseClaims;
  let wakefulness: Wakefulness;
  beforeEach(() => {
    clock = new CoarseClock();
    log = new MemoryLog();
    claims = new LeaseClaims(LEASE);
    wakefulness = new Wakefulness({ clock, log, claims, settings: LEASE });
  });
  const counts = () => claims.counts(claims.until(s2.id));

  it('S14 no beat that was sent before counts, nor does its answer when it comes later', () => {
    const sentAt = clock.now();
    claims.answered(s2.id, sentAt);
    expect(counts()).toBe(true);
    clock.sleep(UNSEEN_SLEEP_MS + 1);
    wakefulness.look();
    expect(log.has('this system slept')).toBe(true);
    clock.advance(1);
    claims.answered(s2.id, clock.now() - 2);
    expect(counts()).toBe(false);
    claims.answered(s2.id, clock.now());
    expect(counts()).toBe(true);
    expect(claims.heardAt(s2.id)).toBe(clock.now());
  });

  it('each sleep counts once; what the coarse clock rounds is none', () => {
    for (let n = 0; n < 1_000; n++) {
      clock.advance(0.7);
      wakefulness.look();
    }
    expect(log.lines).toEqual([]);
    clock.advance(10 - (clock.now() % 10));
    wakefulness = new Wakefulness({ clock, log, claims, settings: LEASE });
    clock.sleep(10_000);
    wakefulness.look();
    wakefulness.look();
    expect(log.lines.map(({ fields }) => fields)).toEqual([{ ms: 10_000 }]);
    clock.advance(1);
    claims.answered(s2.id, clock.now());
    clock.advance(100_000);
    wakefulness.look();
    expect(log.lines).toHaveLength(1);
  });

  it('S14 what goes unseen is less than a promise outlasts a lease by, on the fastest clock', () => {
    const { driftMax, ...settings } = nodeSettings(new ShardMap());
    const { leaseMs } = settings;
    const promisedMs = promiseMs({ ...settings, driftMax }) / (1 + driftMax);
    const unseen: number[] = [];
    for (let phase = 0; phase < 10; phase++) {
      for (let sleptMs = 1; sleptMs <= 200; sleptMs++) {
        clock = new CoarseClock();
        clock.advance(phase);
        wakefulness = new Wakefulness({ clock, log, claims, settings });
        clock.advance(phase + 0.5);
        claims.answered(s2.id, clock.now());
        clock.sleep(sleptMs);
        wakefulness.look();
        if (counts()) unseen.push(sleptMs);
        clock.advance(leaseMs);
      }
    }
    expect(leaseMs + Math.max(...unseen)).toBeLessThan(promisedMs);
    // As much as the rounding makes it, and no more: each fail-over waits for that.
    expect(Math.max(...unseen)).toBeLessThanOrEqual(UNSEEN_SLEEP_MS);
    expect(Math.min(...unseen)).toBe(1);
  });

  it('S14 many short sleeps are a long one', () => {
    claims.answered(s2.id, clock.now());
    for (let sleptMs = 0; sleptMs <= UNSEEN_SLEEP_MS; sleptMs++) {
      clock.sleep(1);
      wakefulness.look();
    }
    expect(counts()).toBe(false);
  });

  it('S14 a process that is held up while it looks did not sleep, but when it cannot tell', () => {
    claims.answered(s2.id, clock.now());
    clock.heldUpMs = [30, 30];
    wakefulness.look();
    expect(log.lines).toEqual([]);
    expect(counts()).toBe(true);
    clock.heldUpMs = [60, 60, 60];
    wakefulness.look();
    expect(counts()).toBe(false);
  });

  it('S14 a timer that is late by more than half a lease voids them too', () => {
    claims.answered(s2.id, clock.now());
    clock.holdUp(250);
    wakefulness.late(250);
    expect(counts()).toBe(true);
    clock.holdUp(60);
    wakefulness.late(310);
    expect(counts()).toBe(false);
    expect(log.has('did not run for a while')).toBe(true);
  });
});

it('S13 S14 a primary answers no read from a lease of before its system slept', () => {
  const lone = LoneReplica.leading();
  const primary = lone.replica.primary!;
  lone.now += 700;
  for (const { id } of [s2, s3]) lone.claims.answered(id, lone.now - 10);
  expect(primary.mayRead(lone.now)).toBe(true);
  lone.claims.dropBefore(lone.now);
  expect(primary.mayRead(lone.now)).toBe(false);
  lone.claims.answered(s2.id, lone.now + 1);
  expect(primary.mayRead(lone.now + 2)).toBe(false);
  lone.claims.answered(s3.id, lone.now + 1);
  expect(primary.mayRead(lone.now + 2)).toBe(true);
});
