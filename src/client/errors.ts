/**
 * What a call of the client library can fail with. `code` is stable, texts may change.
 *
 * A missing key and a condition that does not hold are answers, not errors.
 */

export type Outcome =
  /** No attempt of this call was or will be applied. Always so for reads. */
  | 'not-applied'
  /** At least one attempt may have been applied, or may yet be. */
  | 'unknown';

export interface FailureFacts {
  readonly outcome: Outcome;
  /** Requests that were sent for this call. */
  readonly attempts: number;
  readonly cause?: unknown;
}

/**
 * Codes: those of the servers (`INVALID_REQUEST`, `NO_PRIMARY`, `NOT_ENOUGH_REPLICAS`, …;
 * proto/portolan/v1 names them in `ErrorDetail.code`) and these of the library:
 *   UNAVAILABLE        no router could be reached until the deadline
 *   DEADLINE_EXCEEDED  a read was not answered until the deadline
 *   OUTCOME_UNKNOWN    see {@link OutcomeUnknownError}
 *   ABORTED            the caller's signal fired
 *   CLOSED             the client was closed
 */
export class PortolanError extends Error {
  readonly code: string;
  readonly outcome: Outcome;
  readonly attempts: number;

  constructor(code: string, message: string, { outcome, attempts, cause }: FailureFacts) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PortolanError';
    this.code = code;
    this.outcome = outcome;
    this.attempts = attempts;
  }
}

/** A write may or may not have been applied. Read the key to find out. */
export class OutcomeUnknownError extends PortolanError {
  constructor(message: string, attempts: number, cause?: unknown) {
    super('OUTCOME_UNKNOWN', `${message}; the outcome is unknown`, {
      outcome: 'unknown',
      attempts,
      cause,
    });
    this.name = 'OutcomeUnknownError';
  }
}
