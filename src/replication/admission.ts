/** Whether a replica may serve a request now, later, or why it never will. */
import { unreachable } from '../model/assert.js';
import type { Epoch, ShardId } from '../model/ids.js';
import type { Refusal } from './outbox.js';
import type { ShardReplica } from './shard-replica.js';

/** What a request needs: reads a lease, writes enough replicas in sync. */
export type RequestKind = 'read' | 'write';

/**
 * `later`: this is the primary, but not yet, or not at this moment: hold the request within its
 * deadline and ask again.
 *
 * A caller whose map is older is told to renew it; one whose map is newer is told to wait for the
 * node. A stale map is thus refused, never served wrong data (S23).
 *
 * @param asked The epoch of the caller's map; undefined if it has none and takes whichever holds.
 */
export function admissionOf(
  shard: ShardId,
  replica: ShardReplica | undefined,
  { kind, asked }: { readonly kind: RequestKind; readonly asked: Epoch | undefined },
  now: number,
): 'now' | 'later' | Refusal {
  const config = replica?.config;
  if (replica === undefined || config === undefined) {
    return behind(`shard ${shard}: this node has not heard of it yet`);
  }
  const { epoch, primary } = config;
  if (asked !== undefined && asked > epoch) {
    return behind(`shard ${shard}: asked in epoch ${asked}, this node has heard of ${epoch}`);
  }
  switch (replica.standing) {
    case 'unknown':
    case 'awaiting-epoch':
      return behind(`shard ${shard}: this node waits for an epoch above ${epoch}`);
    case 'secondary':
    case 'learner':
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
        message: `shard ${shard}: its replica on this node has lost its data`,
      };
    case 'primary':
      if (asked !== undefined && asked !== epoch) {
        return {
          code: 'STALE_EPOCH',
          message: `shard ${shard}: asked in epoch ${asked}, it is in ${epoch}`,
        };
      }
      return isReady(replica, kind, now) ? 'now' : 'later';
    default:
      return unreachable(replica.standing);
  }
}

/** For a write that was told `later` until its time was over. Definite: it was never numbered. */
export function whyNeverStarted(shard: ShardId, replica: ShardReplica | undefined): Refusal {
  const lack = replica?.primary?.lack;
  if (lack === undefined) {
    return {
      code: 'DEADLINE_PASSED',
      message: `shard ${shard}: the deadline passed before the write was started`,
    };
  }
  const { inSync, needed } = lack;
  return {
    code: 'NOT_ENOUGH_REPLICAS',
    message: `shard ${shard}: ${inSync} replicas in sync, and writes need ${needed}`,
  };
}

function isReady({ primary }: ShardReplica, kind: RequestKind, now: number): boolean {
  if (primary === undefined) return false; // Another one has attached us; its config comes.
  return kind === 'read' ? primary.mayRead(now) : primary.mayWrite(now);
}

function behind(message: string): Refusal {
  return { code: 'NODE_BEHIND', message };
}
