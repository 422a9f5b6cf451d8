// Original file: portolan/v1/internal.proto

import type { Lead as _portolan_v1_Lead, Lead__Output as _portolan_v1_Lead__Output } from '../../portolan/v1/Lead.js';
import type { Long } from '@grpc/proto-loader';

export interface ReplicaEntry {
  'shard'?: (number);
  'shardUuid'?: (string);
  'store'?: (string);
  'epoch'?: (number | string | Long);
  'lastSeq'?: (number | string | Long);
  'openedEpoch'?: (number | string | Long);
  'problem'?: (string);
  'lead'?: (_portolan_v1_Lead | null);
}

export interface ReplicaEntry__Output {
  'shard': (number);
  'shardUuid': (string);
  'store': (string);
  'epoch': (string);
  'lastSeq': (string);
  'openedEpoch': (string);
  'problem': (string);
  'lead': (_portolan_v1_Lead__Output | null);
}
