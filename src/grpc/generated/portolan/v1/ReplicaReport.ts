// Original file: portolan/v1/internal.proto

import type { ReplicaEntry as _portolan_v1_ReplicaEntry, ReplicaEntry__Output as _portolan_v1_ReplicaEntry__Output } from '../../portolan/v1/ReplicaEntry.js';

export interface ReplicaReport {
  'replicas'?: (_portolan_v1_ReplicaEntry)[];
}

export interface ReplicaReport__Output {
  'replicas': (_portolan_v1_ReplicaEntry__Output)[];
}
