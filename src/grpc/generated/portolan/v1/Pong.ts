// Original file: portolan/v1/internal.proto

import type { Long } from '@grpc/proto-loader';

export interface Pong {
  'number'?: (number | string | Long);
  'process'?: (string);
}

export interface Pong__Output {
  'number': (string);
  'process': (string);
}
