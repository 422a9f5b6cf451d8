// Original file: portolan/v1/internal.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { Frame as _portolan_v1_Frame, Frame__Output as _portolan_v1_Frame__Output } from '../../portolan/v1/Frame.js';

export interface StorageClient extends grpc.Client {
  Exchange(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_portolan_v1_Frame, _portolan_v1_Frame__Output>;
  Exchange(options?: grpc.CallOptions): grpc.ClientDuplexStream<_portolan_v1_Frame, _portolan_v1_Frame__Output>;
  exchange(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_portolan_v1_Frame, _portolan_v1_Frame__Output>;
  exchange(options?: grpc.CallOptions): grpc.ClientDuplexStream<_portolan_v1_Frame, _portolan_v1_Frame__Output>;
  
}

export interface StorageHandlers extends grpc.UntypedServiceImplementation {
  Exchange: grpc.handleBidiStreamingCall<_portolan_v1_Frame__Output, _portolan_v1_Frame>;
  
}

export interface StorageDefinition extends grpc.ServiceDefinition {
  Exchange: MethodDefinition<_portolan_v1_Frame, _portolan_v1_Frame, _portolan_v1_Frame__Output, _portolan_v1_Frame__Output>
}
