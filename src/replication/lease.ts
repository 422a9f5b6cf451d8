/**
 * Read leases between two nodes (PacificA, MSR-TR-2008-25, section 2.3; Gray and Cheriton, SOSP
 * 1989): a primary may serve reads while every replica that could replace it has promised not to.
 *
 * One pair of nodes has one lease, whatever number of shards they share. The holder counts from
 * when it *sent* the beat that was answered, the grantor from when it *received* it, and longer; so
 * with clocks whose rates differ by no more than `driftMax` the holder stops first (S14). Neither
 * compares clocks with the other.
 *
 * A promise lives in memory. A process that restarted does not know what it promised before, so it
 * behaves as if it had promised everybody at its start (bug B22).
 */
import { assert } from '../model/assert.js';
import type { MemberId } from '../model/ids.js';

export interface LeaseSettings {
  /** Milliseconds the holder may rely on one beat. Longer: a dead primary is replaced later. */
  readonly leaseMs: number;
  /** How much faster one clock may run than another, as a share. */
  readonly driftMax: number;
  /** Milliseconds added to every promise: what clocks round, and sleeps that a holder overlooks. */
  readonly marginMs: number;
}

/** Milliseconds a grantor keeps a promise. */
export function promiseMs({ leaseMs, driftMax, marginMs }: LeaseSettings): number {
  return leaseMs * (1 + driftMax) + marginMs;
}

/** The grantor's side: until when this process has promised to leave whose shards alone. */
export class LeaseGrants {
  readonly #settings: LeaseSettings;
  readonly #startedAt: number;
  readonly #until = new Map<MemberId, number>();

  /** The settings are read at each use: a process grants nothing before it knows its cluster's. */
  constructor(settings: LeaseSettings, startedAt: number) {
    this.#settings = settings;
    this.#startedAt = startedAt;
  }

  /** A beat of this holder came, and is about to be answered. */
  grant(holder: MemberId, now: number): void {
    const until = now + promiseMs(this.#settings);
    const before = this.#until.get(holder) ?? until;
    assert(until >= before, 'S14', () => ({ holder, until, before }));
    this.#until.set(holder, until);
  }

  /** When the last promise to this holder ends, as far as this life knows. */
  promisedUntil(holder: MemberId): number {
    return this.#until.get(holder) ?? -Infinity;
  }

  /** Until then everybody may hold a promise that an earlier life of this process made. */
  get earlierLifeUntil(): number {
    return this.#startedAt + promiseMs(this.#settings);
  }
}

/** The holder's side: until when it may rely on each grantor. */
export class LeaseClaims {
  readonly #settings: LeaseSettings;
  readonly #until = new Map<MemberId, number>();
  /** Beats that were sent up to then prove nothing. */
  #since = -Infinity;

  /** As in {@link LeaseGrants}. */
  constructor(settings: LeaseSettings) {
    this.#settings = settings;
  }

  /** The grantor answered the beat that was sent at `sentAt`. */
  answered(grantor: MemberId, sentAt: number): void {
    const until = sentAt + this.#settings.leaseMs;
    if (until > this.until(grantor)) this.#until.set(grantor, until);
  }

  /** When the claim on this grantor ends; -Infinity if it never answered. */
  until(grantor: MemberId): number {
    return this.#until.get(grantor) ?? -Infinity;
  }

  /** Time may have passed that our clock did not count: no beat sent up to `now` counts (S14). */
  dropBefore(now: number): void {
    this.#since = now;
  }

  /** Whether a claim that ends at `until` may be relied on: by a beat that counts. */
  counts(until: number): boolean {
    return until - this.#settings.leaseMs > this.#since;
  }

  /** When the newest beat that this grantor answered was sent; -Infinity if it never did. */
  heardAt(grantor: MemberId): number {
    return this.until(grantor) - this.#settings.leaseMs;
  }
}
