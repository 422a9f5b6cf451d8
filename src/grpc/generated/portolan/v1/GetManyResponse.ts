// Original file: portolan/v1/kv.proto

import type { GetResponse as _portolan_v1_GetResponse, GetResponse__Output as _portolan_v1_GetResponse__Output } from '../../portolan/v1/GetResponse.js';

export interface GetManyResponse {
  'results'?: (_portolan_v1_GetResponse)[];
}

export interface GetManyResponse__Output {
  'results': (_portolan_v1_GetResponse__Output)[];
}
