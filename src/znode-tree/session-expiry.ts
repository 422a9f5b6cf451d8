/**
 * When sessions expire. The one server that leads decides; a client can only guess. Pure: `nowMs`
 * comes in, from any monotonic clock, and never goes back.
 *
 * As in ZooKeeper (`SessionTrackerImpl`, `ExpiryQueue` of 3.8) the end of a session is rounded up
 * to the next tick, so that all that end in one tick do so together: a session lives up to one tick
 * longer than its timeout. It may be rounded to a part of a tick instead. A new leader knows
 * nothing of the past and gives each its full timeout again (a new instance that tracks them all).
 */
import { assert } from '../model/assert.js';
import type { SessionId } from './requests.js';

/** A session may ask for any timeout; it gets one of 2 to 20 ticks. */
const TIMEOUT_TICKS = { min: 2, max: 20 };

export class SessionExpiry {
  readonly #tickMs: number;
  readonly #roundMs: number;
  readonly #sessions = new Map<SessionId, { readonly timeoutMs: number; endMs: number }>();
  /** By the time at which they end: a multiple of what is rounded to. */
  readonly #due = new Map<number, Set<SessionId>>();

  constructor({
    tickMs,
    roundMs = tickMs,
  }: { readonly tickMs: number; readonly roundMs?: number }) {
    assert(tickMs > 0 && roundMs > 0, 'ticks last');
    this.#tickMs = tickMs;
    this.#roundMs = roundMs;
  }

  /** What a session gets that asks for this timeout; both in milliseconds. */
  negotiate(requestedMs: number): number {
    const { min, max } = TIMEOUT_TICKS;
    return Math.min(Math.max(requestedMs, min * this.#tickMs), max * this.#tickMs);
  }

  /** A session that was opened now, or one of before that now has its full timeout again. */
  track(id: SessionId, times: { readonly timeoutMs: number; readonly nowMs: number }): void {
    assert(!this.#sessions.has(id), 'a session is tracked once', () => ({ id }));
    this.#sessions.set(id, { timeoutMs: times.timeoutMs, endMs: 0 });
    this.touch(id, times.nowMs);
  }

  isTracked(id: SessionId): boolean {
    return this.#sessions.has(id);
  }

  /** Its client was heard of. False: there is no such session, or not any more. */
  touch(id: SessionId, nowMs: number): boolean {
    const session = this.#sessions.get(id);
    if (session === undefined) return false;
    const endMs = (Math.floor((nowMs + session.timeoutMs) / this.#roundMs) + 1) * this.#roundMs;
    if (endMs === session.endMs) return true;
    this.#leaveDue(id, session.endMs);
    session.endMs = endMs;
    this.#due.set(endMs, (this.#due.get(endMs) ?? new Set()).add(id));
    return true;
  }

  /** It was closed. */
  forget(id: SessionId): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    this.#leaveDue(id, session.endMs);
  }

  /** Those whose time is over, earliest first. They are tracked no more. */
  expire(nowMs: number): readonly SessionId[] {
    const ends = [...this.#due.keys()].filter((endMs) => endMs <= nowMs).sort((a, b) => a - b);
    const expired = ends.flatMap((endMs) => [...(this.#due.get(endMs) ?? [])]);
    for (const id of expired) this.forget(id);
    return expired;
  }

  /** When to ask again; undefined while there is no session. */
  get nextMs(): number | undefined {
    return this.#due.size === 0 ? undefined : Math.min(...this.#due.keys());
  }

  #leaveDue(id: SessionId, endMs: number): void {
    const others = this.#due.get(endMs);
    others?.delete(id);
    if (others?.size === 0) this.#due.delete(endMs);
  }
}
