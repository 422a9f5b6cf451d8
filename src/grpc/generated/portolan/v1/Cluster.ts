// Original file: portolan/v1/cluster.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { StatusRequest as _portolan_v1_StatusRequest, StatusRequest__Output as _portolan_v1_StatusRequest__Output } from '../../portolan/v1/StatusRequest.js';
import type { StatusResponse as _portolan_v1_StatusResponse, StatusResponse__Output as _portolan_v1_StatusResponse__Output } from '../../portolan/v1/StatusResponse.js';

export interface ClusterClient extends grpc.Client {
  Status(argument: _portolan_v1_StatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  Status(argument: _portolan_v1_StatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  Status(argument: _portolan_v1_StatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  Status(argument: _portolan_v1_StatusRequest, callback: grpc.requestCallback<_portolan_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _portolan_v1_StatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _portolan_v1_StatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _portolan_v1_StatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _portolan_v1_StatusRequest, callback: grpc.requestCallback<_portolan_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface ClusterHandlers extends grpc.UntypedServiceImplementation {
  Status: grpc.handleUnaryCall<_portolan_v1_StatusRequest__Output, _portolan_v1_StatusResponse>;
  
}

export interface ClusterDefinition extends grpc.ServiceDefinition {
  Status: MethodDefinition<_portolan_v1_StatusRequest, _portolan_v1_StatusResponse, _portolan_v1_StatusRequest__Output, _portolan_v1_StatusResponse__Output>
}
