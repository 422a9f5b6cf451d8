// Original file: portolan/v1/internal.proto

import type { Shrink as _portolan_v1_Shrink, Shrink__Output as _portolan_v1_Shrink__Output } from '../../portolan/v1/Shrink.js';
import type { Expand as _portolan_v1_Expand, Expand__Output as _portolan_v1_Expand__Output } from '../../portolan/v1/Expand.js';
import type { Withdraw as _portolan_v1_Withdraw, Withdraw__Output as _portolan_v1_Withdraw__Output } from '../../portolan/v1/Withdraw.js';
import type { EpochUsed as _portolan_v1_EpochUsed, EpochUsed__Output as _portolan_v1_EpochUsed__Output } from '../../portolan/v1/EpochUsed.js';
import type { Replace as _portolan_v1_Replace, Replace__Output as _portolan_v1_Replace__Output } from '../../portolan/v1/Replace.js';
import type { SetBack as _portolan_v1_SetBack, SetBack__Output as _portolan_v1_SetBack__Output } from '../../portolan/v1/SetBack.js';
import type { Long } from '@grpc/proto-loader';

export interface ChangeRequest {
  'shard'?: (number);
  'shardUuid'?: (string);
  'epoch'?: (number | string | Long);
  'basedOn'?: (number);
  'shrink'?: (_portolan_v1_Shrink | null);
  'expand'?: (_portolan_v1_Expand | null);
  'withdraw'?: (_portolan_v1_Withdraw | null);
  'epochUsed'?: (_portolan_v1_EpochUsed | null);
  'replace'?: (_portolan_v1_Replace | null);
  'setBack'?: (_portolan_v1_SetBack | null);
  'change'?: "shrink"|"expand"|"withdraw"|"epochUsed"|"replace"|"setBack";
}

export interface ChangeRequest__Output {
  'shard': (number);
  'shardUuid': (string);
  'epoch': (string);
  'basedOn': (number);
  'shrink'?: (_portolan_v1_Shrink__Output | null);
  'expand'?: (_portolan_v1_Expand__Output | null);
  'withdraw'?: (_portolan_v1_Withdraw__Output | null);
  'epochUsed'?: (_portolan_v1_EpochUsed__Output | null);
  'replace'?: (_portolan_v1_Replace__Output | null);
  'setBack'?: (_portolan_v1_SetBack__Output | null);
  'change'?: "shrink"|"expand"|"withdraw"|"epochUsed"|"replace"|"setBack";
}
