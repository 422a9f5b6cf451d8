// Original file: portolan/v1/internal.proto

import type { Long } from '@grpc/proto-loader';

export interface HeldReplica {
  'shard'?: (number);
  'shardUuid'?: (string);
  'epoch'?: (number | string | Long);
  'lastSeq'?: (number | string | Long);
  'lastEpoch'?: (number | string | Long);
  'commitSeq'?: (number | string | Long);
  'problem'?: (string);
}

export interface HeldReplica__Output {
  'shard': (number);
  'shardUuid': (string);
  'epoch': (string);
  'lastSeq': (string);
  'lastEpoch': (string);
  'commitSeq': (string);
  'problem': (string);
}
