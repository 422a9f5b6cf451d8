/**
 * One library client, from its first attempt to connect until its session is over: the states that
 * count, requests with deadlines, and the heart-beat that the library lacks.
 *
 *  - A request is sent only while connected; nothing is queued for later. What the library still
 *    had queued when the connection broke was never sent, and fails as such.
 *  - Every request ends by its deadline, whatever the library does with its callback.
 *  - The library notices neither a silent server nor one that accepts and never greets. 2/3 of the
 *    session timeout without an answer (whatever else comes in), or a handshake that takes too
 *    long, ends the connection; the library then tries the next server and keeps the session.
 */
import { LIMITS } from '../model/limits.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Outcome } from '../ports/coordinator.js';
import {
  CODE,
  type ConnectionManager,
  createManager,
  MANAGER,
  type Packet,
  type ProtocolError,
  type ResponsePayload,
} from './library.js';
import { failed, outcomeOf } from './outcomes.js';
import { readRequest, type Request } from './requests.js';

export interface LinkOptions {
  readonly servers: string;
  readonly sessionTimeoutMs: number;
  readonly auth: { readonly user: string; readonly password: string } | undefined;
  readonly clock: Clock;
  readonly count: (event: string) => void;
}

export interface LinkEvents {
  connected(): void;
  disconnected(): void;
  /** The session is over: the server said so, or the credentials were refused. The last event. */
  over(why: string): void;
  /** False: no answer for 2/3 of the session timeout. True: one came after such a silence. */
  proven(isProven: boolean): void;
}

/** How often silence is looked for, as a part of the session timeout. */
const BEATS_PER_TIMEOUT = 12;
/** The pause before an attempt, and time to greet. */
const GREETING_MS = 1_000;
/**
 * What an attempt may take besides, as a part of the session timeout: the one after it is to come
 * before the session expires. A server that starts may lose a connection (ZooKeeper 3.8 fails to
 * close it), and with a single one the library would wait for a whole timeout.
 */
const ATTEMPT_PART = 1 / 2;
const CLOSE_MS = 1_000;
/** So many session timeouts without an answer, and reads need not go on from where they were. */
const HISTORY_TIMEOUTS = 2;
const NO_TRANSACTION = Buffer.alloc(8);

export class Link {
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #manager: ConnectionManager;
  readonly #disable: () => void;
  #cancelBeat: Cancel = () => undefined;
  #cancelWatchdog: Cancel = () => undefined;
  /** When the last attempt to connect began. */
  #attemptMs: number;
  /** When the last answer came, the server's greeting being one. */
  #answeredMs: number;
  #sentMs: number;
  /** When the latest request that was answered had been sent: the server knew us then. */
  #provenMs: number;
  #saidSilent = false;
  #over = false;
  /** The last thing that went wrong with a socket, in words. */
  lastError = '';

  constructor(options: LinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#events = events;
    this.#attemptMs = this.#answeredMs = options.clock.now();
    this.#sentMs = this.#provenMs = this.#attemptMs;
    const { manager, disable } = createManager({
      ...options,
      socketError: (error) => {
        this.lastError = error.message;
      },
    });
    this.#manager = manager;
    this.#disable = disable;
    manager.on('state', (state) => this.#onState(state));
  }

  connect(): void {
    this.#manager.connect();
  }

  get sessionId(): string {
    return this.#manager.sessionId.toString('hex');
  }

  get timeoutMs(): number {
    return this.#manager.sessionTimeout;
  }

  get isConnected(): boolean {
    return !this.#over && this.#manager.state === MANAGER.connected;
  }

  /** Whether the server answered something that was sent within the last 2/3 of the timeout. */
  get isProven(): boolean {
    return !this.#over && this.#options.clock.now() < this.#provenMs + this.#silenceMs;
  }

  get manager(): Pick<
    ConnectionManager,
    'registerDataWatcher' | 'registerExistenceWatcher' | 'registerChildWatcher'
  > {
    return this.#manager;
  }

  /**
   * Sends one request; ends by the deadline as ok, definitely failed or unknown.
   *
   * `answered` is called on the library's stack, before the next packet is parsed: a watch that the
   * request set has to be registered there, because the very next packet may be its event.
   */
  send(
    { request, bytes }: Request,
    timeoutMs: number,
    answered: (outcome: Outcome<ResponsePayload>) => void = () => undefined,
  ): Promise<Outcome<ResponsePayload>> {
    const { clock, count } = this.#options;
    if (bytes > LIMITS.znodeRequestBytesMax) {
      const message = `a request of ${bytes} bytes, the limit is ${LIMITS.znodeRequestBytesMax}`;
      return Promise.resolve(failed('too-large', message));
    }
    if (this.#over) return Promise.resolve(failed('session-lost', 'the session is over'));
    if (!this.isConnected) return Promise.resolve(failed('not-connected', 'no connection'));
    return new Promise((resolve) => {
      let isLate = false;
      const sentMs = clock.now();
      this.#sentMs = sentMs;
      const cancel = clock.after(timeoutMs, () => {
        isLate = true;
        count('timeouts');
        resolve(this.#takeBack(request) ?? { status: 'unknown', reason: 'no answer in time' });
      });
      // The promise also keeps callers out of the library's stack: it calls back while its own
      // state is half changed.
      this.#manager.queue(request, (error, response) => {
        cancel();
        const outcome = this.#outcomeOf(error, response?.payload);
        if (isAnswer(outcome)) this.#prove(sentMs);
        if (isLate) return;
        answered(outcome);
        resolve(outcome);
      });
    });
  }

  /** Ends the session with the server if it can be reached, and every attempt to come back. */
  async close(): Promise<void> {
    const wasConnected = this.isConnected;
    this.#end();
    this.#disable();
    const { socket } = this.#manager;
    if (wasConnected && socket !== undefined && !socket.destroyed) {
      const gone = new Promise<void>((resolve) => {
        const cancel = this.#options.clock.after(CLOSE_MS, resolve);
        socket.once('close', () => {
          cancel();
          resolve();
        });
      });
      this.#manager.close();
      await gone;
    }
    this.#manager.state = MANAGER.closed;
    this.#manager.socket?.destroy();
  }

  #outcomeOf(
    error: ProtocolError | null,
    payload: ResponsePayload | undefined,
  ): Outcome<ResponsePayload> {
    const { count } = this.#options;
    if (error === null && payload !== undefined) {
      count('answers');
      return { status: 'ok', value: payload };
    }
    const outcome = outcomeOf(
      error ?? Object.assign(new Error('no response'), { code: CODE.connectionLoss }),
    );
    count(outcome.status === 'failed' ? 'failures' : 'unknowns');
    return outcome;
  }

