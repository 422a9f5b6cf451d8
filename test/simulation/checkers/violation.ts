/** What a checker says of operations that cannot all be true: which, why, and what that is called. */
import type { Operation, WriteCall } from './history.js';

/** The anomalies, by the names the literature has for them where there is one. */
export type Rule =
  /** An answer that its own request rules out, such as "not applied" without a condition. */
  | 'impossible-answer'
  /** A value was read that no client ever wrote. */
  | 'value-from-nowhere'
  /** Dirty read: the value of a write that was refused. */
  | 'refused-write-seen'
  /** The value of a put whose condition did not hold. */
  | 'failed-condition-seen'
  /** One write was applied twice. */
  | 'two-versions-of-one-write'
  /** A version was given to two writes (S22). */
  | 'two-values-of-one-version'
  /** A version was told that no write has. */
  | 'version-from-nowhere'
  /** A later write got a lower version, or one that leaves no room for what was between (S22). */
  | 'version-order'
  /** A value was read before its write was even asked for. */
  | 'future-read'
  /** An answer rests on a state that had been replaced before the call. */
  | 'stale-read'
  /** A deleted value came back. */
  | 'resurrection'
  /** What was acknowledged is not there at the end. */
  | 'lost-write'
  /** The key was absent although nothing can have deleted it. */
  | 'unexplained-absence'
  /** A write was applied on a condition that did not hold, over what another one wrote. */
  | 'lost-update'
  /** Two deletes removed the same version. */
  | 'double-delete'
  /** No order explains the answers, and no simpler rule says why. */
  | 'not-linearizable';

export interface Violation {
  readonly rule: Rule;
  /** One sentence that names the operations by id and the numbers compared. */
  readonly message: string;
  /** The operations that contradict each other. */
  readonly operations: readonly (Operation | WriteCall)[];
}

/** An operation in a sentence: `put #7`. */
export function nameOf({ kind, id }: Operation | WriteCall): string {
  return `${kind} #${id}`;
}
