// Original file: portolan/v1/internal.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { InventoryRequest as _portolan_v1_InventoryRequest, InventoryRequest__Output as _portolan_v1_InventoryRequest__Output } from '../../portolan/v1/InventoryRequest.js';
import type { InventoryResponse as _portolan_v1_InventoryResponse, InventoryResponse__Output as _portolan_v1_InventoryResponse__Output } from '../../portolan/v1/InventoryResponse.js';
import type { ScrubRequest as _portolan_v1_ScrubRequest, ScrubRequest__Output as _portolan_v1_ScrubRequest__Output } from '../../portolan/v1/ScrubRequest.js';
import type { ScrubResponse as _portolan_v1_ScrubResponse, ScrubResponse__Output as _portolan_v1_ScrubResponse__Output } from '../../portolan/v1/ScrubResponse.js';

export interface InspectionClient extends grpc.Client {
  Inventory(argument: _portolan_v1_InventoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_InventoryResponse__Output>): grpc.ClientUnaryCall;
  Inventory(argument: _portolan_v1_InventoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_InventoryResponse__Output>): grpc.ClientUnaryCall;
  Inventory(argument: _portolan_v1_InventoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_InventoryResponse__Output>): grpc.ClientUnaryCall;
  Inventory(argument: _portolan_v1_InventoryRequest, callback: grpc.requestCallback<_portolan_v1_InventoryResponse__Output>): grpc.ClientUnaryCall;
  inventory(argument: _portolan_v1_InventoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_InventoryResponse__Output>): grpc.ClientUnaryCall;
  inventory(argument: _portolan_v1_InventoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_InventoryResponse__Output>): grpc.ClientUnaryCall;
  inventory(argument: _portolan_v1_InventoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_InventoryResponse__Output>): grpc.ClientUnaryCall;
  inventory(argument: _portolan_v1_InventoryRequest, callback: grpc.requestCallback<_portolan_v1_InventoryResponse__Output>): grpc.ClientUnaryCall;
  
  Scrub(argument: _portolan_v1_ScrubRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_ScrubResponse__Output>): grpc.ClientUnaryCall;
  Scrub(argument: _portolan_v1_ScrubRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_ScrubResponse__Output>): grpc.ClientUnaryCall;
  Scrub(argument: _portolan_v1_ScrubRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_ScrubResponse__Output>): grpc.ClientUnaryCall;
  Scrub(argument: _portolan_v1_ScrubRequest, callback: grpc.requestCallback<_portolan_v1_ScrubResponse__Output>): grpc.ClientUnaryCall;
  scrub(argument: _portolan_v1_ScrubRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_ScrubResponse__Output>): grpc.ClientUnaryCall;
  scrub(argument: _portolan_v1_ScrubRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_ScrubResponse__Output>): grpc.ClientUnaryCall;
  scrub(argument: _portolan_v1_ScrubRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_ScrubResponse__Output>): grpc.ClientUnaryCall;
  scrub(argument: _portolan_v1_ScrubRequest, callback: grpc.requestCallback<_portolan_v1_ScrubResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface InspectionHandlers extends grpc.UntypedServiceImplementation {
  Inventory: grpc.handleUnaryCall<_portolan_v1_InventoryRequest__Output, _portolan_v1_InventoryResponse>;
  
  Scrub: grpc.handleUnaryCall<_portolan_v1_ScrubRequest__Output, _portolan_v1_ScrubResponse>;
  
}

export interface InspectionDefinition extends grpc.ServiceDefinition {
  Inventory: MethodDefinition<_portolan_v1_InventoryRequest, _portolan_v1_InventoryResponse, _portolan_v1_InventoryRequest__Output, _portolan_v1_InventoryResponse__Output>
  Scrub: MethodDefinition<_portolan_v1_ScrubRequest, _portolan_v1_ScrubResponse, _portolan_v1_ScrubRequest__Output, _portolan_v1_ScrubResponse__Output>
}
