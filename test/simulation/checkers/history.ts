/**
 * The history format: what clients asked, when, and what they were told. All checkers read it.
 *
 * The meaning of answers is that of proto/portolan/v1/kv.proto. Times are numbers of one clock that
 * never goes back, in any unit; best is a counter of events, because two operations that touch at
 * the same number count as concurrent. Every put writes a value that no other put of its key writes:
 * a value that is read names the put it came from.
 *
 * What an operation without an answer means:
 * - a refused write definitely failed: its effect must never be seen;
 * - an unknown write may take effect at any time after its call, also after the client gave up, or
 *   never;
 * - a read without an answer says nothing and is left out.
 */

/**
 * The write is done only if this is the key's version. 0 means: if absent for a put, but no
 * condition for a delete, which is how the API has it.
 */
export interface Condition {
  readonly ifVersion: number;
}

/** As GetResponse has it. */
export interface ReadResult {
  readonly found: boolean;
  /** Set if found. */
  readonly value?: string | undefined;
  /** 0 if not found. */
  readonly version: number;
}

/**
 * As PutResponse and DeleteResponse have it. An applied put tells its own version, an applied delete
 * the version it removed (0: there was nothing), a write not applied the current one (0: absent).
 */
export interface WriteResult {
  readonly applied: boolean;
  readonly version: number;
}

interface Call {
  /** Unique in the history. */
  readonly id: number;
  readonly client: string;
  readonly key: string;
  readonly callAt: number;
  /** Null: the client never heard anything. Not null if there is an answer. */
  readonly returnAt: number | null;
}

export interface GetCall extends Call {
  readonly kind: 'get';
}

export interface PutCall extends Call {
  readonly kind: 'put';
  /** The value written. */
  readonly arg: string;
  readonly condition?: Condition | undefined;
}

export interface DeleteCall extends Call {
  readonly kind: 'delete';
  readonly condition?: Condition | undefined;
}

export type WriteCall = PutCall | DeleteCall;

interface Ok<Result> {
  readonly outcome: 'ok';
  readonly observed: Result;
}

export interface NoAnswer {
  readonly outcome: 'refused' | 'unknown';
}

export type AnsweredOperation =
  | (GetCall & Ok<ReadResult>)
  | (PutCall & Ok<WriteResult>)
  | (DeleteCall & Ok<WriteResult>);

export type Operation =
  | AnsweredOperation
  | (GetCall & NoAnswer)
  | (PutCall & NoAnswer)
  | (DeleteCall & NoAnswer);

/** The operations of one key, sorted out; each list in the order of the calls. */
export interface KeyHistory {
  readonly key: string;
  /** Took place once, between call and return. */
  readonly answered: readonly AnsweredOperation[];
  /** Unknown writes: take effect at most once, at any time after the call. */
  readonly unanswered: readonly WriteCall[];
  /** Writes that must leave no trace. */
  readonly refused: readonly WriteCall[];
}

/** The client under which reads of the final state are entered. */
export const FINAL_CLIENT = 'final';

/** The version a write depends on; undefined = it is done whatever is there. */
export function ifVersionOf(write: WriteCall): number | undefined {
  const ifVersion = write.condition?.ifVersion;
  return write.kind === 'delete' && ifVersion === 0 ? undefined : ifVersion;
}

/** Infinity: it may take effect at any time. */
export function returnTimeOf({ returnAt }: Operation | WriteCall): number {
  return returnAt ?? Infinity;
}

/** Sorts out operations of one key. They are taken to be well formed. */
export function keyHistoryOf(key: string, operations: readonly Operation[]): KeyHistory {
  const answered: AnsweredOperation[] = [];
  const unanswered: WriteCall[] = [];
  const refused: WriteCall[] = [];
  for (const operation of [...operations].sort(byCall)) {
    if (operation.outcome === 'ok') answered.push(operation);
    else if (operation.kind === 'get') continue;
    else if (operation.outcome === 'unknown') unanswered.push(operation);
    else refused.push(operation);
  }
  return { key, answered, unanswered, refused };
}

/**
 * The operations of each key, in the order in which the keys were first used.
 *
 * @throws Error when the record itself is broken: then nothing can be said about the system.
 */
export function splitByKey(operations: readonly Operation[]): Map<string, Operation[]> {
  const ids = new Set<number>();
  const written = new Set<string>();
  const byKey = new Map<string, Operation[]>();
  for (const operation of operations) {
    const { id, key, callAt, returnAt, outcome } = operation;
    const isUntimed = returnAt === null ? outcome === 'ok' : !(callAt <= returnAt);
    if (!Number.isFinite(callAt) || isUntimed) malformed(operation, 'its times are out of order');
    if (ids.has(id)) malformed(operation, 'its id is used twice');
    ids.add(id);
    if (operation.kind === 'put') {
      const write = JSON.stringify([key, operation.arg]);
      if (written.has(write)) malformed(operation, 'its value is written twice');
      written.add(write);
    }
    const before = byKey.get(key);
    if (before === undefined) byKey.set(key, [operation]);
    else before.push(operation);
  }
  return byKey;
}

export function byCall(left: Call, right: Call): number {
  return left.callAt - right.callAt || left.id - right.id;
}

function malformed(operation: Operation, problem: string): never {
  throw new Error(`malformed history: ${problem}: ${JSON.stringify(operation)}`);
}
