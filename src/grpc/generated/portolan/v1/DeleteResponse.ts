// Original file: portolan/v1/kv.proto

import type { Long } from '@grpc/proto-loader';

export interface DeleteResponse {
  'applied'?: (boolean);
  'version'?: (number | string | Long);
}

export interface DeleteResponse__Output {
  'applied': (boolean);
  'version': (string);
}
