// Original file: portolan/v1/kv.proto

import type { Long } from '@grpc/proto-loader';

export interface RequestId {
  'client'?: (Buffer | Uint8Array | string);
  'seq'?: (number | string | Long);
  'firstIncomplete'?: (number | string | Long);
}

export interface RequestId__Output {
  'client': (Buffer);
  'seq': (string);
  'firstIncomplete': (string);
}
