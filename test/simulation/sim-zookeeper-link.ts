/**
 * The client's side of a simulated session, from the first attempt to connect until it is over.
 * Keeps the promises of the real one (`src/zookeeper/link.ts`), by the client's own clock: nothing
 * is queued while there is no connection; every request ends by its deadline; 2/3 of the timeout
 * without an answer ends the connection, and the proof.
 */
import { assert } from '../../src/model/assert.js';
import type { Cancel, Clock } from '../../src/ports/clock.js';
import type { Outcome } from '../../src/ports/coordinator.js';
import type { WatchedPaths } from '../../src/znode-tree/watched-tree.js';
import type { WatchEvent } from '../../src/znode-tree/watches.js';
import { type Call, CallFaults } from '../support/call-faults.js';
import { failed, outcomeOfRead } from '../support/tree-outcomes.js';
import type { TreeRequest } from '../support/tree-session.js';
import type { ClientEnd, SimConnection } from './sim-zookeeper-connection.js';
import type { SimFault } from './sim-zookeeper-options.js';
import type { SimZooKeeper } from './sim-zookeeper.js';

/** What faults befall: calls of the port, attempts to connect, and heart-beats. */
export type SimCall = Call | 'connect' | 'ping';

export interface SimClientLinkOptions {
  readonly zooKeeper: SimZooKeeper;
  readonly clock: Clock;
  readonly sessionTimeoutMs: number;
  readonly count: (event: string) => void;
  /** What has to be watched again over a new connection. */
  readonly watched: () => WatchedPaths;
}

export interface SimClientLinkEvents {
  connected(): void;
  disconnected(): void;
  /** The session is over. The last event. */
  over(): void;
  proven(isProven: boolean): void;
  event(event: WatchEvent): void;
}

/** As the real client has them. */
const BEATS_PER_TIMEOUT = 12;
const GREETING_MS = 1_000;
const CLOSE_MS = 1_000;
const HISTORY_TIMEOUTS = 2;

export class SimClientLink {
  readonly faults = new CallFaults<SimCall, SimFault>();
  readonly #options: SimClientLinkOptions;
  readonly #events: SimClientLinkEvents;
  readonly #clock: Clock;
  /** Ends each request that was sent and not answered. */
  readonly #unanswered = new Set<(outcome: Outcome<never>) => void>();
  #connection: SimConnection | undefined;
  #isConnected = false;
  #session: { readonly id: string; readonly timeoutMs: number } | undefined;
  #seenZxid = 0;
  #cancelBeat: Cancel = () => undefined;
  /** Of the attempt to connect, or of the pause before the next. */
  #cancelAttempt: Cancel = () => undefined;
  #attemptMs: number;
  #answeredMs: number;
  #sentMs: number;
  /** When the latest request that was answered had been sent: the ensemble knew us then. */
  #provenMs: number;
  #saidSilent = false;
  #isReachable = true;
  #over = false;
  #closed: Promise<void> | undefined;

  constructor(options: SimClientLinkOptions, events: SimClientLinkEvents) {
    this.#options = options;
    this.#events = events;
    this.#clock = options.clock;
    this.#attemptMs = this.#answeredMs = this.#clock.now();
    this.#sentMs = this.#provenMs = this.#attemptMs;
  }

  /** Empty before the first connection. */
  get sessionId(): string {
    return this.#session?.id ?? '';
  }

  get timeoutMs(): number {
    return this.#session?.timeoutMs ?? this.#options.sessionTimeoutMs;
  }

  get isProven(): boolean {
    return !this.#over && this.#clock.now() < this.#provenMs + this.#silenceMs;
  }

