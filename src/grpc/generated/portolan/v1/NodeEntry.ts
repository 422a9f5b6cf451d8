// Original file: portolan/v1/internal.proto

import type { Long } from '@grpc/proto-loader';

export interface NodeEntry {
  'id'?: (string);
  'address'?: (string);
  'store'?: (string);
  'incarnation'?: (number | string | Long);
  'host'?: (string);
  'zone'?: (string);
  'process'?: (string);
  'ancestry'?: (string)[];
}

export interface NodeEntry__Output {
  'id': (string);
  'address': (string);
  'store': (string);
  'incarnation': (string);
  'host': (string);
  'zone': (string);
  'process': (string);
  'ancestry': (string)[];
}
