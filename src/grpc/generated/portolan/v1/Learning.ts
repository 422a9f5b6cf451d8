// Original file: portolan/v1/cluster.proto

import type { Long } from '@grpc/proto-loader';

export interface Learning {
  'node'?: (string);
  'by'?: (string);
  'done'?: (number | string | Long);
  'total'?: (number | string | Long);
  'forMs'?: (number | string | Long);
}

export interface Learning__Output {
  'node': (string);
  'by': (string);
  'done': (string);
  'total': (string);
  'forMs': (string);
}
