// Original file: portolan/v1/cluster.proto

import type { Learning as _portolan_v1_Learning, Learning__Output as _portolan_v1_Learning__Output } from '../../portolan/v1/Learning.js';
import type { Damaged as _portolan_v1_Damaged, Damaged__Output as _portolan_v1_Damaged__Output } from '../../portolan/v1/Damaged.js';
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
  'damaged'?: (_portolan_v1_Damaged)[];
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
  'damaged': (_portolan_v1_Damaged__Output)[];
}
