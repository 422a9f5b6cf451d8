/**
 * The `KV` service over a {@link KvHandler}: bytes in, bytes out, never decoded here.
 *
 * Every call gets a budget that ends a little before its deadline, so that our own typed refusal
 * reaches the caller before the library's DEADLINE_EXCEEDED, which says nothing about the outcome.
 */
import type * as grpc from '@grpc/grpc-js';
import { LIMITS } from '../model/limits.js';
import { RefusedError } from '../model/refusals.js';
import type { CallKind } from '../model/calls.js';
import type { KvHandler } from '../ports/network.js';
import { asIs, KV } from './definitions.js';
import { statusOf } from './error-detail.js';
import type { ReportFailure } from './streams.js';

/** What is left for the answer's way back: a tenth of the time, at most this. */
const MARGIN_MS_MAX = 100;

/** The definition with bytes instead of messages. */
export const RAW_KV: grpc.ServiceDefinition = Object.fromEntries(
  Object.entries(KV).map(([name, method]) => [
    name,
    {
      ...(method as grpc.MethodDefinition<unknown, unknown>),
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  ]),
);

export function kvHandlers(
  handler: KvHandler,
  failed: ReportFailure,
): grpc.UntypedServiceImplementation {
  return {
    Get: unary('get', handler, failed),
    Put: unary('put', handler, failed),
    Delete: unary('delete', handler, failed),
    Increment: unsupportedUnary,
    GetMany: unsupportedUnary,
    Batch: unsupportedUnary,
    Scan: unsupportedStream,
    Watch: unsupportedStream,
  };
}

function unary(
  kind: CallKind,
  handler: KvHandler,
  failed: ReportFailure,
): grpc.handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    let answered = false;
    const context = {
      budgetMs: budgetMs(call.getDeadline(), Date.now()),
      // The library says "cancelled" after every call, answered or not.
      onCancel: (listener: () => void) => {
        call.on('cancelled', () => {
          if (!answered) listener();
        });
      },
    };
    const answer = (error: unknown, response?: Buffer) => {
      answered = true;
      if (response !== undefined) return callback(null, response);
      if (!(error instanceof RefusedError)) failed(error);
      callback(statusOf(error));
    };
    callSafely(handler, kind, call.request, context).then(
      (response) => answer(undefined, response),
      (error: unknown) => answer(error),
    );
  };
}

/** A handler that throws at once rejects like one that throws later. */
async function callSafely(
  handler: KvHandler,
  ...args: Parameters<KvHandler['call']>
): Promise<Buffer> {
  return handler.call(...args);
}

/** Milliseconds the handler may take. Exported for its test. */
export function budgetMs(deadline: grpc.Deadline, now: number): number {
  const at = deadline instanceof Date ? deadline.getTime() : deadline;
  const left = at === Infinity ? LIMITS.callMsDefault : Math.min(at - now, LIMITS.callMsMax);
  return Math.max(0, left - Math.min(MARGIN_MS_MAX, left / 10));
}

function notSupported(path: string): grpc.StatusObject {
  return statusOf(new RefusedError('NOT_SUPPORTED', `${path} is not supported by this version`));
}

const unsupportedUnary: grpc.handleUnaryCall<Buffer, Buffer> = (call, callback) => {
  callback(notSupported(call.getPath()));
};

const unsupportedStream: grpc.handleServerStreamingCall<Buffer, Buffer> = (call) => {
  call.emit('error', notSupported(call.getPath()));
};
