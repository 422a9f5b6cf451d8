// Original file: portolan/v1/cluster.proto

import type { Leader as _portolan_v1_Leader, Leader__Output as _portolan_v1_Leader__Output } from '../../portolan/v1/Leader.js';
import type { Candidate as _portolan_v1_Candidate, Candidate__Output as _portolan_v1_Candidate__Output } from '../../portolan/v1/Candidate.js';
import type { Node as _portolan_v1_Node, Node__Output as _portolan_v1_Node__Output } from '../../portolan/v1/Node.js';
import type { Shard as _portolan_v1_Shard, Shard__Output as _portolan_v1_Shard__Output } from '../../portolan/v1/Shard.js';

export interface StatusResponse {
  'cluster'?: (string);
  'healthy'?: (boolean);
  'leader'?: (_portolan_v1_Leader | null);
  'candidates'?: (_portolan_v1_Candidate)[];
  'nodes'?: (_portolan_v1_Node)[];
  'shards'?: (_portolan_v1_Shard)[];
  'problems'?: (string)[];
  'zookeeperConnected'?: (boolean);
  'answeredBy'?: (string);
}

export interface StatusResponse__Output {
  'cluster': (string);
  'healthy': (boolean);
  'leader': (_portolan_v1_Leader__Output | null);
  'candidates': (_portolan_v1_Candidate__Output)[];
  'nodes': (_portolan_v1_Node__Output)[];
  'shards': (_portolan_v1_Shard__Output)[];
  'problems': (string)[];
  'zookeeperConnected': (boolean);
  'answeredBy': (string);
}
