// Original file: portolan/v1/errors.proto

import type { Long } from '@grpc/proto-loader';

export interface Hint {
  'shard'?: (number);
  'epoch'?: (number | string | Long);
  'primary'?: (string);
  'address'?: (string);
  'config'?: (Buffer | Uint8Array | string);
  'configVersion'?: (number);
}

export interface Hint__Output {
  'shard': (number);
  'epoch': (string);
  'primary': (string);
  'address': (string);
  'config': (Buffer);
  'configVersion': (number);
}
