// Original file: portolan/v1/internal.proto

import type { ShardUpdate as _portolan_v1_ShardUpdate, ShardUpdate__Output as _portolan_v1_ShardUpdate__Output } from '../../portolan/v1/ShardUpdate.js';
import type { NodeTable as _portolan_v1_NodeTable, NodeTable__Output as _portolan_v1_NodeTable__Output } from '../../portolan/v1/NodeTable.js';

export interface MapUpdate {
  'shards'?: (_portolan_v1_ShardUpdate)[];
  'nodes'?: (_portolan_v1_NodeTable | null);
}

export interface MapUpdate__Output {
  'shards': (_portolan_v1_ShardUpdate__Output)[];
  'nodes': (_portolan_v1_NodeTable__Output | null);
}
