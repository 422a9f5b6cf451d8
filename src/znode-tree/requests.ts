/**
 * What goes into the tree and what comes out, as data: transactions, their results, and the codes
 * of what was refused. The names are ZooKeeper's own, in this code's spelling.
 */
import type { Acl, Identity } from './acl.js';
import type { Stat } from './stat.js';

/** 16 hex digits, as operators see it in `ephemeralOwner`. */
export type SessionId = string;

export type CreateMode =
  | 'persistent'
  | 'persistent-sequential'
  | 'ephemeral'
  | 'ephemeral-sequential';

/** To ZooKeeper this version of a condition means: any. */
export const ANY_VERSION = -1;

/**
 * One change or one check. `data` is kept, not copied: whoever hands it over never changes it
 * again. `version` is the one the data must have, or {@link ANY_VERSION}.
 */
export type Step =
  | {
      readonly type: 'create';
      readonly path: string;
      readonly data: Buffer;
      readonly mode: CreateMode;
      /** Undefined: open to anyone. */
      readonly acl?: Acl;
    }
  | { readonly type: 'delete'; readonly path: string; readonly version: number }
  | {
      readonly type: 'set-data';
      readonly path: string;
      readonly data: Buffer;
      readonly version: number;
    }
  /** `version` is that of the access list. */
  | {
      readonly type: 'set-acl';
      readonly path: string;
      readonly acl: Acl;
      readonly version: number;
    }
  | { readonly type: 'check'; readonly path: string; readonly version: number };

export type Request =
  | Step
  | { readonly type: 'multi'; readonly steps: readonly Step[] }
  | { readonly type: 'open-session'; readonly timeoutMs: number }
  | { readonly type: 'close-session' };

/** A request with all that its result depends on: every copy of the tree does the same with it. */
export interface Transaction {
  /** Whose request it is; the session to open or to close. */
  readonly session: SessionId;
  /** Wall clock of the server that ordered it, in milliseconds since 1970: for ctime and mtime. */
  readonly timeMs: number;
  /** Of the client that asks. Undefined: one that may do anything. */
  readonly identities?: readonly Identity[];
  readonly request: Request;
}

/** Why a request or a step of it was refused. Refused requests change nothing but the zxid. */
export type ErrorCode =
  | 'no-node'
  | 'node-exists'
  | 'bad-version'
  | 'not-empty'
  | 'no-children-for-ephemerals'
  | 'bad-arguments'
  | 'no-auth'
  | 'invalid-acl'
  | 'session-expired';

/** Of a step that happened. */
export type StepResult =
  | { readonly type: 'create'; readonly path: string; readonly stat: Stat }
  | { readonly type: 'set-data' | 'set-acl'; readonly stat: Stat }
  | { readonly type: 'delete' | 'check' };

/**
 * Of a step of a multi that did not happen: `ok` before the culprit, the culprit's own code, and
 * `runtime-inconsistency` behind it.
 */
export type StepCode = 'ok' | ErrorCode | 'runtime-inconsistency';

export type Result =
  /** One result per step; none for the opening and the closing of a session. */
  | { readonly ok: true; readonly steps: readonly StepResult[] }
  /** `code` is the culprit's. */
  | { readonly ok: false; readonly code: ErrorCode; readonly steps: readonly StepCode[] };

/** What a transaction did to one znode; watches wait for these, but not for `acl-changed`. */
export interface Change {
  readonly type: 'created' | 'data-changed' | 'acl-changed' | 'deleted';
  readonly path: string;
  /** Who may know of it: the lists of the znode and of its parent. Undefined: anybody. */
  readonly acl?: Acl | undefined;
  readonly parentAcl?: Acl | undefined;
}

export interface Applied {
  readonly zxid: number;
  readonly result: Result;
  /** In the order in which they were made; empty if the request was refused. */
  readonly changes: readonly Change[];
}
