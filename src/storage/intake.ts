/**
 * The one door for requests: checks each, bounds how many are held, and hands it on.
 *
 * Whatever is refused here was not started, so the refusal is definite. The bounds count from here
 * to the answer, so memory stays bounded however slow the disk is.
 */
import { assert } from '../model/assert.js';
import { LIMITS } from '../model/limits.js';
import { RefusedError } from '../model/refusals.js';
import type { Epoch, ShardId } from '../model/ids.js';
import type { ShardMap } from '../model/shard-map.js';
import type { Clock } from '../ports/clock.js';
import { decodeCall, type KvCall } from '../wire/kv-messages.js';
import type { CallResult, IncomingCall, QueuedCall, QueuedRead, QueuedWrite } from './calls.js';
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
    const startedAt = this.#deps.clock.now();
    let call: KvCall;
    let shard: ShardId;
    try {
      call = this.#checked(incoming);
      shard = this.#shardOf(call, incoming.routed?.shard);
      this.#checkDisk(call);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.#deps.metrics.calls.ended(incoming.kind, error.code, 0);
      incoming.caller.respond(error);
      return;
    }
    const { metrics, read, write } = this.#deps;
    metrics.queuedCalls++;
    metrics.queuedBytes += bytesOf(incoming);
    const held = { shard, startedAt, ended: this.#ended };
    if (call.kind === 'get') read(new HeldCall(incoming, call, held));
    else write(new HeldCall(incoming, call, held));
  }

  /** @throws RefusedError */
  #checked(incoming: IncomingCall): KvCall {
    if (this.#closed !== undefined) throw new RefusedError('STOPPING', this.#closed);
    const { queuedCalls, queuedBytes } = this.#deps.metrics;
    if (
      queuedCalls >= LIMITS.queuedCallsMax ||
      queuedBytes + bytesOf(incoming) > LIMITS.queuedBytesMax
    ) {
      throw new RefusedError('OVERLOADED', 'this node holds as many requests as it may');
    }
    return decodeCall(incoming.kind, incoming.request);
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

  /** @throws RefusedError */
  #checkDisk({ kind }: KvCall): void {
    if (kind !== 'put' || !this.#deps.isDiskFull()) return;
    throw new RefusedError('DISK_FULL', 'this node has too little disk space left for puts');
  }

  readonly #ended = (incoming: IncomingCall, startedAt: number, result: CallResult): void => {
    const { metrics, clock } = this.#deps;
    const outcome = result instanceof RefusedError ? result.code : 'ok';
    metrics.calls.ended(incoming.kind, outcome, (clock.now() - startedAt) / 1000);
    metrics.queuedCalls--;
    metrics.queuedBytes -= bytesOf(incoming);
    incoming.caller.respond(result);
    if (metrics.queuedCalls > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  };
}

interface Held {
  readonly shard: ShardId;
  readonly startedAt: number;
  /** Called with the answer. */
  readonly ended: (incoming: IncomingCall, startedAt: number, result: CallResult) => void;
}

class HeldCall<Call extends KvCall> implements QueuedCall<Call> {
  readonly call: Call;
  readonly shard: ShardId;
  readonly deadlineAt: number;
  readonly answerBy: number;
  readonly #incoming: IncomingCall;
  readonly #startedAt: number;
  readonly #ended: Held['ended'];
  #isAnswered = false;

  constructor(incoming: IncomingCall, call: Call, { shard, startedAt, ended }: Held) {
    const budget = Math.min(incoming.budgetMs, LIMITS.callMsMax);
    this.call = call;
    this.shard = shard;
    this.deadlineAt = startedAt + budget;
    this.answerBy = this.deadlineAt - Math.min(ANSWER_MS, budget / 4);
    this.#incoming = incoming;
    this.#startedAt = startedAt;
    this.#ended = ended;
  }

  get epoch(): Epoch | undefined {
    return this.#incoming.routed?.epoch;
  }

  get requestBytes(): number {
    return this.#incoming.request.length;
  }

  respond(result: CallResult): void {
    assert(!this.#isAnswered, 'S21', () => ({ shard: this.shard })); // Each is answered once.
    this.#isAnswered = true;
    this.#ended(this.#incoming, this.#startedAt, result);
  }

  isGone(): boolean {
    return this.#incoming.caller.isGone();
  }

  isCongested(): boolean {
    return this.#incoming.caller.isCongested();
  }
}

function bytesOf({ request }: IncomingCall): number {
  return request.length + CALL_OVERHEAD_BYTES;
}
