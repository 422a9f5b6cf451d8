// Original file: portolan/v1/internal.proto

import type { MemberHello as _portolan_v1_MemberHello, MemberHello__Output as _portolan_v1_MemberHello__Output } from '../../portolan/v1/MemberHello.js';
import type { ReplicaReport as _portolan_v1_ReplicaReport, ReplicaReport__Output as _portolan_v1_ReplicaReport__Output } from '../../portolan/v1/ReplicaReport.js';

export interface MemberMessage {
  'hello'?: (_portolan_v1_MemberHello | null);
  'replicas'?: (_portolan_v1_ReplicaReport | null);
  'message'?: "hello"|"replicas";
}

export interface MemberMessage__Output {
  'hello'?: (_portolan_v1_MemberHello__Output | null);
  'replicas'?: (_portolan_v1_ReplicaReport__Output | null);
  'message'?: "hello"|"replicas";
}
