// Original file: portolan/v1/internal.proto

import type { Long } from '@grpc/proto-loader';

export interface ScrubResponse {
  'position'?: (number | string | Long);
  'isExact'?: (boolean);
  'pairs'?: (number | string | Long);
  'digest'?: (string);
  'problem'?: (string);
}

export interface ScrubResponse__Output {
  'position': (string);
  'isExact': (boolean);
  'pairs': (string);
  'digest': (string);
  'problem': (string);
}
