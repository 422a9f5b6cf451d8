// Original file: portolan/v1/internal.proto

import type { LearningBy as _portolan_v1_LearningBy, LearningBy__Output as _portolan_v1_LearningBy__Output } from '../../portolan/v1/LearningBy.js';
import type { Long } from '@grpc/proto-loader';

export interface LearnerProgress {
  'shard'?: (number);
  'epoch'?: (number | string | Long);
  'node'?: (string);
  'by'?: (_portolan_v1_LearningBy);
  'done'?: (number | string | Long);
  'total'?: (number | string | Long);
  'forMs'?: (number | string | Long);
}

export interface LearnerProgress__Output {
  'shard': (number);
  'epoch': (string);
  'node': (string);
  'by': (_portolan_v1_LearningBy__Output);
  'done': (string);
  'total': (string);
  'forMs': (string);
}
