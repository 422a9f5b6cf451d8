/** Whether a replica refuses a request, from its standing and the epochs on both sides. */
import { unreachable } from '../model/assert.js';
import type { Epoch, ShardId } from '../model/ids.js';
import type { ShardConfig } from '../model/shard-config.js';
import type { Refusal } from './replica-io.js';
import type { Standing } from './standing.js';

/**
 * Why this request must not be served, or undefined if it may.
 *
 * A caller whose map is older is told to renew it; one whose map is newer is told to wait for the
 * node. A stale map is thus refused, never served wrong data (S23).
 */
export function refusalOf(
  shard: ShardId,
  standing: Standing,
  config: ShardConfig | undefined,
  asked: Epoch | undefined,
): Refusal | undefined {
  if (config === undefined) return behind(`shard ${shard}: this node has not heard of it yet`);
  const { epoch, primary } = config;
  if (asked !== undefined && asked > epoch) {
    return behind(`shard ${shard}: asked in epoch ${asked}, this node has heard of ${epoch}`);
  }
  switch (standing) {
    case 'unknown':
    case 'awaiting-epoch':
      return behind(`shard ${shard}: this node waits for an epoch above ${epoch}`);
    case 'elsewhere':
      return {
        code: 'NOT_PRIMARY',
        message: `shard ${shard}: the primary is ${primary} in epoch ${epoch}`,
      };
    case 'creating':
      return { code: 'NO_PRIMARY', message: `shard ${shard} is being created` };
    case 'lost':
      return {
        code: 'NO_PRIMARY',
        message: `shard ${shard}: its primary ${primary} has lost its data directory`,
      };
    case 'serving':
      if (asked === undefined || asked === epoch) return undefined;
      return {
        code: 'STALE_EPOCH',
        message: `shard ${shard}: asked in epoch ${asked}, it is in ${epoch}`,
      };
    default:
      return unreachable(standing);
  }
}

function behind(message: string): Refusal {
  return { code: 'NODE_BEHIND', message };
}
