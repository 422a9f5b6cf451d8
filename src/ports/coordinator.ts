/**
 * What the roles need of a coordination service: a tree of versioned znodes, sessions whose
 * ephemeral znodes vanish with them, one-shot watches and atomic multis. ZooKeeper's model (Hunt et
 * al., USENIX ATC 2010), cut down to what can be used safely.
 *
 * Every call ends by its deadline in one of three ways, and the caller must tell them apart:
 * `ok`; `failed`, which is definite (nothing was changed, and this attempt will never change
 * anything); `unknown` (it may have happened, or may yet happen until the session ends). No call
 * throws, except for a path or a size that is our own bug.
 *
 * Paths are relative to the cluster's root and begin with a slash.
 */

export type Outcome<T> =
  | { readonly status: 'ok'; readonly value: T }
  | Failed
  | { readonly status: 'unknown'; readonly reason: string };

export interface Failed {
  readonly status: 'failed';
  readonly code: FailureCode;
  readonly message: string;
  /** In a multi: which operation failed, if the service said so. */
  readonly opIndex?: number;
}

export type FailureCode =
  | 'no-node'
  | 'node-exists'
  | 'bad-version'
  | 'not-empty'
  /** Ephemeral znodes have no children. */
  | 'no-children'
  | 'no-auth'
  /** The request is larger than the service takes. Never sent. */
  | 'too-large'
  /** There was no connection; never sent. */
  | 'not-connected'
  /** The session is over; never sent. */
  | 'session-lost'
  /** The service refused for a reason of its own; the message says which. */
  | 'refused';

export interface ZnodeStat {
  /** Of the data; 0 at creation, +1 per change. The token of compare-and-set. */
  readonly version: number;
  /** Transaction that created the znode: grows over the life of the ensemble. */
  readonly czxid: number;
  /** Transaction that changed it last. */
  readonly mzxid: number;
  /** Session that owns an ephemeral znode as 16 hex digits; undefined for a persistent one. */
  readonly owner: string | undefined;
}

export interface Znode {
  readonly data: Buffer;
  readonly stat: ZnodeStat;
}

export type CreateMode = 'persistent' | 'ephemeral' | 'ephemeral-sequential';

/** One step of a multi. Versions are exact: there is deliberately no "any version". */
export type MultiOp =
  | { readonly type: 'check'; readonly path: string; readonly version: number }
  | {
      readonly type: 'create';
      readonly path: string;
      readonly data: Buffer;
      readonly mode: CreateMode;
    }
  | {
      readonly type: 'set';
      readonly path: string;
      readonly data: Buffer;
      readonly version: number;
    }
  | { readonly type: 'remove'; readonly path: string; readonly version: number };

/** What a step of a multi that happened tells. */
export type MultiResult =
  | { readonly type: 'check' | 'remove' }
  | { readonly type: 'create'; readonly path: string }
  | { readonly type: 'set'; readonly stat: ZnodeStat };

/**
 * `connected`: requests are sent. `suspended`: there is no connection; the session may live or be
 * over, only the service knows. `lost`: over for ever, with its ephemeral znodes and watches.
 */
export type SessionState = 'connecting' | 'connected' | 'suspended' | 'lost';

export interface SessionEvents {
  /** The state changed. `lost` comes exactly once and is the last. */
  state(state: SessionState): void;
  /**
   * `isProven()` changed. False: the session could have ended by now as far as we can tell, because
   * no answer came for 2/3 of its timeout; a leader stops acting. True: an answer came after all.
   */
  proven(isProven: boolean): void;
}

/** Milliseconds a call may take before it ends as unknown; the session's own default otherwise. */
export interface CallOptions {
  readonly timeoutMs?: number;
  /**
   * Called once, when the data or the children that were read may have changed, or when the watch
   * itself is gone. A hint only: read again to learn anything (rule Z7).
   */
  readonly onMaybeChanged?: () => void;
}

export interface CoordinatorSession {
  /** 16 hex digits; equals {@link ZnodeStat.owner} of the session's ephemeral znodes. */
  readonly id: string;
  readonly state: SessionState;
  /** Negotiated with the service. */
  readonly timeoutMs: number;
  /** True while an answer came within 2/3 of the timeout, by the monotonic clock. */
  isProven(): boolean;
  on<E extends keyof SessionEvents>(event: E, listener: SessionEvents[E]): () => void;

  /** A znode; undefined if there is none (the watch then waits for its creation). */
  read(path: string, options?: CallOptions): Promise<Outcome<Znode | undefined>>;
  /** Names of the children, unsorted; undefined if the parent does not exist. */
  children(path: string, options?: CallOptions): Promise<Outcome<readonly string[] | undefined>>;
  /** Path of the new znode: the given one, or with ten digits behind it if sequential. */
  create(path: string, data: Buffer, mode: CreateMode): Promise<Outcome<string>>;
  set(path: string, data: Buffer, version: number): Promise<Outcome<ZnodeStat>>;
  remove(path: string, version: number): Promise<Outcome<void>>;
  /** All steps or none, in order. */
  multi(ops: readonly MultiOp[]): Promise<Outcome<readonly MultiResult[]>>;
  /** After `ok`, this session's reads see everything that was committed before the call (Z6). */
  barrier(): Promise<Outcome<void>>;
  /** Ends the session, so that its ephemeral znodes vanish now. Never throws; bounded in time. */
  close(): Promise<void>;
}

export interface CoordinatorHandlers {
  /** A new session is connected for the first time. Whatever the one before it had is gone. */
  session(session: CoordinatorSession): void;
  /** No session could be opened so far: said once per attempt, for the operator. */
  unreachable(problem: string): void;
}

/** Keeps one session open at a time, a new one after each loss, until closed. */
export interface Coordinator {
  /** Begins; may be called once. */
  start(handlers: CoordinatorHandlers): void;
  /** The session in use, whatever its state; undefined before the first. */
  readonly session: CoordinatorSession | undefined;
  /** Counters for the operator: answers, failures, unknowns, reconnects and the like by name. */
  readonly counters: ReadonlyMap<string, number>;
  close(): Promise<void>;
}
