/** One call of a client on its way through the router: its clock, its place, its one answer. */
import type { CallKind } from '../model/calls.js';
import { LIMITS } from '../model/limits.js';
import { RefusedError } from '../model/refusals.js';
import type { Cancel } from '../ports/clock.js';
import { keyOf } from '../wire/kv-messages.js';
import type { LinkCall } from './link-call.js';
import type { NodeLink } from './node-link.js';

/** Room for the fields around key and value, known and unknown. */
const FIELDS_BYTES_MAX = 4 * 1024;

/** Where a call is. Exactly one of these at a time. */
export type CallPlace =
  | { readonly at: 'new' }
  /** Waits for a change of the map, or for a pause to end. */
  | { readonly at: 'waiting'; readonly refusal: RefusedError; readonly cancelPause: Cancel }
  | { readonly at: 'link'; readonly link: NodeLink; readonly sent: LinkCall }
  | { readonly at: 'end' };

export interface CallStart {
  readonly kind: CallKind;
  readonly payload: Buffer;
  readonly startedAt: number;
  /** Milliseconds its caller will wait. */
  readonly budgetMs: number;
}

export class RoutedCall {
  readonly kind: CallKind;
  readonly payload: Buffer;
  readonly key: Buffer;
  /** By the clock: when it came, and until when its caller waits. */
  readonly startedAt: number;
  readonly deadline: number;
  readonly resolve: (response: Buffer) => void;
  readonly reject: (refusal: RefusedError) => void;
  place: CallPlace = { at: 'new' };
  cancelDeadline: Cancel = () => undefined;
  /** Pauses taken so far; each is longer than the one before. */
  pauses = 0;
  /** Why the node was not reached, the last time. */
  linkProblem: string | undefined;

  /** @throws RefusedError INVALID_REQUEST if the request has no key within the limits. */
  constructor(
    { kind, payload, startedAt, budgetMs }: CallStart,
    resolve: (response: Buffer) => void,
    reject: (refusal: RefusedError) => void,
  ) {
    if (payload.length > LIMITS.keyBytesMax + LIMITS.valueBytesMax + FIELDS_BYTES_MAX) {
      throw new RefusedError(
        'INVALID_REQUEST',
        `the request has ${payload.length} bytes; a value has at most ${LIMITS.valueBytesMax}`,
      );
    }
    this.kind = kind;
    this.payload = payload;
    this.key = keyOf(payload);
    this.startedAt = startedAt;
    this.deadline = startedAt + budgetMs;
    this.resolve = resolve;
    this.reject = reject;
  }

  get isWrite(): boolean {
    return this.kind !== 'get';
  }
}
