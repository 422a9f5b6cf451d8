/** How large one gRPC message may be, at both ends; the library's own default is found too late. */
import { LIMITS } from '../model/limits.js';

/** Room for what protobuf and frames add around the largest batch. */
const OVERHEAD_BYTES = 64 * 1024;
/**
 * What is received is checked by ourselves, with a typed refusal. Only what is larger than this the
 * library cuts off, with RESOURCE_EXHAUSTED and no trailer: it has to be read before it can be
 * refused, so there must be an end.
 */
const RECEIVE_BYTES_MAX = 4 * LIMITS.messageBytesMax;

export const MESSAGE_LIMITS = {
  'grpc.max_receive_message_length': RECEIVE_BYTES_MAX,
  'grpc.max_send_message_length': LIMITS.messageBytesMax + OVERHEAD_BYTES,
} as const;
