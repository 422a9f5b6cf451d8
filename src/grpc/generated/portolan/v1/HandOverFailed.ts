// Original file: portolan/v1/internal.proto

import type { Long } from '@grpc/proto-loader';

export interface HandOverFailed {
  'shard'?: (number);
  'epoch'?: (number | string | Long);
  'why'?: (string);
}

export interface HandOverFailed__Output {
  'shard': (number);
  'epoch': (string);
  'why': (string);
}
