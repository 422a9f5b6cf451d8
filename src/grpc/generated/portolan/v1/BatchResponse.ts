// Original file: portolan/v1/kv.proto

import type { BatchResult as _portolan_v1_BatchResult, BatchResult__Output as _portolan_v1_BatchResult__Output } from '../../portolan/v1/BatchResult.js';

export interface BatchResponse {
  'results'?: (_portolan_v1_BatchResult)[];
}

export interface BatchResponse__Output {
  'results': (_portolan_v1_BatchResult__Output)[];
}
