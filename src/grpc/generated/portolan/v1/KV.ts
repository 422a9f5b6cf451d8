// Original file: portolan/v1/kv.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BatchRequest as _portolan_v1_BatchRequest, BatchRequest__Output as _portolan_v1_BatchRequest__Output } from '../../portolan/v1/BatchRequest.js';
import type { BatchResponse as _portolan_v1_BatchResponse, BatchResponse__Output as _portolan_v1_BatchResponse__Output } from '../../portolan/v1/BatchResponse.js';
import type { DeleteRequest as _portolan_v1_DeleteRequest, DeleteRequest__Output as _portolan_v1_DeleteRequest__Output } from '../../portolan/v1/DeleteRequest.js';
import type { DeleteResponse as _portolan_v1_DeleteResponse, DeleteResponse__Output as _portolan_v1_DeleteResponse__Output } from '../../portolan/v1/DeleteResponse.js';
import type { GetManyRequest as _portolan_v1_GetManyRequest, GetManyRequest__Output as _portolan_v1_GetManyRequest__Output } from '../../portolan/v1/GetManyRequest.js';
import type { GetManyResponse as _portolan_v1_GetManyResponse, GetManyResponse__Output as _portolan_v1_GetManyResponse__Output } from '../../portolan/v1/GetManyResponse.js';
import type { GetRequest as _portolan_v1_GetRequest, GetRequest__Output as _portolan_v1_GetRequest__Output } from '../../portolan/v1/GetRequest.js';
import type { GetResponse as _portolan_v1_GetResponse, GetResponse__Output as _portolan_v1_GetResponse__Output } from '../../portolan/v1/GetResponse.js';
import type { IncrementRequest as _portolan_v1_IncrementRequest, IncrementRequest__Output as _portolan_v1_IncrementRequest__Output } from '../../portolan/v1/IncrementRequest.js';
import type { IncrementResponse as _portolan_v1_IncrementResponse, IncrementResponse__Output as _portolan_v1_IncrementResponse__Output } from '../../portolan/v1/IncrementResponse.js';
import type { PutRequest as _portolan_v1_PutRequest, PutRequest__Output as _portolan_v1_PutRequest__Output } from '../../portolan/v1/PutRequest.js';
import type { PutResponse as _portolan_v1_PutResponse, PutResponse__Output as _portolan_v1_PutResponse__Output } from '../../portolan/v1/PutResponse.js';
import type { ScanRequest as _portolan_v1_ScanRequest, ScanRequest__Output as _portolan_v1_ScanRequest__Output } from '../../portolan/v1/ScanRequest.js';
import type { ScanResponse as _portolan_v1_ScanResponse, ScanResponse__Output as _portolan_v1_ScanResponse__Output } from '../../portolan/v1/ScanResponse.js';
import type { WatchRequest as _portolan_v1_WatchRequest, WatchRequest__Output as _portolan_v1_WatchRequest__Output } from '../../portolan/v1/WatchRequest.js';
import type { WatchResponse as _portolan_v1_WatchResponse, WatchResponse__Output as _portolan_v1_WatchResponse__Output } from '../../portolan/v1/WatchResponse.js';

export interface KVClient extends grpc.Client {
  Batch(argument: _portolan_v1_BatchRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_BatchResponse__Output>): grpc.ClientUnaryCall;
  Batch(argument: _portolan_v1_BatchRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_BatchResponse__Output>): grpc.ClientUnaryCall;
  Batch(argument: _portolan_v1_BatchRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_BatchResponse__Output>): grpc.ClientUnaryCall;
  Batch(argument: _portolan_v1_BatchRequest, callback: grpc.requestCallback<_portolan_v1_BatchResponse__Output>): grpc.ClientUnaryCall;
  batch(argument: _portolan_v1_BatchRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_BatchResponse__Output>): grpc.ClientUnaryCall;
  batch(argument: _portolan_v1_BatchRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_BatchResponse__Output>): grpc.ClientUnaryCall;
  batch(argument: _portolan_v1_BatchRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_BatchResponse__Output>): grpc.ClientUnaryCall;
  batch(argument: _portolan_v1_BatchRequest, callback: grpc.requestCallback<_portolan_v1_BatchResponse__Output>): grpc.ClientUnaryCall;
  
