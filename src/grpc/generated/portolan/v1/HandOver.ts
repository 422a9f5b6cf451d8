// Original file: portolan/v1/internal.proto

import type { Long } from '@grpc/proto-loader';

export interface HandOver {
  'shard'?: (number);
  'shardUuid'?: (string);
  'epoch'?: (number | string | Long);
  'to'?: (string);
}

export interface HandOver__Output {
  'shard': (number);
  'shardUuid': (string);
  'epoch': (string);
  'to': (string);
}
