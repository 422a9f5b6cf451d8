// Original file: portolan/v1/internal.proto

import type { Long } from '@grpc/proto-loader';

export interface UsedEpoch {
  'shardUuid'?: (string);
  'epoch'?: (number | string | Long);
}

export interface UsedEpoch__Output {
  'shardUuid': (string);
  'epoch': (string);
}
