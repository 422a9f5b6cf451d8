/** One client's request on its way through a storage node. */
import type { CallKind } from '../model/calls.js';
import type { Epoch, ShardId } from '../model/ids.js';
import { RefusedError } from '../model/refusals.js';
import type { DeleteCall, GetCall, KvCall, PutCall } from '../wire/kv-messages.js';

/** An encoded response, or why there is none. */
export type CallResult = Buffer | RefusedError;

/** Where a call came from and where its answer goes. */
export interface Caller {
  /** Called exactly once. */
  respond(result: CallResult): void;
  /** True once nobody waits for the answer: what was not started need not be. */
  isGone(): boolean;
  /** True while answers pile up because the caller does not read them. */
  isCongested(): boolean;
}

/** A request as it came in. */
export interface IncomingCall {
  readonly kind: CallKind;
  readonly request: Buffer;
  /** As the caller's map has it; undefined for callers without a map. */
  readonly routed: { readonly shard: ShardId; readonly epoch: Epoch } | undefined;
  readonly budgetMs: number;
  readonly caller: Caller;
}

/** A request that was checked and waits for its turn, with the way back to its caller. */
export interface QueuedCall<Call extends KvCall = KvCall> extends Caller {
  readonly call: Call;
  readonly shard: ShardId;
  readonly epoch: Epoch | undefined;
  /** By the monotonic clock. */
  readonly deadlineAt: number;
  /** When to answer a call that could not be started, for the answer to come before that. */
  readonly answerBy: number;
  readonly requestBytes: number;
}

export type QueuedRead = QueuedCall<GetCall>;
export type QueuedWrite = QueuedCall<PutCall | DeleteCall>;

/** Answers a call that must not start any more; false: it may start. */
export function endUnstarted(queued: QueuedCall, now: number): boolean {
  if (queued.isGone()) {
    queued.respond(new RefusedError('DEADLINE_PASSED', 'the caller has gone'));
    return true;
  }
  if (now < queued.deadlineAt) return false;
  queued.respond(
    new RefusedError('DEADLINE_PASSED', 'the deadline passed before the request was started'),
  );
  return true;
}
