/**
 * What a refusal by a storage node means for the router that sent the request: ask again at once,
 * ask again later, or tell the client.
 *
 * Pure, and one table for all codes. Only requests that were definitely not applied are ever asked
 * again here; an unknown outcome is the client's to judge (S21).
 */
import { unreachable } from '../model/assert.js';
import type { RefusalCode, RefusedError } from '../model/refusals.js';

export type AfterRefusal =
  /** The map has changed since the request was routed: route it anew at once. */
  | 'reroute'
  /** Wait until the map changes; look again after a pause even if it does not. */
  | 'wait'
  /** Answer the client with this refusal. */
  | 'give-up';

const GIVEN_UP: ReadonlySet<RefusalCode> = new Set(['DISK_FULL', 'NOT_ENOUGH_REPLICAS']);

/** `mapIsNewer`: the map now holds something else for this shard than the request was routed by. */
export function afterRefusal(refusal: RefusedError, mapIsNewer: boolean): AfterRefusal {
  if (refusal.outcome === 'unknown') return 'give-up';
  switch (refusal.retry) {
    case 'never':
      return 'give-up';
    case 'refresh-map':
      return mapIsNewer ? 'reroute' : 'wait';
    case 'backoff':
      // More disk space does not come within a call's time; for replicas the node has waited, as
      // long as there was time.
      if (GIVEN_UP.has(refusal.code)) return 'give-up';
      return mapIsNewer ? 'reroute' : 'wait';
    default:
      return unreachable(refusal.retry);
  }
}
