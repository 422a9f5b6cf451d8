// Original file: portolan/v1/internal.proto

import type { Long } from '@grpc/proto-loader';

export interface Expand {
  'node'?: (string);
  'store'?: (string);
  'incarnation'?: (number | string | Long);
}

export interface Expand__Output {
  'node': (string);
  'store': (string);
  'incarnation': (string);
}
