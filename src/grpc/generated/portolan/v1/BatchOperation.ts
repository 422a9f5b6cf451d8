// Original file: portolan/v1/kv.proto

import type { PutRequest as _portolan_v1_PutRequest, PutRequest__Output as _portolan_v1_PutRequest__Output } from '../../portolan/v1/PutRequest.js';
import type { DeleteRequest as _portolan_v1_DeleteRequest, DeleteRequest__Output as _portolan_v1_DeleteRequest__Output } from '../../portolan/v1/DeleteRequest.js';

export interface BatchOperation {
  'put'?: (_portolan_v1_PutRequest | null);
  'delete'?: (_portolan_v1_DeleteRequest | null);
  'operation'?: "put"|"delete";
}

export interface BatchOperation__Output {
  'put'?: (_portolan_v1_PutRequest__Output | null);
  'delete'?: (_portolan_v1_DeleteRequest__Output | null);
  'operation'?: "put"|"delete";
}
