// Original file: portolan/v1/internal.proto

import type { MemberHello as _portolan_v1_MemberHello, MemberHello__Output as _portolan_v1_MemberHello__Output } from '../../portolan/v1/MemberHello.js';
import type { ReplicaReport as _portolan_v1_ReplicaReport, ReplicaReport__Output as _portolan_v1_ReplicaReport__Output } from '../../portolan/v1/ReplicaReport.js';
import type { ChangeRequest as _portolan_v1_ChangeRequest, ChangeRequest__Output as _portolan_v1_ChangeRequest__Output } from '../../portolan/v1/ChangeRequest.js';
import type { SteppedDown as _portolan_v1_SteppedDown, SteppedDown__Output as _portolan_v1_SteppedDown__Output } from '../../portolan/v1/SteppedDown.js';
import type { HandOverFailed as _portolan_v1_HandOverFailed, HandOverFailed__Output as _portolan_v1_HandOverFailed__Output } from '../../portolan/v1/HandOverFailed.js';
import type { Leaving as _portolan_v1_Leaving, Leaving__Output as _portolan_v1_Leaving__Output } from '../../portolan/v1/Leaving.js';
import type { Pong as _portolan_v1_Pong, Pong__Output as _portolan_v1_Pong__Output } from '../../portolan/v1/Pong.js';
import type { ProgressReport as _portolan_v1_ProgressReport, ProgressReport__Output as _portolan_v1_ProgressReport__Output } from '../../portolan/v1/ProgressReport.js';

export interface MemberMessage {
  'hello'?: (_portolan_v1_MemberHello | null);
  'replicas'?: (_portolan_v1_ReplicaReport | null);
  'request'?: (_portolan_v1_ChangeRequest | null);
  'steppedDown'?: (_portolan_v1_SteppedDown | null);
  'handOverFailed'?: (_portolan_v1_HandOverFailed | null);
  'leaving'?: (_portolan_v1_Leaving | null);
  'pong'?: (_portolan_v1_Pong | null);
  'progress'?: (_portolan_v1_ProgressReport | null);
  'message'?: "hello"|"replicas"|"request"|"steppedDown"|"handOverFailed"|"leaving"|"pong"|"progress";
}

export interface MemberMessage__Output {
  'hello'?: (_portolan_v1_MemberHello__Output | null);
  'replicas'?: (_portolan_v1_ReplicaReport__Output | null);
  'request'?: (_portolan_v1_ChangeRequest__Output | null);
  'steppedDown'?: (_portolan_v1_SteppedDown__Output | null);
  'handOverFailed'?: (_portolan_v1_HandOverFailed__Output | null);
  'leaving'?: (_portolan_v1_Leaving__Output | null);
  'pong'?: (_portolan_v1_Pong__Output | null);
  'progress'?: (_portolan_v1_ProgressReport__Output | null);
  'message'?: "hello"|"replicas"|"request"|"steppedDown"|"handOverFailed"|"leaving"|"pong"|"progress";
}
