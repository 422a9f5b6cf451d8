import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Frame as _portolan_v1_Frame, Frame__Output as _portolan_v1_Frame__Output } from './portolan/v1/Frame.js';
import type { LeaderHello as _portolan_v1_LeaderHello, LeaderHello__Output as _portolan_v1_LeaderHello__Output } from './portolan/v1/LeaderHello.js';
import type { LeaderMessage as _portolan_v1_LeaderMessage, LeaderMessage__Output as _portolan_v1_LeaderMessage__Output } from './portolan/v1/LeaderMessage.js';
import type { MapUpdate as _portolan_v1_MapUpdate, MapUpdate__Output as _portolan_v1_MapUpdate__Output } from './portolan/v1/MapUpdate.js';
import type { MemberClient as _portolan_v1_MemberClient, MemberDefinition as _portolan_v1_MemberDefinition } from './portolan/v1/Member.js';
import type { MemberHello as _portolan_v1_MemberHello, MemberHello__Output as _portolan_v1_MemberHello__Output } from './portolan/v1/MemberHello.js';
import type { MemberMessage as _portolan_v1_MemberMessage, MemberMessage__Output as _portolan_v1_MemberMessage__Output } from './portolan/v1/MemberMessage.js';
import type { NodeEntry as _portolan_v1_NodeEntry, NodeEntry__Output as _portolan_v1_NodeEntry__Output } from './portolan/v1/NodeEntry.js';
import type { NodeTable as _portolan_v1_NodeTable, NodeTable__Output as _portolan_v1_NodeTable__Output } from './portolan/v1/NodeTable.js';
import type { ReplicaEntry as _portolan_v1_ReplicaEntry, ReplicaEntry__Output as _portolan_v1_ReplicaEntry__Output } from './portolan/v1/ReplicaEntry.js';
import type { ReplicaReport as _portolan_v1_ReplicaReport, ReplicaReport__Output as _portolan_v1_ReplicaReport__Output } from './portolan/v1/ReplicaReport.js';
import type { ReplicationClient as _portolan_v1_ReplicationClient, ReplicationDefinition as _portolan_v1_ReplicationDefinition } from './portolan/v1/Replication.js';
import type { ShardUpdate as _portolan_v1_ShardUpdate, ShardUpdate__Output as _portolan_v1_ShardUpdate__Output } from './portolan/v1/ShardUpdate.js';
import type { StorageClient as _portolan_v1_StorageClient, StorageDefinition as _portolan_v1_StorageDefinition } from './portolan/v1/Storage.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  portolan: {
    v1: {
      Frame: MessageTypeDefinition<_portolan_v1_Frame, _portolan_v1_Frame__Output>
      LeaderHello: MessageTypeDefinition<_portolan_v1_LeaderHello, _portolan_v1_LeaderHello__Output>
      LeaderMessage: MessageTypeDefinition<_portolan_v1_LeaderMessage, _portolan_v1_LeaderMessage__Output>
      MapUpdate: MessageTypeDefinition<_portolan_v1_MapUpdate, _portolan_v1_MapUpdate__Output>
      Member: SubtypeConstructor<typeof grpc.Client, _portolan_v1_MemberClient> & { service: _portolan_v1_MemberDefinition }
      MemberHello: MessageTypeDefinition<_portolan_v1_MemberHello, _portolan_v1_MemberHello__Output>
      MemberMessage: MessageTypeDefinition<_portolan_v1_MemberMessage, _portolan_v1_MemberMessage__Output>
      NodeEntry: MessageTypeDefinition<_portolan_v1_NodeEntry, _portolan_v1_NodeEntry__Output>
      NodeTable: MessageTypeDefinition<_portolan_v1_NodeTable, _portolan_v1_NodeTable__Output>
      ReplicaEntry: MessageTypeDefinition<_portolan_v1_ReplicaEntry, _portolan_v1_ReplicaEntry__Output>
      ReplicaReport: MessageTypeDefinition<_portolan_v1_ReplicaReport, _portolan_v1_ReplicaReport__Output>
      Replication: SubtypeConstructor<typeof grpc.Client, _portolan_v1_ReplicationClient> & { service: _portolan_v1_ReplicationDefinition }
      ShardUpdate: MessageTypeDefinition<_portolan_v1_ShardUpdate, _portolan_v1_ShardUpdate__Output>
      Storage: SubtypeConstructor<typeof grpc.Client, _portolan_v1_StorageClient> & { service: _portolan_v1_StorageDefinition }
    }
  }
}

