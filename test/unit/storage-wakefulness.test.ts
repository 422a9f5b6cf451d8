/** A system that slept, and a process that did not run: leases counted through that are void. */
import { beforeEach, describe, expect, it } from 'vitest';
import { LeaseClaims } from '../../src/replication/lease.js';
import { Wakefulness } from '../../src/storage/wakefulness.js';
import { FakeClock } from '../support/fake-clock.js';
import { LEASE } from '../support/replica-group.js';
import { LoneReplica, s2, s3 } from '../support/replica-parts.js';
import { MemoryLog } from '../support/storage-harness.js';

describe('a system that slept', () => {
  let clock: FakeClock;
  let log: MemoryLog;
  let claims: LeaseClaims;
  let wakefulness: Wakefulness;
  beforeEach(() => {
    clock = new FakeClock();
    log = new MemoryLog();
    claims = new LeaseClaims(LEASE);
    wakefulness = new Wakefulness({ clock, log, claims, settings: LEASE });
  });
  const counts = () => claims.counts(claims.until(s2.id));

  it('S14 no beat that was sent before counts, nor does its answer when it comes later', () => {
    const sentAt = clock.now();
    claims.answered(s2.id, sentAt);
    expect(counts()).toBe(true);
    clock.sleep(101);
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
    for (const ms of [60, -60, 30, -30]) {
      clock.sleep(ms);
      wakefulness.look();
    }
    expect(log.lines).toEqual([]);
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