  Delete(argument: _portolan_v1_DeleteRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_DeleteResponse__Output>): grpc.ClientUnaryCall;
  Delete(argument: _portolan_v1_DeleteRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_DeleteResponse__Output>): grpc.ClientUnaryCall;
  Delete(argument: _portolan_v1_DeleteRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_DeleteResponse__Output>): grpc.ClientUnaryCall;
  Delete(argument: _portolan_v1_DeleteRequest, callback: grpc.requestCallback<_portolan_v1_DeleteResponse__Output>): grpc.ClientUnaryCall;
  delete(argument: _portolan_v1_DeleteRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_DeleteResponse__Output>): grpc.ClientUnaryCall;
  delete(argument: _portolan_v1_DeleteRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_DeleteResponse__Output>): grpc.ClientUnaryCall;
  delete(argument: _portolan_v1_DeleteRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_DeleteResponse__Output>): grpc.ClientUnaryCall;
  delete(argument: _portolan_v1_DeleteRequest, callback: grpc.requestCallback<_portolan_v1_DeleteResponse__Output>): grpc.ClientUnaryCall;
  
  Get(argument: _portolan_v1_GetRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_GetResponse__Output>): grpc.ClientUnaryCall;
  Get(argument: _portolan_v1_GetRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_GetResponse__Output>): grpc.ClientUnaryCall;
  Get(argument: _portolan_v1_GetRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_GetResponse__Output>): grpc.ClientUnaryCall;
  Get(argument: _portolan_v1_GetRequest, callback: grpc.requestCallback<_portolan_v1_GetResponse__Output>): grpc.ClientUnaryCall;
  get(argument: _portolan_v1_GetRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_GetResponse__Output>): grpc.ClientUnaryCall;
  get(argument: _portolan_v1_GetRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_GetResponse__Output>): grpc.ClientUnaryCall;
  get(argument: _portolan_v1_GetRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_GetResponse__Output>): grpc.ClientUnaryCall;
  get(argument: _portolan_v1_GetRequest, callback: grpc.requestCallback<_portolan_v1_GetResponse__Output>): grpc.ClientUnaryCall;
  
  GetMany(argument: _portolan_v1_GetManyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_GetManyResponse__Output>): grpc.ClientUnaryCall;
  GetMany(argument: _portolan_v1_GetManyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_GetManyResponse__Output>): grpc.ClientUnaryCall;
  GetMany(argument: _portolan_v1_GetManyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_GetManyResponse__Output>): grpc.ClientUnaryCall;
  GetMany(argument: _portolan_v1_GetManyRequest, callback: grpc.requestCallback<_portolan_v1_GetManyResponse__Output>): grpc.ClientUnaryCall;
  getMany(argument: _portolan_v1_GetManyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_GetManyResponse__Output>): grpc.ClientUnaryCall;
  getMany(argument: _portolan_v1_GetManyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_GetManyResponse__Output>): grpc.ClientUnaryCall;
  getMany(argument: _portolan_v1_GetManyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_GetManyResponse__Output>): grpc.ClientUnaryCall;
  getMany(argument: _portolan_v1_GetManyRequest, callback: grpc.requestCallback<_portolan_v1_GetManyResponse__Output>): grpc.ClientUnaryCall;
  
  Increment(argument: _portolan_v1_IncrementRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_IncrementResponse__Output>): grpc.ClientUnaryCall;
  Increment(argument: _portolan_v1_IncrementRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_IncrementResponse__Output>): grpc.ClientUnaryCall;
  Increment(argument: _portolan_v1_IncrementRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_IncrementResponse__Output>): grpc.ClientUnaryCall;
  Increment(argument: _portolan_v1_IncrementRequest, callback: grpc.requestCallback<_portolan_v1_IncrementResponse__Output>): grpc.ClientUnaryCall;
  increment(argument: _portolan_v1_IncrementRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_IncrementResponse__Output>): grpc.ClientUnaryCall;
  increment(argument: _portolan_v1_IncrementRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_IncrementResponse__Output>): grpc.ClientUnaryCall;
  increment(argument: _portolan_v1_IncrementRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_IncrementResponse__Output>): grpc.ClientUnaryCall;
  increment(argument: _portolan_v1_IncrementRequest, callback: grpc.requestCallback<_portolan_v1_IncrementResponse__Output>): grpc.ClientUnaryCall;
  
