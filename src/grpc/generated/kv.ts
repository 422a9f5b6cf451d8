import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { BatchOperation as _portolan_v1_BatchOperation, BatchOperation__Output as _portolan_v1_BatchOperation__Output } from './portolan/v1/BatchOperation.js';
import type { BatchRequest as _portolan_v1_BatchRequest, BatchRequest__Output as _portolan_v1_BatchRequest__Output } from './portolan/v1/BatchRequest.js';
import type { BatchResponse as _portolan_v1_BatchResponse, BatchResponse__Output as _portolan_v1_BatchResponse__Output } from './portolan/v1/BatchResponse.js';
import type { BatchResult as _portolan_v1_BatchResult, BatchResult__Output as _portolan_v1_BatchResult__Output } from './portolan/v1/BatchResult.js';
import type { DeleteRequest as _portolan_v1_DeleteRequest, DeleteRequest__Output as _portolan_v1_DeleteRequest__Output } from './portolan/v1/DeleteRequest.js';
import type { DeleteResponse as _portolan_v1_DeleteResponse, DeleteResponse__Output as _portolan_v1_DeleteResponse__Output } from './portolan/v1/DeleteResponse.js';
import type { Entry as _portolan_v1_Entry, Entry__Output as _portolan_v1_Entry__Output } from './portolan/v1/Entry.js';
import type { GetManyRequest as _portolan_v1_GetManyRequest, GetManyRequest__Output as _portolan_v1_GetManyRequest__Output } from './portolan/v1/GetManyRequest.js';
import type { GetManyResponse as _portolan_v1_GetManyResponse, GetManyResponse__Output as _portolan_v1_GetManyResponse__Output } from './portolan/v1/GetManyResponse.js';
import type { GetRequest as _portolan_v1_GetRequest, GetRequest__Output as _portolan_v1_GetRequest__Output } from './portolan/v1/GetRequest.js';
import type { GetResponse as _portolan_v1_GetResponse, GetResponse__Output as _portolan_v1_GetResponse__Output } from './portolan/v1/GetResponse.js';
import type { IncrementRequest as _portolan_v1_IncrementRequest, IncrementRequest__Output as _portolan_v1_IncrementRequest__Output } from './portolan/v1/IncrementRequest.js';
import type { IncrementResponse as _portolan_v1_IncrementResponse, IncrementResponse__Output as _portolan_v1_IncrementResponse__Output } from './portolan/v1/IncrementResponse.js';
import type { KVClient as _portolan_v1_KVClient, KVDefinition as _portolan_v1_KVDefinition } from './portolan/v1/KV.js';
import type { PutRequest as _portolan_v1_PutRequest, PutRequest__Output as _portolan_v1_PutRequest__Output } from './portolan/v1/PutRequest.js';
import type { PutResponse as _portolan_v1_PutResponse, PutResponse__Output as _portolan_v1_PutResponse__Output } from './portolan/v1/PutResponse.js';
import type { RequestId as _portolan_v1_RequestId, RequestId__Output as _portolan_v1_RequestId__Output } from './portolan/v1/RequestId.js';
import type { ScanRequest as _portolan_v1_ScanRequest, ScanRequest__Output as _portolan_v1_ScanRequest__Output } from './portolan/v1/ScanRequest.js';
import type { ScanResponse as _portolan_v1_ScanResponse, ScanResponse__Output as _portolan_v1_ScanResponse__Output } from './portolan/v1/ScanResponse.js';
import type { WatchEvent as _portolan_v1_WatchEvent, WatchEvent__Output as _portolan_v1_WatchEvent__Output } from './portolan/v1/WatchEvent.js';
import type { WatchRequest as _portolan_v1_WatchRequest, WatchRequest__Output as _portolan_v1_WatchRequest__Output } from './portolan/v1/WatchRequest.js';
import type { WatchResponse as _portolan_v1_WatchResponse, WatchResponse__Output as _portolan_v1_WatchResponse__Output } from './portolan/v1/WatchResponse.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  portolan: {
    v1: {
      BatchOperation: MessageTypeDefinition<_portolan_v1_BatchOperation, _portolan_v1_BatchOperation__Output>
      BatchRequest: MessageTypeDefinition<_portolan_v1_BatchRequest, _portolan_v1_BatchRequest__Output>
      BatchResponse: MessageTypeDefinition<_portolan_v1_BatchResponse, _portolan_v1_BatchResponse__Output>
      BatchResult: MessageTypeDefinition<_portolan_v1_BatchResult, _portolan_v1_BatchResult__Output>
      DeleteRequest: MessageTypeDefinition<_portolan_v1_DeleteRequest, _portolan_v1_DeleteRequest__Output>
      DeleteResponse: MessageTypeDefinition<_portolan_v1_DeleteResponse, _portolan_v1_DeleteResponse__Output>
      Entry: MessageTypeDefinition<_portolan_v1_Entry, _portolan_v1_Entry__Output>
      GetManyRequest: MessageTypeDefinition<_portolan_v1_GetManyRequest, _portolan_v1_GetManyRequest__Output>
      GetManyResponse: MessageTypeDefinition<_portolan_v1_GetManyResponse, _portolan_v1_GetManyResponse__Output>
      GetRequest: MessageTypeDefinition<_portolan_v1_GetRequest, _portolan_v1_GetRequest__Output>
      GetResponse: MessageTypeDefinition<_portolan_v1_GetResponse, _portolan_v1_GetResponse__Output>
      IncrementRequest: MessageTypeDefinition<_portolan_v1_IncrementRequest, _portolan_v1_IncrementRequest__Output>
      IncrementResponse: MessageTypeDefinition<_portolan_v1_IncrementResponse, _portolan_v1_IncrementResponse__Output>
      KV: SubtypeConstructor<typeof grpc.Client, _portolan_v1_KVClient> & { service: _portolan_v1_KVDefinition }
      PutRequest: MessageTypeDefinition<_portolan_v1_PutRequest, _portolan_v1_PutRequest__Output>
      PutResponse: MessageTypeDefinition<_portolan_v1_PutResponse, _portolan_v1_PutResponse__Output>
      RequestId: MessageTypeDefinition<_portolan_v1_RequestId, _portolan_v1_RequestId__Output>
      ScanRequest: MessageTypeDefinition<_portolan_v1_ScanRequest, _portolan_v1_ScanRequest__Output>
      ScanResponse: MessageTypeDefinition<_portolan_v1_ScanResponse, _portolan_v1_ScanResponse__Output>
      WatchEvent: MessageTypeDefinition<_portolan_v1_WatchEvent, _portolan_v1_WatchEvent__Output>
      WatchRequest: MessageTypeDefinition<_portolan_v1_WatchRequest, _portolan_v1_WatchRequest__Output>
      WatchResponse: MessageTypeDefinition<_portolan_v1_WatchResponse, _portolan_v1_WatchResponse__Output>
    }
  }
}

