// Original file: portolan/v1/kv.proto


export interface WatchRequest {
  'prefix'?: (Buffer | Uint8Array | string);
  'resumeToken'?: (Buffer | Uint8Array | string);
}

export interface WatchRequest__Output {
  'prefix': (Buffer);
  'resumeToken': (Buffer);
}
