// Original file: portolan/v1/kv.proto

import type { BatchOperation as _portolan_v1_BatchOperation, BatchOperation__Output as _portolan_v1_BatchOperation__Output } from '../../portolan/v1/BatchOperation.js';
import type { RequestId as _portolan_v1_RequestId, RequestId__Output as _portolan_v1_RequestId__Output } from '../../portolan/v1/RequestId.js';

export interface BatchRequest {
  'operations'?: (_portolan_v1_BatchOperation)[];
  'requestId'?: (_portolan_v1_RequestId | null);
}

export interface BatchRequest__Output {
  'operations': (_portolan_v1_BatchOperation__Output)[];
  'requestId': (_portolan_v1_RequestId__Output | null);
}
