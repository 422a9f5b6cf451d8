// Original file: portolan/v1/kv.proto

import type { Long } from '@grpc/proto-loader';

export interface ScanRequest {
  'start'?: (Buffer | Uint8Array | string);
  'end'?: (Buffer | Uint8Array | string);
  'limit'?: (number | string | Long);
  'reverse'?: (boolean);
  'cursor'?: (Buffer | Uint8Array | string);
}

export interface ScanRequest__Output {
  'start': (Buffer);
  'end': (Buffer);
  'limit': (string);
  'reverse': (boolean);
  'cursor': (Buffer);
}
