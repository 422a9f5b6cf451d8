// Original file: portolan/v1/internal.proto

import type { HeldReplica as _portolan_v1_HeldReplica, HeldReplica__Output as _portolan_v1_HeldReplica__Output } from '../../portolan/v1/HeldReplica.js';
import type { ShardUpdate as _portolan_v1_ShardUpdate, ShardUpdate__Output as _portolan_v1_ShardUpdate__Output } from '../../portolan/v1/ShardUpdate.js';
import type { Long } from '@grpc/proto-loader';

export interface InventoryResponse {
  'node'?: (string);
  'store'?: (string);
  'process'?: (string);
  'clusterUuid'?: (string);
  'cluster'?: (Buffer | Uint8Array | string);
  'leaderEpoch'?: (number | string | Long);
  'replicas'?: (_portolan_v1_HeldReplica)[];
  'configs'?: (_portolan_v1_ShardUpdate)[];
  'lives'?: (string)[];
}

export interface InventoryResponse__Output {
  'node': (string);
  'store': (string);
  'process': (string);
  'clusterUuid': (string);
  'cluster': (Buffer);
  'leaderEpoch': (string);
  'replicas': (_portolan_v1_HeldReplica__Output)[];
  'configs': (_portolan_v1_ShardUpdate__Output)[];
  'lives': (string)[];
}
