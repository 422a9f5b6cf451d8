/**
 * Refusals as gRPC statuses, one total table, and back.
 *
 * The trailer is the authority: a definite refusal carries `portolan-error-bin`, and a status
 * without it means that the outcome is unknown. So whatever is not a refusal of ours, and every
 * refusal whose outcome is unknown, goes out without the trailer (S21).
 */
import * as grpc from '@grpc/grpc-js';
import { type GrpcStatusName, RefusedError } from '../model/refusals.js';
import { decodeErrorDetail, encodeErrorDetail, type ErrorDetail } from '../wire/error-detail.js';
import { WireError } from '../wire/protobuf.js';

export const DETAIL_TRAILER = 'portolan-error-bin';

const STATUS_CODES: Record<GrpcStatusName, grpc.status> = {
  INVALID_ARGUMENT: grpc.status.INVALID_ARGUMENT,
  FAILED_PRECONDITION: grpc.status.FAILED_PRECONDITION,
  RESOURCE_EXHAUSTED: grpc.status.RESOURCE_EXHAUSTED,
  UNAVAILABLE: grpc.status.UNAVAILABLE,
  UNIMPLEMENTED: grpc.status.UNIMPLEMENTED,
  DATA_LOSS: grpc.status.DATA_LOSS,
};

/** What the server answers for this error. Never throws; never says more than the code and text. */
export function statusOf(error: unknown): grpc.StatusObject {
  const metadata = new grpc.Metadata();
  if (!(error instanceof RefusedError)) {
    return { code: grpc.status.INTERNAL, details: 'internal error; outcome unknown', metadata };
  }
  const { code, retry, outcome, hint } = error;
  if (outcome === 'not-applied') {
    // The status itself has the message.
    const detail = { code, retry, outcome, hint, message: '' };
    metadata.set(DETAIL_TRAILER, encodeErrorDetail(detail));
  }
  return { code: STATUS_CODES[error.status], details: printable(error.message), metadata };
}

/** The detail in the trailer of a failed call; undefined if it carries none that parses. */
export function detailOf(error: { readonly metadata?: grpc.Metadata }): ErrorDetail | undefined {
  const [trailer] = error.metadata?.get(DETAIL_TRAILER) ?? [];
  if (!Buffer.isBuffer(trailer)) return undefined;
  try {
    return decodeErrorDetail(trailer);
  } catch (problem) {
    if (problem instanceof WireError) return undefined;
    throw problem;
  }
}

/** The library percent-encodes the text and would throw on half a surrogate pair. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
