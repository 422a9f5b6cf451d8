/** What goes into a `Replica` and what comes out: data only, no behaviour. */
import type { Epoch, Incarnation, Seq } from '../model/ids.js';
import type { RefusalCode } from '../model/refusals.js';
import type { VersionedConfig } from '../model/shard-config.js';
import type { ReplicaState } from './replica-state.js';
import type { Standing } from './standing.js';

/** A write, its key and value as the bytes that will be stored. */
export type Write =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'delete'; readonly key: Buffer };

export interface WriteInput {
  readonly type: 'write';
  /** Names the call in the answer; chosen by the driver, unique while the call is open. */
  readonly call: number;
  /** The epoch of the caller's map; undefined if it has none and takes whichever holds. */
  readonly epoch: Epoch | undefined;
  readonly write: Write;
  /** The version the key must have, 0 = absent; undefined = any. */
  readonly ifVersion: number | undefined;
  /**
   * Version the store holds now, 0 = absent. Needed if {@link needsStoredVersion} says so,
   * otherwise undefined.
   */
  readonly storedVersion: Seq | undefined;
}

export type ReplicaInput =
  /** The newest configuration heard. Never older than the one before. */
  | { readonly type: 'config'; readonly update: VersionedConfig }
  /** This process registered, and this is the life it has now. */
  | { readonly type: 'registered'; readonly incarnation: Incarnation }
  | WriteInput
  /** A {@link Ready} is on stable storage; its state's promisedEpoch and lastSeq are echoed. */
  | { readonly type: 'persisted'; readonly epoch: Epoch; readonly lastSeq: Seq };

/** Why a request is not served, in words that name the numbers compared. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
}

export type Answer =
  | {
      readonly type: 'written';
      readonly call: number;
      readonly applied: boolean;
      /** As PutResponse and DeleteResponse have it. */
      readonly version: Seq;
    }
  | { readonly type: 'refused'; readonly call: number; readonly refusal: Refusal };

/** A change to the data of this replica. */
export type DataOp =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer; readonly seq: Seq }
  | { readonly type: 'remove'; readonly key: Buffer };

export type ReplicaEvent =
  | { readonly type: 'created'; readonly epoch: Epoch }
  | { readonly type: 'epoch-adopted'; readonly epoch: Epoch; readonly before: Epoch }
  | {
      readonly type: 'standing-changed';
      readonly from: Standing;
      readonly to: Standing;
      readonly epoch: Epoch;
    };

/** One round of work. Every list may be empty. */
export interface Ready {
  /** 1. Give at once: these answers depend on nothing that is not durable. */
  readonly answers: readonly Answer[];
  /** 2. Write as one batch, together with `state`. All or nothing (S2, S4). */
  readonly data: readonly DataOp[];
  /** The replica's own record, part of the same batch. Set whenever there is data. */
  readonly state: ReplicaState | undefined;
  /** Set on the first round after the replica's existence became durable: tell the leader. */
  readonly born: ReplicaState | undefined;
  /** What happened. For log, metrics and tests; no code branches on it. */
  readonly events: readonly ReplicaEvent[];
}

/** Whether a write's outcome depends on the key's present version. */
export function needsStoredVersion(write: Write, ifVersion: number | undefined): boolean {
  return write.type === 'delete' || ifVersion !== undefined;
}
