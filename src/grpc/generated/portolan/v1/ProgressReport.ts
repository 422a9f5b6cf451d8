// Original file: portolan/v1/internal.proto

import type { LearnerProgress as _portolan_v1_LearnerProgress, LearnerProgress__Output as _portolan_v1_LearnerProgress__Output } from '../../portolan/v1/LearnerProgress.js';
import type { DamagedNotice as _portolan_v1_DamagedNotice, DamagedNotice__Output as _portolan_v1_DamagedNotice__Output } from '../../portolan/v1/DamagedNotice.js';
import type { UsedEpoch as _portolan_v1_UsedEpoch, UsedEpoch__Output as _portolan_v1_UsedEpoch__Output } from '../../portolan/v1/UsedEpoch.js';

export interface ProgressReport {
  'learners'?: (_portolan_v1_LearnerProgress)[];
  'damaged'?: (_portolan_v1_DamagedNotice)[];
  'outdated'?: (number)[];
  'used'?: (_portolan_v1_UsedEpoch)[];
}

export interface ProgressReport__Output {
  'learners': (_portolan_v1_LearnerProgress__Output)[];
  'damaged': (_portolan_v1_DamagedNotice__Output)[];
  'outdated': (number)[];
  'used': (_portolan_v1_UsedEpoch__Output)[];
}
