// Original file: portolan/v1/cluster.proto

import type { Long } from '@grpc/proto-loader';

export interface Leader {
  'id'?: (string);
  'znode'?: (string);
  'leaderEpoch'?: (number | string | Long);
}

export interface Leader__Output {
  'id': (string);
  'znode': (string);
  'leaderEpoch': (string);
}
