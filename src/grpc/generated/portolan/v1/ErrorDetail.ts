// Original file: portolan/v1/errors.proto

import type { Retry as _portolan_v1_Retry, Retry__Output as _portolan_v1_Retry__Output } from '../../portolan/v1/Retry.js';
import type { Outcome as _portolan_v1_Outcome, Outcome__Output as _portolan_v1_Outcome__Output } from '../../portolan/v1/Outcome.js';
import type { Hint as _portolan_v1_Hint, Hint__Output as _portolan_v1_Hint__Output } from '../../portolan/v1/Hint.js';

export interface ErrorDetail {
  'code'?: (string);
  'retry'?: (_portolan_v1_Retry);
  'outcome'?: (_portolan_v1_Outcome);
  'hint'?: (_portolan_v1_Hint | null);
  'message'?: (string);
}

export interface ErrorDetail__Output {
  'code': (string);
  'retry': (_portolan_v1_Retry__Output);
  'outcome': (_portolan_v1_Outcome__Output);
  'hint': (_portolan_v1_Hint__Output | null);
  'message': (string);
}
