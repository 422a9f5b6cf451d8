/** Leases between two nodes, and how far the lease of one peer reaches for one shard. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MemberId } from '../../src/model/ids.js';
import { CatchUps } from '../../src/replication/catch-ups.js';
import { Installs } from '../../src/replication/installs.js';
import { LeaseClaims, LeaseGrants, promiseMs } from '../../src/replication/lease.js';
import { LOG_START } from '../../src/replication/entry.js';
import { Peer } from '../../src/replication/peer.js';
import { placeOf } from '../support/configs.js';
import { GROUP_SETTINGS, LEASE } from '../support/replica-group.js';
import { s2 } from '../support/replica-parts.js';

const holder = 's1' as MemberId;

describe('a lease', () => {
  it('S14 ends at the holder before the promise does, however their clocks run within the bound', () => {
    const rate = fc.double({ min: 1, max: 1 + LEASE.driftMax, noNaN: true });
    const delay = fc.double({ min: 0, max: 2_000, noNaN: true });
    const offset = fc.integer({ min: 0, max: 1_000_000_000 });
    fc.assert(
      fc.property(rate, delay, offset, fc.boolean(), (fast, onItsWay, apart, isGrantorFast) => {
        const holderClock = (now: number) => now * (isGrantorFast ? 1 : fast);
        const grantorClock = (now: number) => now * (isGrantorFast ? fast : 1) + apart;
        const grants = new LeaseGrants(LEASE, grantorClock(0));
        const claims = new LeaseClaims(LEASE);
        grants.grant(holder, grantorClock(100 + onItsWay));
        claims.answered(s2.id, holderClock(100));
        // The true time at which the promise ends.
        const end = (grants.promisedUntil(holder) - apart) / (isGrantorFast ? fast : 1);
        expect(holderClock(end)).toBeGreaterThan(claims.until(s2.id));
      }),
    );
  });

  it('S14 is counted from when the beat was sent; an answer that is overtaken changes nothing', () => {
    const claims = new LeaseClaims(LEASE);
    expect(claims.until(s2.id)).toBe(-Infinity);
    claims.answered(s2.id, 200);
    claims.answered(s2.id, 100);
    expect(claims.until(s2.id)).toBe(800);
  });

  it('S14 B22 a process that starts behaves as if it had promised everybody', () => {
    const grants = new LeaseGrants(LEASE, 1_000);
    expect(grants.promisedUntil(holder)).toBe(-Infinity);
    expect(grants.earlierLifeUntil).toBe(1_000 + promiseMs(LEASE));
  });

  it('S14 a clock that goes back is a bug of ours', () => {
    const grants = new LeaseGrants(LEASE, 0);
    grants.grant(holder, 100);
    expect(() => grants.grant(holder, 99)).toThrow('S14');
  });
});

describe('the lease of a peer for one shard', () => {
  function peerOf(node: typeof s2): Peer {
    const catchUps = new CatchUps(GROUP_SETTINGS);
    return new Peer(placeOf(node), { installs: new Installs({ installsMax: 1 }), catchUps }, 0);
  }

  function following(): Peer {
    const peer = peerOf(s2);
    peer.phase = 'attaching';
    peer.follow(LOG_START, false);
    return peer;
  }

  it('S14 grows with the beats of its node while it follows', () => {
    expect(following().leaseUntil(500)).toBe(500);
  });

  it('S14 counts no beat that its node answers before it follows', () => {
    expect(peerOf(s2).leaseUntil(500)).toBe(-Infinity);
  });

  it('S14 stays where it was when it stops following, through every attempt to attach again', () => {
    const peer = following();
    peer.detach('down', 500);
    peer.phase = 'attaching';
    peer.detach('down', 900);
    expect(peer.leaseUntil(1_000)).toBe(500);
  });

  it('S14 S16 counts for nothing when it is another replica, and so does what that one held', () => {
    const peer = following();
    peer.acknowledge({ ...LOG_START, seq: 7 as never });
    peer.replace(placeOf(s2));
    expect(peer.leaseUntil(900)).toBe(-Infinity);
    expect(peer).toMatchObject({ durable: undefined, phase: 'down' });
  });

  it('S4 acknowledgements are cumulative', () => {
    const peer = following();
    peer.acknowledge({ ...LOG_START, seq: 7 as never });
    peer.acknowledge({ ...LOG_START, seq: 5 as never });
    expect(peer.durable?.seq).toBe(7);
  });

  it('S16 and void when it comes back with less, because its data was set aside', () => {
    const peer = following();
    peer.acknowledge({ ...LOG_START, seq: 7 as never });
    peer.install(5 as never, 0);
    peer.follow({ ...LOG_START, seq: 5 as never }, false);
    expect(peer.durable?.seq).toBe(5);
  });

  it('S3 who did not say what it holds cannot follow', () => {
    expect(() => peerOf(s2).follow(LOG_START, false)).toThrow('S3');
  });
});
