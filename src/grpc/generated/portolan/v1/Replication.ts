// Original file: portolan/v1/internal.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { Frame as _portolan_v1_Frame, Frame__Output as _portolan_v1_Frame__Output } from '../../portolan/v1/Frame.js';

export interface ReplicationClient extends grpc.Client {
  Replicate(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_portolan_v1_Frame, _portolan_v1_Frame__Output>;
  Replicate(options?: grpc.CallOptions): grpc.ClientDuplexStream<_portolan_v1_Frame, _portolan_v1_Frame__Output>;
  replicate(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_portolan_v1_Frame, _portolan_v1_Frame__Output>;
  replicate(options?: grpc.CallOptions): grpc.ClientDuplexStream<_portolan_v1_Frame, _portolan_v1_Frame__Output>;
  
}

export interface ReplicationHandlers extends grpc.UntypedServiceImplementation {
  Replicate: grpc.handleBidiStreamingCall<_portolan_v1_Frame__Output, _portolan_v1_Frame>;
  
}

export interface ReplicationDefinition extends grpc.ServiceDefinition {
  Replicate: MethodDefinition<_portolan_v1_Frame, _portolan_v1_Frame, _portolan_v1_Frame__Output, _portolan_v1_Frame__Output>
}
