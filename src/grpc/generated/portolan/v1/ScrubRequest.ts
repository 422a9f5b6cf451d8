// Original file: portolan/v1/internal.proto

import type { Long } from '@grpc/proto-loader';

export interface ScrubRequest {
  'shard'?: (number);
  'shardUuid'?: (string);
  'at'?: (number | string | Long);
}

export interface ScrubRequest__Output {
  'shard': (number);
  'shardUuid': (string);
  'at': (string);
}
