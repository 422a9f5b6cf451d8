// Original file: portolan/v1/errors.proto

export const Retry = {
  RETRY_UNSPECIFIED: 'RETRY_UNSPECIFIED',
  RETRY_NEVER: 'RETRY_NEVER',
  RETRY_REFRESH_MAP: 'RETRY_REFRESH_MAP',
  RETRY_BACKOFF: 'RETRY_BACKOFF',
} as const;

export type Retry =
  | 'RETRY_UNSPECIFIED'
  | 0
  | 'RETRY_NEVER'
  | 1
  | 'RETRY_REFRESH_MAP'
  | 2
  | 'RETRY_BACKOFF'
  | 3

export type Retry__Output = typeof Retry[keyof typeof Retry]
