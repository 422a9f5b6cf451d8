// Original file: portolan/v1/internal.proto

import type { Long } from '@grpc/proto-loader';

export interface LeaderHello {
  'clusterUuid'?: (string);
  'leaderEpoch'?: (number | string | Long);
  'leader'?: (string);
}

export interface LeaderHello__Output {
  'clusterUuid': (string);
  'leaderEpoch': (string);
  'leader': (string);
}
