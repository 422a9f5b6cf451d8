/** How large one gRPC message may be, at both ends; the library's own default is found too late. */
import { LIMITS } from '../model/limits.js';

/** Room for what protobuf and frames add around the largest batch. */
const OVERHEAD_BYTES = 64 * 1024;

export const MESSAGE_LIMITS = {
  'grpc.max_receive_message_length': LIMITS.messageBytesMax + OVERHEAD_BYTES,
  'grpc.max_send_message_length': LIMITS.messageBytesMax + OVERHEAD_BYTES,
} as const;
