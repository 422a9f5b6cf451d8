/**
 * Who has a session, over which connection, and when it expires. Time is monotonic, and never runs
 * out for a client that was heard of: whatever waits to be read is read first, and after a pause of
 * this process every session has its full timeout again, as under a new leader of an ensemble.
 */
import type { Cancel, Clock } from '../ports/clock.js';
import type { SessionId } from '../znode-tree/requests.js';
import { SessionExpiry } from '../znode-tree/session-expiry.js';
import type { Connection } from './connection.js';

export interface SessionsDeps {
  readonly clock: Clock;
  readonly tickMs: number;
  /** Resolves after everything that had come was read. */
  readonly afterReading: () => Promise<void>;
  /** Its time is over. It is tracked no more. */
  readonly expired: (session: SessionId) => void;
}

/** Sessions end at the end of a part of a tick: at most that much too late. */
const PARTS_OF_TICK = 10;

export class Sessions {
  readonly #deps: SessionsDeps;
  readonly #connections = new Map<SessionId, Connection>();
  #timeouts: ReadonlyMap<SessionId, number>;
  #expiry: SessionExpiry;
  #cancel: Cancel = () => undefined;
  /** When the timer was to fire. */
  #dueMs = 0;
  #stopped = false;

  /** @param timeouts Of the open sessions; the map may change. */
  constructor(deps: SessionsDeps, timeouts: ReadonlyMap<SessionId, number>) {
    this.#deps = deps;
    this.#timeouts = timeouts;
    this.#expiry = this.#begin();
    this.#wait();
  }

  negotiate(requestedMs: number): number {
    return this.#expiry.negotiate(requestedMs);
  }

  /** A session was opened, or its client is back: over this connection from now on. */
  connect(session: SessionId, connection: Connection): void {
    this.#connections.get(session)?.close('its client came over another connection');
    this.#connections.set(session, connection);
    const isNew = !this.#expiry.touch(session, this.#deps.clock.now());
    if (!isNew) return;
    const timeoutMs = this.#timeouts.get(session) ?? 0;
    this.#expiry.track(session, { timeoutMs, nowMs: this.#deps.clock.now() });
    this.#wait();
  }

  disconnect(session: SessionId, connection: Connection): void {
    if (this.#connections.get(session) === connection) this.#connections.delete(session);
  }

  heard(session: SessionId): void {
    this.#expiry.touch(session, this.#deps.clock.now());
  }

  /** False: it was closed, or its time is over. */
  isTracked(session: SessionId): boolean {
    return this.#expiry.isTracked(session);
  }

  /** It was closed. */
  forget(session: SessionId): void {
    this.#expiry.forget(session);
  }

  connectionOf(session: SessionId): Connection | undefined {
    return this.#connections.get(session);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  /** Everybody with the full timeout. */
  #begin(): SessionExpiry {
    const { tickMs, clock } = this.#deps;
    const expiry = new SessionExpiry({ tickMs, roundMs: tickMs / PARTS_OF_TICK });
    const nowMs = clock.now();
    for (const [session, timeoutMs] of this.#timeouts) expiry.track(session, { timeoutMs, nowMs });
    return expiry;
  }

  #wait(): void {
    this.#cancel();
    const { nextMs } = this.#expiry;
    if (nextMs === undefined || this.#stopped) return;
    const { clock } = this.#deps;
    this.#dueMs = Math.max(nextMs, clock.now());
    this.#cancel = clock.after(this.#dueMs - clock.now(), () => void this.#look());
  }

  async #look(): Promise<void> {
    const { clock, tickMs, afterReading, expired } = this.#deps;
    // We slept, and so did everybody's messages.
    if (clock.now() - this.#dueMs > tickMs) this.#expiry = this.#begin();
    await afterReading();
    if (this.#stopped) return;
    for (const session of this.#expiry.expire(clock.now())) expired(session);
    this.#wait();
  }
}
