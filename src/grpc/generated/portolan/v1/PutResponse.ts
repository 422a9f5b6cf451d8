// Original file: portolan/v1/kv.proto

import type { Long } from '@grpc/proto-loader';

export interface PutResponse {
  'applied'?: (boolean);
  'version'?: (number | string | Long);
}

export interface PutResponse__Output {
  'applied': (boolean);
  'version': (string);
}
