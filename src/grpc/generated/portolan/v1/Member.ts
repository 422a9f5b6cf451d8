// Original file: portolan/v1/internal.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { LeaderMessage as _portolan_v1_LeaderMessage, LeaderMessage__Output as _portolan_v1_LeaderMessage__Output } from '../../portolan/v1/LeaderMessage.js';
import type { MemberMessage as _portolan_v1_MemberMessage, MemberMessage__Output as _portolan_v1_MemberMessage__Output } from '../../portolan/v1/MemberMessage.js';

export interface MemberClient extends grpc.Client {
  Follow(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_portolan_v1_LeaderMessage, _portolan_v1_MemberMessage__Output>;
  Follow(options?: grpc.CallOptions): grpc.ClientDuplexStream<_portolan_v1_LeaderMessage, _portolan_v1_MemberMessage__Output>;
  follow(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_portolan_v1_LeaderMessage, _portolan_v1_MemberMessage__Output>;
  follow(options?: grpc.CallOptions): grpc.ClientDuplexStream<_portolan_v1_LeaderMessage, _portolan_v1_MemberMessage__Output>;
  
}

export interface MemberHandlers extends grpc.UntypedServiceImplementation {
  Follow: grpc.handleBidiStreamingCall<_portolan_v1_LeaderMessage__Output, _portolan_v1_MemberMessage>;
  
}

export interface MemberDefinition extends grpc.ServiceDefinition {
  Follow: MethodDefinition<_portolan_v1_LeaderMessage, _portolan_v1_MemberMessage, _portolan_v1_LeaderMessage__Output, _portolan_v1_MemberMessage__Output>
}
