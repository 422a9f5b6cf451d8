import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { ChangeRequest as _portolan_v1_ChangeRequest, ChangeRequest__Output as _portolan_v1_ChangeRequest__Output } from './portolan/v1/ChangeRequest.js';
import type { DamagedNotice as _portolan_v1_DamagedNotice, DamagedNotice__Output as _portolan_v1_DamagedNotice__Output } from './portolan/v1/DamagedNotice.js';
import type { EpochUsed as _portolan_v1_EpochUsed, EpochUsed__Output as _portolan_v1_EpochUsed__Output } from './portolan/v1/EpochUsed.js';
import type { Expand as _portolan_v1_Expand, Expand__Output as _portolan_v1_Expand__Output } from './portolan/v1/Expand.js';
import type { Frame as _portolan_v1_Frame, Frame__Output as _portolan_v1_Frame__Output } from './portolan/v1/Frame.js';
import type { HandOver as _portolan_v1_HandOver, HandOver__Output as _portolan_v1_HandOver__Output } from './portolan/v1/HandOver.js';
import type { HandOverFailed as _portolan_v1_HandOverFailed, HandOverFailed__Output as _portolan_v1_HandOverFailed__Output } from './portolan/v1/HandOverFailed.js';
import type { HeldReplica as _portolan_v1_HeldReplica, HeldReplica__Output as _portolan_v1_HeldReplica__Output } from './portolan/v1/HeldReplica.js';
import type { InspectionClient as _portolan_v1_InspectionClient, InspectionDefinition as _portolan_v1_InspectionDefinition } from './portolan/v1/Inspection.js';
import type { InventoryRequest as _portolan_v1_InventoryRequest, InventoryRequest__Output as _portolan_v1_InventoryRequest__Output } from './portolan/v1/InventoryRequest.js';
import type { InventoryResponse as _portolan_v1_InventoryResponse, InventoryResponse__Output as _portolan_v1_InventoryResponse__Output } from './portolan/v1/InventoryResponse.js';
import type { Lead as _portolan_v1_Lead, Lead__Output as _portolan_v1_Lead__Output } from './portolan/v1/Lead.js';
import type { LeaderHello as _portolan_v1_LeaderHello, LeaderHello__Output as _portolan_v1_LeaderHello__Output } from './portolan/v1/LeaderHello.js';
import type { LeaderMessage as _portolan_v1_LeaderMessage, LeaderMessage__Output as _portolan_v1_LeaderMessage__Output } from './portolan/v1/LeaderMessage.js';
import type { LearnerProgress as _portolan_v1_LearnerProgress, LearnerProgress__Output as _portolan_v1_LearnerProgress__Output } from './portolan/v1/LearnerProgress.js';
import type { Leaving as _portolan_v1_Leaving, Leaving__Output as _portolan_v1_Leaving__Output } from './portolan/v1/Leaving.js';
import type { MapUpdate as _portolan_v1_MapUpdate, MapUpdate__Output as _portolan_v1_MapUpdate__Output } from './portolan/v1/MapUpdate.js';
import type { MemberClient as _portolan_v1_MemberClient, MemberDefinition as _portolan_v1_MemberDefinition } from './portolan/v1/Member.js';
import type { MemberHello as _portolan_v1_MemberHello, MemberHello__Output as _portolan_v1_MemberHello__Output } from './portolan/v1/MemberHello.js';
import type { MemberMessage as _portolan_v1_MemberMessage, MemberMessage__Output as _portolan_v1_MemberMessage__Output } from './portolan/v1/MemberMessage.js';
import type { NodeEntry as _portolan_v1_NodeEntry, NodeEntry__Output as _portolan_v1_NodeEntry__Output } from './portolan/v1/NodeEntry.js';
import type { NodeTable as _portolan_v1_NodeTable, NodeTable__Output as _portolan_v1_NodeTable__Output } from './portolan/v1/NodeTable.js';
import type { Ping as _portolan_v1_Ping, Ping__Output as _portolan_v1_Ping__Output } from './portolan/v1/Ping.js';
import type { Pong as _portolan_v1_Pong, Pong__Output as _portolan_v1_Pong__Output } from './portolan/v1/Pong.js';
import type { ProgressReport as _portolan_v1_ProgressReport, ProgressReport__Output as _portolan_v1_ProgressReport__Output } from './portolan/v1/ProgressReport.js';
import type { Replace as _portolan_v1_Replace, Replace__Output as _portolan_v1_Replace__Output } from './portolan/v1/Replace.js';
import type { ReplicaEntry as _portolan_v1_ReplicaEntry, ReplicaEntry__Output as _portolan_v1_ReplicaEntry__Output } from './portolan/v1/ReplicaEntry.js';
import type { ReplicaReport as _portolan_v1_ReplicaReport, ReplicaReport__Output as _portolan_v1_ReplicaReport__Output } from './portolan/v1/ReplicaReport.js';
import type { ReplicationClient as _portolan_v1_ReplicationClient, ReplicationDefinition as _portolan_v1_ReplicationDefinition } from './portolan/v1/Replication.js';
import type { ScrubRequest as _portolan_v1_ScrubRequest, ScrubRequest__Output as _portolan_v1_ScrubRequest__Output } from './portolan/v1/ScrubRequest.js';
import type { ScrubResponse as _portolan_v1_ScrubResponse, ScrubResponse__Output as _portolan_v1_ScrubResponse__Output } from './portolan/v1/ScrubResponse.js';
import type { SetBack as _portolan_v1_SetBack, SetBack__Output as _portolan_v1_SetBack__Output } from './portolan/v1/SetBack.js';
import type { ShardUpdate as _portolan_v1_ShardUpdate, ShardUpdate__Output as _portolan_v1_ShardUpdate__Output } from './portolan/v1/ShardUpdate.js';
import type { Shrink as _portolan_v1_Shrink, Shrink__Output as _portolan_v1_Shrink__Output } from './portolan/v1/Shrink.js';
import type { SteppedDown as _portolan_v1_SteppedDown, SteppedDown__Output as _portolan_v1_SteppedDown__Output } from './portolan/v1/SteppedDown.js';
import type { StorageClient as _portolan_v1_StorageClient, StorageDefinition as _portolan_v1_StorageDefinition } from './portolan/v1/Storage.js';
import type { UsedEpoch as _portolan_v1_UsedEpoch, UsedEpoch__Output as _portolan_v1_UsedEpoch__Output } from './portolan/v1/UsedEpoch.js';
import type { Withdraw as _portolan_v1_Withdraw, Withdraw__Output as _portolan_v1_Withdraw__Output } from './portolan/v1/Withdraw.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  portolan: {
    v1: {
      ChangeRequest: MessageTypeDefinition<_portolan_v1_ChangeRequest, _portolan_v1_ChangeRequest__Output>
      DamagedNotice: MessageTypeDefinition<_portolan_v1_DamagedNotice, _portolan_v1_DamagedNotice__Output>
      EpochUsed: MessageTypeDefinition<_portolan_v1_EpochUsed, _portolan_v1_EpochUsed__Output>
      Expand: MessageTypeDefinition<_portolan_v1_Expand, _portolan_v1_Expand__Output>
      Frame: MessageTypeDefinition<_portolan_v1_Frame, _portolan_v1_Frame__Output>
      HandOver: MessageTypeDefinition<_portolan_v1_HandOver, _portolan_v1_HandOver__Output>
      HandOverFailed: MessageTypeDefinition<_portolan_v1_HandOverFailed, _portolan_v1_HandOverFailed__Output>
      HeldReplica: MessageTypeDefinition<_portolan_v1_HeldReplica, _portolan_v1_HeldReplica__Output>
      Inspection: SubtypeConstructor<typeof grpc.Client, _portolan_v1_InspectionClient> & { service: _portolan_v1_InspectionDefinition }
      InventoryRequest: MessageTypeDefinition<_portolan_v1_InventoryRequest, _portolan_v1_InventoryRequest__Output>
      InventoryResponse: MessageTypeDefinition<_portolan_v1_InventoryResponse, _portolan_v1_InventoryResponse__Output>
      Lead: MessageTypeDefinition<_portolan_v1_Lead, _portolan_v1_Lead__Output>
      LeaderHello: MessageTypeDefinition<_portolan_v1_LeaderHello, _portolan_v1_LeaderHello__Output>
      LeaderMessage: MessageTypeDefinition<_portolan_v1_LeaderMessage, _portolan_v1_LeaderMessage__Output>
      LearnerProgress: MessageTypeDefinition<_portolan_v1_LearnerProgress, _portolan_v1_LearnerProgress__Output>
      LearningBy: EnumTypeDefinition
      Leaving: MessageTypeDefinition<_portolan_v1_Leaving, _portolan_v1_Leaving__Output>
      MapUpdate: MessageTypeDefinition<_portolan_v1_MapUpdate, _portolan_v1_MapUpdate__Output>
      Member: SubtypeConstructor<typeof grpc.Client, _portolan_v1_MemberClient> & { service: _portolan_v1_MemberDefinition }
      MemberHello: MessageTypeDefinition<_portolan_v1_MemberHello, _portolan_v1_MemberHello__Output>
      MemberMessage: MessageTypeDefinition<_portolan_v1_MemberMessage, _portolan_v1_MemberMessage__Output>
      NodeEntry: MessageTypeDefinition<_portolan_v1_NodeEntry, _portolan_v1_NodeEntry__Output>
      NodeTable: MessageTypeDefinition<_portolan_v1_NodeTable, _portolan_v1_NodeTable__Output>
      Ping: MessageTypeDefinition<_portolan_v1_Ping, _portolan_v1_Ping__Output>
      Pong: MessageTypeDefinition<_portolan_v1_Pong, _portolan_v1_Pong__Output>
      ProgressReport: MessageTypeDefinition<_portolan_v1_ProgressReport, _portolan_v1_ProgressReport__Output>
      Replace: MessageTypeDefinition<_portolan_v1_Replace, _portolan_v1_Replace__Output>
      ReplicaEntry: MessageTypeDefinition<_portolan_v1_ReplicaEntry, _portolan_v1_ReplicaEntry__Output>
      ReplicaReport: MessageTypeDefinition<_portolan_v1_ReplicaReport, _portolan_v1_ReplicaReport__Output>
      Replication: SubtypeConstructor<typeof grpc.Client, _portolan_v1_ReplicationClient> & { service: _portolan_v1_ReplicationDefinition }
      ScrubRequest: MessageTypeDefinition<_portolan_v1_ScrubRequest, _portolan_v1_ScrubRequest__Output>
      ScrubResponse: MessageTypeDefinition<_portolan_v1_ScrubResponse, _portolan_v1_ScrubResponse__Output>
      SetBack: MessageTypeDefinition<_portolan_v1_SetBack, _portolan_v1_SetBack__Output>
      ShardUpdate: MessageTypeDefinition<_portolan_v1_ShardUpdate, _portolan_v1_ShardUpdate__Output>
      Shrink: MessageTypeDefinition<_portolan_v1_Shrink, _portolan_v1_Shrink__Output>
      SteppedDown: MessageTypeDefinition<_portolan_v1_SteppedDown, _portolan_v1_SteppedDown__Output>
      Storage: SubtypeConstructor<typeof grpc.Client, _portolan_v1_StorageClient> & { service: _portolan_v1_StorageDefinition }
      UsedEpoch: MessageTypeDefinition<_portolan_v1_UsedEpoch, _portolan_v1_UsedEpoch__Output>
      Withdraw: MessageTypeDefinition<_portolan_v1_Withdraw, _portolan_v1_Withdraw__Output>
    }
  }
}

