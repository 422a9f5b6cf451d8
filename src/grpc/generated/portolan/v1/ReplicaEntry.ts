// Original file: portolan/v1/internal.proto

import type { Long } from '@grpc/proto-loader';

export interface ReplicaEntry {
  'shard'?: (number);
  'shardUuid'?: (string);
  'store'?: (string);
  'epoch'?: (number | string | Long);
  'lastSeq'?: (number | string | Long);
  'openedEpoch'?: (number | string | Long);
  'problem'?: (string);
}

export interface ReplicaEntry__Output {
  'shard': (number);
  'shardUuid': (string);
  'store': (string);
  'epoch': (string);
  'lastSeq': (string);
  'openedEpoch': (string);
  'problem': (string);
}
