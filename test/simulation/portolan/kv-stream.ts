/**
 * Calls of clients over a simulated stream, with what gRPC does to them: the handler is given a
 * little less than the time its caller has (`src/grpc/kv-service.ts`), hears when the caller is gone
 * or gave up, and a broken connection leaves open what became of a call.
 */
import type { CallKind } from '../../../src/model/calls.js';
import { RefusedError } from '../../../src/model/refusals.js';
import type { KvHandler, StreamHandler } from '../../../src/ports/network.js';

/** What is left for the answer's way back: a tenth of the time, at most this. */
const MARGIN_MS_MAX = 100;

export type KvMessage =
  | {
      readonly type: 'call';
      readonly call: number;
      readonly kind: CallKind;
      readonly request: Buffer;
      /** Until the caller gives up. */
      readonly timeoutMs: number;
    }
  | { readonly type: 'cancel'; readonly call: number };

export interface KvAnswer {
  readonly call: number;
  readonly result: Buffer | RefusedError;
}

/** @param failed hears errors that no handler may throw. */
export function kvService(
  handler: KvHandler,
  failed: (error: unknown) => void,
): StreamHandler<unknown, unknown> {
  return (outgoing) => {
    const cancels = new Map<number, () => void>();
    const serve = async ({ call, kind, request, timeoutMs }: KvMessage & { type: 'call' }) => {
      const context = {
        budgetMs: timeoutMs - Math.min(MARGIN_MS_MAX, timeoutMs / 10),
        onCancel: (listener: () => void) => void cancels.set(call, listener),
      };
      let result: KvAnswer['result'];
      try {
        result = await handler.call(kind, request, context);
      } catch (error) {
        if (!(error instanceof RefusedError)) return failed(error);
        result = error;
      }
      cancels.delete(call);
      outgoing.write({ call, result } satisfies KvAnswer);
    };
    const cancel = (call: number) => {
      const listener = cancels.get(call);
      cancels.delete(call);
      listener?.();
    };
    return {
      message: (message) => {
        const told = message as KvMessage;
        if (told.type === 'call') void serve(told);
        else cancel(told.call);
      },
      drain: () => undefined,
      closed: () => {
        for (const call of [...cancels.keys()]) cancel(call);
      },
    };
  };
}
