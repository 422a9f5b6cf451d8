/** The refusal in a node's response record, as the router understands it. */
import type { MemberId, ShardId } from '../model/ids.js';
import { RefusedError } from '../model/refusals.js';
import { decodeErrorDetail, type ErrorDetail, refusalOfDetail } from '../wire/error-detail.js';
import type { ResponseRecord } from '../wire/frame.js';
import { WireError } from '../wire/protobuf.js';

/**
 * Never weaker than what the node said: what does not parse, or comes without a definite outcome,
 * leaves the outcome of a write unknown.
 */
export function refusalOfResponse(
  { node, shard }: { readonly node: MemberId; readonly shard: ShardId },
  isWrite: boolean,
  { status, payload }: ResponseRecord,
): RefusedError {
  const detail = detailOf(payload);
  const message = `shard ${shard}: refused by ${node}: ${reasonOf(detail)}`;
  const refusal = detail && refusalOfDetail(detail, message);
  const definite = status === 'refused' && detail?.outcome === 'not-applied';
  if (definite) {
    if (refusal?.outcome === 'not-applied') return refusal;
    // A code of a newer version: its advice still counts.
    const code = detail.retry === 'never' ? 'NOT_SUPPORTED' : 'NODE_BEHIND';
    return new RefusedError(code, message);
  }
  if (refusal?.outcome === 'unknown') return refusal;
  return new RefusedError(isWrite ? 'PRIMARY_LOST' : 'STORAGE_FAILED', message);
}

function reasonOf(detail: ErrorDetail | undefined): string {
  if (detail === undefined) return 'no reason given';
  return detail.message === '' ? detail.code : detail.message;
}

function detailOf(payload: Buffer): ErrorDetail | undefined {
  try {
    return decodeErrorDetail(payload);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
