/** `KV` on a storage node itself: for clients that know, or guess, where a key's primary is. */
import { RefusedError } from '../model/refusals.js';
import type { KvHandler } from '../ports/network.js';
import type { Intake } from './intake.js';

/** Answers the keys whose primary this node is; refuses the rest with the hint. */
export function directHandler(intake: Intake): KvHandler {
  return {
    call: (kind, request, context) =>
      new Promise((resolve, reject) => {
        let isGone = false;
        context.onCancel(() => {
          isGone = true;
        });
        intake.submit({
          kind,
          request,
          routed: undefined,
          budgetMs: context.budgetMs,
          caller: {
            respond: (result) => {
              if (result instanceof RefusedError) reject(result);
              else resolve(result);
            },
            isGone: () => isGone,
            isCongested: () => false,
          },
        });
      }),
  };
}
