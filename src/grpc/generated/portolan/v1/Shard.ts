// Original file: portolan/v1/cluster.proto

import type { Long } from '@grpc/proto-loader';

export interface Shard {
  'id'?: (number);
  'firstSlot'?: (number);
  'lastSlot'?: (number);
  'epoch'?: (number | string | Long);
  'primary'?: (string);
  'isr'?: (string)[];
  'learners'?: (string)[];
  'state'?: (string);
  'served'?: (boolean);
}

export interface Shard__Output {
  'id': (number);
  'firstSlot': (number);
  'lastSlot': (number);
  'epoch': (string);
  'primary': (string);
  'isr': (string)[];
  'learners': (string)[];
  'state': (string);
  'served': (boolean);
}
