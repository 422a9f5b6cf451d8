/**
 * One call over as many attempts as it takes, inside one deadline.
 *
 * What is tried again:
 *   nothing was sent          always, at the next router at once; a pause after each round
 *   refused, with advice      after a growing pause
 *   outcome of an attempt     reads, and writes that may be repeated: at the next router. Others
 *   unknown                   fail with OutcomeUnknownError
 * Once one attempt's outcome is unknown, the call's outcome stays unknown whatever later attempts
 * say, unless one of them succeeds: a late first attempt may still be applied.
 */
import type { Attempt, AttemptOptions, RouterChannels } from '../grpc/kv-client.js';
import { unreachable } from '../model/assert.js';
import { OutcomeUnknownError, PortolanError } from './errors.js';
import type { RetryBudget } from './retry-budget.js';
import type { PooledRouter, RouterPool } from './router-pool.js';

/** How long one connection may take before another router is asked. */
const CONNECT_TIMEOUT_MS = 1_000;
/** With less than this left, the answer that a call has got is better than another attempt. */
const LAST_ATTEMPT_MS = 20;
/** Pauses between rounds: double from the first to the last, with jitter. */
const PAUSE_MS = { first: 10, last: 500 };

export interface CallPlan<T> {
  readonly send: (router: RouterChannels, options: AttemptOptions) => Promise<Attempt<T>>;
  /** A read changes nothing, so its outcome is never unknown. */
  readonly kind: 'read' | 'write';
  /** Whether it may be sent again after an attempt with an unknown outcome. */
  readonly repeatable: boolean;
  readonly timeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

export class Attempts<T> {
  readonly #plan: CallPlan<T>;
  readonly #pool: RouterPool;
  readonly #budget: RetryBudget;
  readonly #deadline: number;
  /** Routers asked since the last pause. */
  readonly #tried = new Set<PooledRouter>();
  #sent = 0;
  #pauses = 0;
  #slowAttempts = 0;
  #maybeApplied = false;
  /** What to fail with, should the time run out now. */
  #last: { readonly code: string; readonly message: string } = {
    code: 'UNAVAILABLE',
    message: 'the time was over before a router was asked',
  };

  constructor(plan: CallPlan<T>, pool: RouterPool, budget: RetryBudget) {
    this.#plan = plan;
    this.#pool = pool;
    this.#budget = budget;
    this.#deadline = performance.now() + plan.timeoutMs;
  }

  /** @throws PortolanError */
  async run(): Promise<T> {
    for (;;) {
      this.#checkAborted();
      const leftMs = this.#deadline - performance.now();
      if (leftMs < (this.#sent > 0 ? LAST_ATTEMPT_MS : 1)) throw this.#failure();
      const router = this.#pool.next(this.#tried);
      if (router === undefined) {
        await this.#pause();
        continue;
      }
      this.#tried.add(router);
      const timeoutMs = this.#attemptMs(leftMs);
      const sentAt = performance.now();
      const attempt = await this.#plan.send(router.channels, {
        timeoutMs,
        connectTimeoutMs: Math.min(leftMs, CONNECT_TIMEOUT_MS),
        signal: this.#plan.signal,
      });
      if (attempt.type === 'ok') {
        this.#pool.served(router);
        this.#budget.earn();
        return attempt.response;
      }
      // Refused by a router whose own time was up: as slow as no answer at all.
      if (performance.now() - sentAt > timeoutMs / 2) this.#slowAttempts++;
      await this.#afterFailed(router, attempt);
    }
  }

  /** Tells what is left to do after an attempt that gave no response; returns to try again. */
  async #afterFailed(
    router: PooledRouter,
    attempt: Exclude<Attempt<T>, { type: 'ok' }>,
  ): Promise<void> {
    switch (attempt.type) {
      case 'not-sent':
        this.#pool.failed(router);
        this.#last = { code: 'UNAVAILABLE', message: `${router.address}: ${attempt.problem}` };
        return;
      case 'refused':
        this.#sent++;
        return this.#afterRefused(router, attempt);
      case 'unknown':
        this.#sent++;
        return this.#afterUnknown(router, attempt);
      default:
        return unreachable(attempt);
    }
  }

  async #afterRefused(
    router: PooledRouter,
    { detail, message }: Extract<Attempt<T>, { type: 'refused' }>,
  ): Promise<void> {
    this.#last = { code: detail.code, message };
    if (detail.retry === 'never') throw this.#failure();
    if (detail.code === 'STOPPING') return this.#pool.failed(router);
    this.#pool.served(router);
    if (!this.#budget.spend()) throw this.#failure();
    await this.#pause();
  }

  async #afterUnknown(
    router: PooledRouter,
    { status, message, connected }: Extract<Attempt<T>, { type: 'unknown' }>,
  ): Promise<void> {
    const isWrite = this.#plan.kind === 'write';
    if (isWrite) this.#maybeApplied = true;
    const timedOut = status === 'deadline-exceeded';
    // A router that answers "unavailable" on a connection that stands is well: its node is not.
    if (timedOut || !connected) this.#pool.failed(router);
    this.#checkAborted();
    const code = timedOut ? 'DEADLINE_EXCEEDED' : 'UNAVAILABLE';
    this.#last = { code, message: `${router.address}: ${message}` };
    if (!this.#plan.repeatable || !this.#budget.spend()) throw this.#failure();
    // The next router can do better at once, unless the trouble is behind the routers.
    if (connected && !timedOut) await this.#pause();
  }

  /** A repeatable call leaves a router that does not answer, and is more patient each time. */
  #attemptMs(leftMs: number): number {
    const { repeatable, attemptTimeoutMs } = this.#plan;
    if (!repeatable || this.#pool.size === 1) return leftMs;
    return Math.min(leftMs, attemptTimeoutMs * 2 ** this.#slowAttempts);
  }

  /** Until the next round; ends early when the caller gives up or the time is over. */
  async #pause(): Promise<void> {
    this.#tried.clear();
    const ceiling = Math.min(PAUSE_MS.last, PAUSE_MS.first * 2 ** this.#pauses++);
    const leftMs = Math.max(0, this.#deadline - performance.now());
    await abortableDelay(Math.min(leftMs, ceiling * (0.5 + Math.random() / 2)), this.#plan.signal);
  }

  #checkAborted(): void {
    const { signal } = this.#plan;
    if (signal?.aborted !== true) return;
    throw new PortolanError('ABORTED', 'the caller gave up', {
      outcome: this.#maybeApplied ? 'unknown' : 'not-applied',
      attempts: this.#sent,
      cause: signal.reason,
    });
  }

  #failure(): PortolanError {
    const { code, message } = this.#last;
    if (this.#maybeApplied) return new OutcomeUnknownError(message, this.#sent);
    return new PortolanError(code, message, { outcome: 'not-applied', attempts: this.#sent });
  }
}

function abortableDelay(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    signal?.addEventListener('abort', end);
  });
}