  /** Tries to connect until it succeeds or the session is over. */
  connect(): void {
    const { zooKeeper, count } = this.#options;
    if (this.#over) return;
    this.#forgetHistory();
    this.#attemptMs = this.#clock.now();
    const isCurrent = () => this.#connection === connection;
    const client: ClientEnd = {
      welcome: (id, timeoutMs) => this.#welcome({ id, timeoutMs }),
      expired: () => this.#expired(),
      event: (event) => this.#events.event(event),
      closed: () => isCurrent() && this.#lose(),
    };
    const connection = zooKeeper.dial(client, this.#clock);
    this.#connection = connection;
    if (!this.#isReachable) connection.silence();
    const arranged = this.#takeFault('connect');
    if (arranged?.fault === 'not-connected') {
      arranged.then();
      return this.#lose();
    }
    const hello = {
      session: this.#session?.id,
      seenZxid: this.#seenZxid,
      timeoutMs: this.timeoutMs,
    };
    connection.greet(hello, arranged);
    this.#cancelAttempt = this.#clock.after(GREETING_MS + this.timeoutMs / 3, () => {
      count('handshakeTimeouts');
      this.#lose();
    });
  }

  /** False: nothing gets through any more, in silence; it has to be noticed. */
  setReachable(isReachable: boolean): void {
    this.#isReachable = isReachable;
    if (!isReachable) this.#connection?.silence();
  }

  /** Sends one request; ends by the deadline as ok, definitely failed or unknown. */
  send<T>({ work, timeoutMs = this.timeoutMs, answered }: TreeRequest<T>, call: SimCall) {
    const { count } = this.#options;
    if (this.#over) return Promise.resolve<Outcome<T>>(failed('session-lost'));
    if (!this.#isConnected) return Promise.resolve<Outcome<T>>(failed('not-connected'));
    const arranged = this.#takeFault(call);
    if (arranged?.fault === 'not-connected') {
      this.#lose();
      arranged.then();
      return Promise.resolve<Outcome<T>>(failed('not-connected'));
    }
    const sentMs = this.#clock.now();
    this.#sentMs = sentMs;
    return new Promise<Outcome<T>>((resolve) => {
      const end = (outcome: Outcome<T>) => {
        if (!this.#unanswered.delete(end)) return;
        cancel();
        count(outcome.status === 'ok' ? 'answers' : `${outcome.status}s`);
        answered(outcome);
        resolve(outcome);
      };
      const cancel = this.#clock.after(timeoutMs, () => {
        count('timeouts');
        end({ status: 'unknown', reason: 'no answer in time' });
      });
      this.#unanswered.add(end);
      this.#connection?.ask(
        work,
        (outcome, zxid) => {
          assert(zxid >= this.#seenZxid, 'a session never goes back', () => ({ zxid }));
          this.#seenZxid = Math.max(this.#seenZxid, zxid);
          this.#prove(sentMs);
          end(outcome);
        },
        arranged,
      );
    });
  }

  /** Ends the session with the ensemble if it can be reached, and every attempt to come back. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  get #silenceMs(): number {
    return (this.timeoutMs * 2) / 3;
  }

  async #close(): Promise<void> {
    const connection = this.#isConnected && !this.#over ? this.#connection : undefined;
    this.#end();
    if (connection !== undefined) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(CLOSE_MS, resolve);
        connection.endSession(() => {
          cancel();
          resolve();
        });
      });
    }
    this.#hangUp('the session was closed');
  }

  #takeFault(call: SimCall) {
    return this.faults.take(call) ?? this.#options.zooKeeper.takeFault(call);
  }

  #welcome(session: { readonly id: string; readonly timeoutMs: number }): void {
    this.#cancelAttempt();
    this.#session = session;
    this.#isConnected = true;
    const watched = this.#options.watched();
    const { data, exist, child } = watched;
    const isWatching = data.length + exist.length + child.length > 0;
    if (isWatching) this.#connection?.watch(this.#seenZxid, watched);
    // The greeting may have been long on its way.
    this.#prove(this.#attemptMs);
    this.#beatLater();
    this.#events.connected();
  }

  #expired(): void {
    this.#end();
    this.#hangUp('the session is over');
    this.#events.over();
  }

  /** The connection is gone, or the attempt failed. Another one, later. */
  #lose(): void {
    const wasConnected = this.#isConnected;
    this.#hangUp('the connection broke');
    if (this.#over) return;
    const { zooKeeper, count } = this.#options;
    const pauseMs = zooKeeper.draw('redialMs');
    this.#cancelAttempt = this.#clock.after(pauseMs, () => this.connect());
    if (!wasConnected) return;
    count('disconnects');
    this.#events.disconnected();
  }

  #hangUp(reason: string): void {
    this.#cancelAttempt();
    this.#isConnected = false;
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) this.#options.zooKeeper.hangUp(connection);
    for (const end of [...this.#unanswered]) end({ status: 'unknown', reason });
  }

  #end(): void {
    this.#over = true;
    this.#cancelBeat();
    this.#cancelAttempt();
  }

  /**
   * Servers that were wiped or restored know only transactions older than the newest we heard of,
   * and hang up for ever; after a silence that no session survives we claim to have heard of none.
   */
  #forgetHistory(): void {
    const silentMs = this.#clock.now() - this.#answeredMs;
    if (silentMs >= HISTORY_TIMEOUTS * this.timeoutMs) this.#seenZxid = 0;
  }

  #prove(sentMs: number): void {
    this.#answeredMs = this.#clock.now();
    this.#provenMs = Math.max(this.#provenMs, sentMs);
    if (!this.isProven || !this.#saidSilent) return;
    this.#saidSilent = false;
    this.#events.proven(true);
  }

  #beatLater(): void {
    this.#cancelBeat();
    const now = this.#clock.now();
    const silentMs = this.#saidSilent ? Infinity : this.#provenMs + this.#silenceMs - now;
    const pauseMs = Math.min(this.timeoutMs / BEATS_PER_TIMEOUT, silentMs);
    this.#cancelBeat = this.#clock.after(Math.max(pauseMs, 1), () => this.#beat());
  }

  /** Keeps the session alive, notices silence. Goes on through broken connections. */
  #beat(): void {
    const now = this.#clock.now();
    if (!this.isProven && !this.#saidSilent) {
      this.#saidSilent = true;
      this.#events.proven(false);
    }
    if (this.#isConnected) {
      if (now - this.#answeredMs > this.#silenceMs) {
        this.#options.count('silentConnections');
        this.#lose();
      } else if (!this.isProven || now - this.#sentMs > this.timeoutMs / 4) this.#ping();
    }
    if (!this.#over) this.#beatLater();
  }

  #ping(): void {
    const exists: TreeRequest<unknown> = {
      call: 'exists',
      work: { type: 'read', run: (tree) => outcomeOfRead(tree.exists('/')) },
      timeoutMs: this.#silenceMs,
      answered: () => undefined,
    };
    void this.send(exists, 'ping');
  }
}
