// Original file: portolan/v1/kv.proto

import type { Long } from '@grpc/proto-loader';

export interface IncrementResponse {
  'value'?: (number | string | Long);
  'version'?: (number | string | Long);
}

export interface IncrementResponse__Output {
  'value': (string);
  'version': (string);
}
