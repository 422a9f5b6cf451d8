// Original file: portolan/v1/internal.proto

import type { LearnerProgress as _portolan_v1_LearnerProgress, LearnerProgress__Output as _portolan_v1_LearnerProgress__Output } from '../../portolan/v1/LearnerProgress.js';

export interface ProgressReport {
  'learners'?: (_portolan_v1_LearnerProgress)[];
}

export interface ProgressReport__Output {
  'learners': (_portolan_v1_LearnerProgress__Output)[];
}
