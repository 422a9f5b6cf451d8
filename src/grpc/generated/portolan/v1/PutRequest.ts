// Original file: portolan/v1/kv.proto

import type { RequestId as _portolan_v1_RequestId, RequestId__Output as _portolan_v1_RequestId__Output } from '../../portolan/v1/RequestId.js';
import type { Long } from '@grpc/proto-loader';

export interface PutRequest {
  'key'?: (Buffer | Uint8Array | string);
  'value'?: (Buffer | Uint8Array | string);
  'ifVersion'?: (number | string | Long);
  'ifAbsent'?: (boolean);
  'ttlMs'?: (number | string | Long);
  'requestId'?: (_portolan_v1_RequestId | null);
  'condition'?: "ifVersion"|"ifAbsent";
}

export interface PutRequest__Output {
  'key': (Buffer);
  'value': (Buffer);
  'ifVersion'?: (string);
  'ifAbsent'?: (boolean);
  'ttlMs': (string);
  'requestId': (_portolan_v1_RequestId__Output | null);
  'condition'?: "ifVersion"|"ifAbsent";
}
