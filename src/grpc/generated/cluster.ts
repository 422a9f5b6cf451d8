import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Candidate as _portolan_v1_Candidate, Candidate__Output as _portolan_v1_Candidate__Output } from './portolan/v1/Candidate.js';
import type { ClusterClient as _portolan_v1_ClusterClient, ClusterDefinition as _portolan_v1_ClusterDefinition } from './portolan/v1/Cluster.js';
import type { Damaged as _portolan_v1_Damaged, Damaged__Output as _portolan_v1_Damaged__Output } from './portolan/v1/Damaged.js';
import type { Leader as _portolan_v1_Leader, Leader__Output as _portolan_v1_Leader__Output } from './portolan/v1/Leader.js';
import type { Learning as _portolan_v1_Learning, Learning__Output as _portolan_v1_Learning__Output } from './portolan/v1/Learning.js';
import type { Node as _portolan_v1_Node, Node__Output as _portolan_v1_Node__Output } from './portolan/v1/Node.js';
import type { Shard as _portolan_v1_Shard, Shard__Output as _portolan_v1_Shard__Output } from './portolan/v1/Shard.js';
import type { StatusRequest as _portolan_v1_StatusRequest, StatusRequest__Output as _portolan_v1_StatusRequest__Output } from './portolan/v1/StatusRequest.js';
import type { StatusResponse as _portolan_v1_StatusResponse, StatusResponse__Output as _portolan_v1_StatusResponse__Output } from './portolan/v1/StatusResponse.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  portolan: {
    v1: {
      Candidate: MessageTypeDefinition<_portolan_v1_Candidate, _portolan_v1_Candidate__Output>
      Cluster: SubtypeConstructor<typeof grpc.Client, _portolan_v1_ClusterClient> & { service: _portolan_v1_ClusterDefinition }
      Damaged: MessageTypeDefinition<_portolan_v1_Damaged, _portolan_v1_Damaged__Output>
      Leader: MessageTypeDefinition<_portolan_v1_Leader, _portolan_v1_Leader__Output>
      Learning: MessageTypeDefinition<_portolan_v1_Learning, _portolan_v1_Learning__Output>
      Node: MessageTypeDefinition<_portolan_v1_Node, _portolan_v1_Node__Output>
      Shard: MessageTypeDefinition<_portolan_v1_Shard, _portolan_v1_Shard__Output>
      StatusRequest: MessageTypeDefinition<_portolan_v1_StatusRequest, _portolan_v1_StatusRequest__Output>
      StatusResponse: MessageTypeDefinition<_portolan_v1_StatusResponse, _portolan_v1_StatusResponse__Output>
    }
  }
}

