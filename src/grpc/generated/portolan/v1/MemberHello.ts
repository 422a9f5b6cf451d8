// Original file: portolan/v1/internal.proto

import type { Long } from '@grpc/proto-loader';

export interface MemberHello {
  'id'?: (string);
  'process'?: (string);
  'leaderEpoch'?: (number | string | Long);
}

export interface MemberHello__Output {
  'id': (string);
  'process': (string);
  'leaderEpoch': (string);
}
