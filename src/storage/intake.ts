/**
 * The one door for requests: checks each, bounds how many are held, and hands it on.
 *
 * Whatever is refused here was not started, so the refusal is definite. The bounds count from here
 * to the answer, so memory stays bounded however slow the disk is.
 */
import { LIMITS } from '../model/limits.js';
import { RefusedError } from '../model/refusals.js';
import type { ShardId } from '../model/ids.js';
import type { ShardMap } from '../model/shard-map.js';
import type { Clock } from '../ports/clock.js';
import { decodeCall, type KvCall } from '../wire/kv-messages.js';
import type { CallResult, IncomingCall, QueuedRead, QueuedWrite } from './calls.js';
import type { StorageMetrics } from './metrics.js';

/** What a held call costs beside its bytes: its objects. */
const CALL_OVERHEAD_BYTES = 256;
/** Before the deadline, at most a quarter of the whole time: the way of an answer to the caller. */
const ANSWER_MS = 250;

export interface IntakeDeps {
  readonly clock: Clock;
  readonly map: ShardMap;
  readonly metrics: StorageMetrics;
  readonly read: (call: QueuedRead) => void;
  readonly write: (call: QueuedWrite) => void;
  /** Whether the disk is too full for puts. */
  readonly isDiskFull: () => boolean;
}

export class Intake {
  readonly #deps: IntakeDeps;
  /** Why nothing is taken; undefined = open. */
  #closed: string | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
  }

  /** Takes nothing from now on. What was taken is still answered. */
  close(reason: string): void {
    this.#closed ??= reason;
  }

  /** Resolves when every call that was taken is answered. */
  async idle(): Promise<void> {
    if (this.#deps.metrics.queuedCalls === 0) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /** Answers through the caller, now or later; never throws. */
  submit(incoming: IncomingCall): void {
    let queued;
    try {
      queued = this.#accept(incoming);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.#deps.metrics.calls.ended(incoming.kind, error.code, 0);
      incoming.caller.respond(error);
      return;
    }
    const { call } = queued;
    if (call.kind === 'get') this.#deps.read({ ...queued, call });
    else this.#deps.write({ ...queued, call });
  }

  /** @throws RefusedError */
  #accept(incoming: IncomingCall) {
    const { clock, metrics, isDiskFull } = this.#deps;
    const { kind, request, budgetMs } = incoming;
    if (this.#closed !== undefined) throw new RefusedError('STOPPING', this.#closed);
    const startedAt = clock.now();
    const bytes = request.length + CALL_OVERHEAD_BYTES;
    if (
      metrics.queuedCalls >= LIMITS.queuedCallsMax ||
      metrics.queuedBytes + bytes > LIMITS.queuedBytesMax
    ) {
      throw new RefusedError('OVERLOADED', 'this node holds as many requests as it may');
    }
    const call = decodeCall(kind, request);
    const shard = this.#shardOf(call, incoming.routed?.shard);
    if (kind === 'put' && isDiskFull()) {
      throw new RefusedError('DISK_FULL', 'this node has too little disk space left for puts');
    }
    const budget = Math.min(budgetMs, LIMITS.callMsMax);
    metrics.queuedCalls++;
    metrics.queuedBytes += bytes;
    return {
      call,
      shard,
      epoch: incoming.routed?.epoch,
      deadlineAt: startedAt + budget,
      answerBy: startedAt + budget - Math.min(ANSWER_MS, budget / 4),
      requestBytes: request.length,
      caller: {
        respond: (result: CallResult) => {
          const outcome = result instanceof RefusedError ? result.code : 'ok';
          metrics.calls.ended(kind, outcome, (clock.now() - startedAt) / 1000);
          this.#answer(incoming, result, bytes);
        },
        isGone: () => incoming.caller.isGone(),
        isCongested: () => incoming.caller.isCongested(),
      },
    };
  }

  /** A key must never get into another shard than its own, whatever the caller believes (S23). */
  #shardOf(call: KvCall, claimed: ShardId | undefined): ShardId {
    const shard = this.#deps.map.shardOf(call.key);
    if (shard === undefined) {
      throw new RefusedError('NODE_BEHIND', 'this node has not joined its cluster yet');
    }
    if (claimed !== undefined && claimed !== shard) {
      throw new RefusedError('INVALID_REQUEST', `the key is of shard ${shard}, not ${claimed}`);
    }
    return shard;
  }

  #answer(incoming: IncomingCall, result: CallResult, bytes: number): void {
    const { metrics } = this.#deps;
    metrics.queuedCalls--;
    metrics.queuedBytes -= bytes;
    incoming.caller.respond(result);
    if (metrics.queuedCalls > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
