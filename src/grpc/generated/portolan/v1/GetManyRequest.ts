// Original file: portolan/v1/kv.proto


export interface GetManyRequest {
  'keys'?: (Buffer | Uint8Array | string)[];
}

export interface GetManyRequest__Output {
  'keys': (Buffer)[];
}
