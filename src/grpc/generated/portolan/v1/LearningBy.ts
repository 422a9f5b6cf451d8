// Original file: portolan/v1/internal.proto

export const LearningBy = {
  LEARNING_BY_NOTHING: 'LEARNING_BY_NOTHING',
  LEARNING_BY_LOG: 'LEARNING_BY_LOG',
  LEARNING_BY_SNAPSHOT: 'LEARNING_BY_SNAPSHOT',
} as const;

export type LearningBy =
  | 'LEARNING_BY_NOTHING'
  | 0
  | 'LEARNING_BY_LOG'
  | 1
  | 'LEARNING_BY_SNAPSHOT'
  | 2

export type LearningBy__Output = typeof LearningBy[keyof typeof LearningBy]
