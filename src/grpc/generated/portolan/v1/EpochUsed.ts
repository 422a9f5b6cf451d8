// Original file: portolan/v1/internal.proto

import type { Long } from '@grpc/proto-loader';

export interface EpochUsed {
  'promised'?: (number | string | Long);
}

export interface EpochUsed__Output {
  'promised': (string);
}
