/**
 * Every refusal a client can see, as one total table.
 *
 * The *code* is the contract; message texts may change freely. `outcome` is the promise that
 * matters most (S21): `not-applied` means no replica will ever apply this request because of this
 * attempt; `unknown` means it may have been, or may yet be, applied. A gRPC status without our
 * trailer makes no promise at all.
 */
import type { VersionedConfig } from './shard-config.js';

export type RetryAdvice =
  /** The same request will be refused again. */
  | 'never'
  /** Ask again at once with the map that came with the refusal. */
  | 'refresh-map'
  /** Ask again after a pause that grows. */
  | 'backoff';

export type GrpcStatusName =
  | 'INVALID_ARGUMENT'
  | 'FAILED_PRECONDITION'
  | 'RESOURCE_EXHAUSTED'
  | 'UNAVAILABLE'
  | 'UNIMPLEMENTED'
  | 'DATA_LOSS';

interface RefusalRow {
  readonly status: GrpcStatusName;
  readonly retry: RetryAdvice;
  readonly outcome: 'not-applied' | 'unknown';
}

export const REFUSALS = {
  /** A key, a value or a field is outside its limits, or the message does not parse. */
  INVALID_REQUEST: { status: 'INVALID_ARGUMENT', retry: 'never', outcome: 'not-applied' },
  /** The method or the field exists in the API but not yet in this version. */
  NOT_SUPPORTED: { status: 'UNIMPLEMENTED', retry: 'never', outcome: 'not-applied' },
  /** The node is not the primary of this shard; the hint says who is. */
  NOT_PRIMARY: { status: 'FAILED_PRECONDITION', retry: 'refresh-map', outcome: 'not-applied' },
  /** The caller's epoch is older than the node's; the hint says which holds now. */
  STALE_EPOCH: { status: 'FAILED_PRECONDITION', retry: 'refresh-map', outcome: 'not-applied' },
  /** The caller's epoch is newer: the node has not heard of it yet. */
  NODE_BEHIND: { status: 'UNAVAILABLE', retry: 'backoff', outcome: 'not-applied' },
  /** The shard has no primary that can be reached, and had none until the deadline. */
  NO_PRIMARY: { status: 'UNAVAILABLE', retry: 'backoff', outcome: 'not-applied' },
  /** Fewer replicas in sync than writes need, until the deadline; reads go on. Never started. */
  NOT_ENOUGH_REPLICAS: { status: 'UNAVAILABLE', retry: 'backoff', outcome: 'not-applied' },
  /** The deadline passed while the request still waited; it was never started. */
  DEADLINE_PASSED: { status: 'UNAVAILABLE', retry: 'backoff', outcome: 'not-applied' },
  /** A queue is full. */
  OVERLOADED: { status: 'RESOURCE_EXHAUSTED', retry: 'backoff', outcome: 'not-applied' },
  /** The disk is nearly full: reads and deletes go on, puts do not. */
  DISK_FULL: { status: 'RESOURCE_EXHAUSTED', retry: 'backoff', outcome: 'not-applied' },
  /** The process is stopping and takes nothing new. */
  STOPPING: { status: 'UNAVAILABLE', retry: 'backoff', outcome: 'not-applied' },
  /** The stored record does not match its checksum. Nothing was changed; nothing is made up. */
  CORRUPT_RECORD: { status: 'DATA_LOSS', retry: 'never', outcome: 'not-applied' },
  /** The disk refused while this write was under way: it may appear after a restart. */
  STORAGE_FAILED: { status: 'UNAVAILABLE', retry: 'backoff', outcome: 'unknown' },
  /** The connection to the primary broke after the write was sent. */
  PRIMARY_LOST: { status: 'UNAVAILABLE', retry: 'backoff', outcome: 'unknown' },
} as const satisfies Record<string, RefusalRow>;

export type RefusalCode = keyof typeof REFUSALS;

export function isRefusalCode(text: string): text is RefusalCode {
  return Object.hasOwn(REFUSALS, text);
}

/** Where to ask instead: the configuration the refuser knows, so that one answer repairs a map. */
export interface RefusalHint extends VersionedConfig {
  /** HOST:PORT of the primary; undefined if the refuser does not know it. */
  readonly address: string | undefined;
}

export interface RefusalOptions extends ErrorOptions {
  readonly hint?: RefusalHint | undefined;
}

/** A request that was not done, and what its caller may rely on. Not a bug and not a surprise. */
export class RefusedError extends Error {
  readonly code: RefusalCode;
  readonly hint: RefusalHint | undefined;

  constructor(code: RefusalCode, message: string, options?: RefusalOptions) {
    super(message, options);
    this.name = 'RefusedError';
    this.code = code;
    this.hint = options?.hint;
  }

  get status(): GrpcStatusName {
    return REFUSALS[this.code].status;
  }

  get retry(): RetryAdvice {
    return REFUSALS[this.code].retry;
  }

  get outcome(): 'not-applied' | 'unknown' {
    return REFUSALS[this.code].outcome;
  }
}
