// Original file: portolan/v1/cluster.proto

import type { Long } from '@grpc/proto-loader';

export interface Node {
  'id'?: (string);
  'address'?: (string);
  'state'?: (string);
  'shards'?: (number);
  'primaries'?: (number);
  'host'?: (string);
  'zone'?: (string);
  'downForMs'?: (number | string | Long);
}

export interface Node__Output {
  'id': (string);
  'address': (string);
  'state': (string);
  'shards': (number);
  'primaries': (number);
  'host': (string);
  'zone': (string);
  'downForMs': (string);
}
