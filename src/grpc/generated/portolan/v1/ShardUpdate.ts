// Original file: portolan/v1/internal.proto


export interface ShardUpdate {
  'shard'?: (number);
  'config'?: (Buffer | Uint8Array | string);
  'version'?: (number);
}

export interface ShardUpdate__Output {
  'shard': (number);
  'config': (Buffer);
  'version': (number);
}
