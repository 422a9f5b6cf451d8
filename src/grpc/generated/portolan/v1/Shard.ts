// Original file: portolan/v1/cluster.proto

import type { Learning as _portolan_v1_Learning, Learning__Output as _portolan_v1_Learning__Output } from '../../portolan/v1/Learning.js';
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
  'away'?: (string)[];
  'learning'?: (_portolan_v1_Learning)[];
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
  'away': (string)[];
  'learning': (_portolan_v1_Learning__Output)[];
}
