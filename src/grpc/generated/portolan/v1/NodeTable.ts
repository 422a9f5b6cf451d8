// Original file: portolan/v1/internal.proto

import type { NodeEntry as _portolan_v1_NodeEntry, NodeEntry__Output as _portolan_v1_NodeEntry__Output } from '../../portolan/v1/NodeEntry.js';

export interface NodeTable {
  'nodes'?: (_portolan_v1_NodeEntry)[];
}

export interface NodeTable__Output {
  'nodes': (_portolan_v1_NodeEntry__Output)[];
}
