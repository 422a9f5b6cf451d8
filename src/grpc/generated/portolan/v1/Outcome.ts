// Original file: portolan/v1/errors.proto

export const Outcome = {
  OUTCOME_UNSPECIFIED: 'OUTCOME_UNSPECIFIED',
  OUTCOME_NOT_APPLIED: 'OUTCOME_NOT_APPLIED',
} as const;

export type Outcome =
  | 'OUTCOME_UNSPECIFIED'
  | 0
  | 'OUTCOME_NOT_APPLIED'
  | 1

export type Outcome__Output = typeof Outcome[keyof typeof Outcome]