  Put(argument: _portolan_v1_PutRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_PutResponse__Output>): grpc.ClientUnaryCall;
  Put(argument: _portolan_v1_PutRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_PutResponse__Output>): grpc.ClientUnaryCall;
  Put(argument: _portolan_v1_PutRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_PutResponse__Output>): grpc.ClientUnaryCall;
  Put(argument: _portolan_v1_PutRequest, callback: grpc.requestCallback<_portolan_v1_PutResponse__Output>): grpc.ClientUnaryCall;
  put(argument: _portolan_v1_PutRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_PutResponse__Output>): grpc.ClientUnaryCall;
  put(argument: _portolan_v1_PutRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_portolan_v1_PutResponse__Output>): grpc.ClientUnaryCall;
  put(argument: _portolan_v1_PutRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_portolan_v1_PutResponse__Output>): grpc.ClientUnaryCall;
  put(argument: _portolan_v1_PutRequest, callback: grpc.requestCallback<_portolan_v1_PutResponse__Output>): grpc.ClientUnaryCall;
  
  Scan(argument: _portolan_v1_ScanRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_portolan_v1_ScanResponse__Output>;
  Scan(argument: _portolan_v1_ScanRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_portolan_v1_ScanResponse__Output>;
  scan(argument: _portolan_v1_ScanRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_portolan_v1_ScanResponse__Output>;
  scan(argument: _portolan_v1_ScanRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_portolan_v1_ScanResponse__Output>;
  
  Watch(argument: _portolan_v1_WatchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_portolan_v1_WatchResponse__Output>;
  Watch(argument: _portolan_v1_WatchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_portolan_v1_WatchResponse__Output>;
  watch(argument: _portolan_v1_WatchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_portolan_v1_WatchResponse__Output>;
  watch(argument: _portolan_v1_WatchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_portolan_v1_WatchResponse__Output>;
  
}

export interface KVHandlers extends grpc.UntypedServiceImplementation {
  Batch: grpc.handleUnaryCall<_portolan_v1_BatchRequest__Output, _portolan_v1_BatchResponse>;
  
  Delete: grpc.handleUnaryCall<_portolan_v1_DeleteRequest__Output, _portolan_v1_DeleteResponse>;
  
  Get: grpc.handleUnaryCall<_portolan_v1_GetRequest__Output, _portolan_v1_GetResponse>;
  
  GetMany: grpc.handleUnaryCall<_portolan_v1_GetManyRequest__Output, _portolan_v1_GetManyResponse>;
  
  Increment: grpc.handleUnaryCall<_portolan_v1_IncrementRequest__Output, _portolan_v1_IncrementResponse>;
  
  Put: grpc.handleUnaryCall<_portolan_v1_PutRequest__Output, _portolan_v1_PutResponse>;
  
  Scan: grpc.handleServerStreamingCall<_portolan_v1_ScanRequest__Output, _portolan_v1_ScanResponse>;
  
  Watch: grpc.handleServerStreamingCall<_portolan_v1_WatchRequest__Output, _portolan_v1_WatchResponse>;
  
}

export interface KVDefinition extends grpc.ServiceDefinition {
  Batch: MethodDefinition<_portolan_v1_BatchRequest, _portolan_v1_BatchResponse, _portolan_v1_BatchRequest__Output, _portolan_v1_BatchResponse__Output>
  Delete: MethodDefinition<_portolan_v1_DeleteRequest, _portolan_v1_DeleteResponse, _portolan_v1_DeleteRequest__Output, _portolan_v1_DeleteResponse__Output>
  Get: MethodDefinition<_portolan_v1_GetRequest, _portolan_v1_GetResponse, _portolan_v1_GetRequest__Output, _portolan_v1_GetResponse__Output>
  GetMany: MethodDefinition<_portolan_v1_GetManyRequest, _portolan_v1_GetManyResponse, _portolan_v1_GetManyRequest__Output, _portolan_v1_GetManyResponse__Output>
  Increment: MethodDefinition<_portolan_v1_IncrementRequest, _portolan_v1_IncrementResponse, _portolan_v1_IncrementRequest__Output, _portolan_v1_IncrementResponse__Output>
  Put: MethodDefinition<_portolan_v1_PutRequest, _portolan_v1_PutResponse, _portolan_v1_PutRequest__Output, _portolan_v1_PutResponse__Output>
  Scan: MethodDefinition<_portolan_v1_ScanRequest, _portolan_v1_ScanResponse, _portolan_v1_ScanRequest__Output, _portolan_v1_ScanResponse__Output>
  Watch: MethodDefinition<_portolan_v1_WatchRequest, _portolan_v1_WatchResponse, _portolan_v1_WatchRequest__Output, _portolan_v1_WatchResponse__Output>
}
