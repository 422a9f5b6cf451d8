// Original file: portolan/v1/kv.proto

import type { Long } from '@grpc/proto-loader';

export interface BatchResult {
  'applied'?: (boolean);
  'version'?: (number | string | Long);
}

export interface BatchResult__Output {
  'applied': (boolean);
  'version': (string);
}
