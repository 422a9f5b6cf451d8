// Original file: portolan/v1/internal.proto

import type { Long } from '@grpc/proto-loader';

export interface Ping {
  'number'?: (number | string | Long);
}

export interface Ping__Output {
  'number': (string);
}