  get #silenceMs(): number {
    return (this.#manager.sessionTimeout * 2) / 3;
  }

  #prove(sentMs: number): void {
    this.#answeredMs = this.#options.clock.now();
    this.#provenMs = Math.max(this.#provenMs, sentMs);
    if (!this.isProven || !this.#saidSilent) return;
    this.#saidSilent = false;
    // Not on the library's stack.
    queueMicrotask(() => {
      if (this.isProven) this.#events.proven(true);
    });
  }

  /** A request that still waits behind a full socket was never sent, and now never is. */
  #takeBack(request: object): Outcome<never> | undefined {
    const { queue } = this.#manager.packetQueue;
    const index = queue.findIndex((packet) => packet.request === request);
    if (index < 0) return undefined;
    queue.splice(index, 1);
    return failed('not-connected', 'the connection took no more requests');
  }

  #onState(state: number): void {
    if (this.#over) return;
    this.#cancelWatchdog();
    switch (state) {
      case MANAGER.connecting:
        this.#attemptMs = this.#options.clock.now();
        return this.#watchHandshake();
      case MANAGER.connected:
        // The greeting may have been long on its way.
        this.#prove(this.#attemptMs);
        this.#beatLater();
        return this.#events.connected();
      case MANAGER.disconnected:
        this.#failUnsent();
        this.#forgetHistory();
        this.#options.count('disconnects');
        return this.#events.disconnected();
      case MANAGER.expired:
        this.#end();
        return this.#events.over('the server says that it expired');
      case MANAGER.authFailed:
        this.#end();
        return this.#events.over('the server refused the credentials');
      default:
        return; // Closing and closed: ours, and already known.
    }
  }

  #end(): void {
    this.#over = true;
    this.#cancelBeat();
    this.#cancelWatchdog();
    this.#failUnsent();
  }

  /**
   * A server that was restored from a backup, or wiped, knows only transactions older than the
   * newest we heard of, and hangs up on us for ever (rule Z12). So after a silence in which the
   * session should have expired we claim to have heard of none: then it says so.
   */
  #forgetHistory(): void {
    const silentMs = this.#options.clock.now() - this.#answeredMs;
    if (silentMs < HISTORY_TIMEOUTS * this.#manager.sessionTimeout) return;
    this.#manager.zxid = NO_TRANSACTION;
  }

  #failUnsent(): void {
    const unsent: Packet[] = this.#manager.packetQueue.queue.splice(0);
    for (const { callback } of unsent) {
      callback(Object.assign(new Error('not sent: the connection broke'), { code: CODE.notSent }));
    }
  }

  #watchHandshake(): void {
    const { clock, count } = this.#options;
    const { connectTimeout, sessionTimeout } = this.#manager;
    const attemptMs = Math.min(connectTimeout, sessionTimeout * ATTEMPT_PART);
    this.#cancelWatchdog = clock.after(attemptMs + GREETING_MS, () => {
      count('handshakeTimeouts');
      const isAccepted = this.#manager.socket?.connecting === false;
      const what = isAccepted ? 'it accepts connections but does not answer' : 'it does not answer';
      // As an error: only then the library forgets its own timeout, which would end the next one.
      this.#manager.socket?.destroy(new Error(what));
      this.#watchHandshake();
    });
  }

  #beatLater(): void {
    this.#cancelBeat();
    const now = this.#options.clock.now();
    const silentMs = this.#saidSilent ? Infinity : this.#provenMs + this.#silenceMs - now;
    const pauseMs = Math.min(this.#manager.sessionTimeout / BEATS_PER_TIMEOUT, silentMs);
    this.#cancelBeat = this.#options.clock.after(Math.max(pauseMs, 1), () => this.#beat());
  }

  /** Keeps the session alive, notices silence. Goes on through broken connections. */
  #beat(): void {
    const now = this.#options.clock.now();
    if (!this.isProven && !this.#saidSilent) {
      this.#saidSilent = true;
      this.#events.proven(false);
    }
    if (this.isConnected) {
      if (now - this.#answeredMs > this.#silenceMs) {
        this.#options.count('silentConnections');
        this.#manager.socket?.destroy();
      } else if (!this.isProven || now - this.#sentMs > this.#manager.sessionTimeout / 4) {
        void this.send(readRequest('exists', '/', false), this.#silenceMs);
      }
    }
    this.#beatLater();
  }
}

/** Whether the server said it: a request that never left proves nothing. */
function isAnswer(outcome: Outcome<unknown>): boolean {
  if (outcome.status === 'failed') return outcome.code !== 'not-connected';
  return outcome.status === 'ok';
}
