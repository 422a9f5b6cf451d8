// Original file: portolan/v1/kv.proto

import type { RequestId as _portolan_v1_RequestId, RequestId__Output as _portolan_v1_RequestId__Output } from '../../portolan/v1/RequestId.js';
import type { Long } from '@grpc/proto-loader';

export interface DeleteRequest {
  'key'?: (Buffer | Uint8Array | string);
  'ifVersion'?: (number | string | Long);
  'requestId'?: (_portolan_v1_RequestId | null);
}

export interface DeleteRequest__Output {
  'key': (Buffer);
  'ifVersion': (string);
  'requestId': (_portolan_v1_RequestId__Output | null);
}
