/**
 * The sequential specification: what one key answers when operations come one after the other.
 *
 * Positions that no client is told (of deletes, of unanswered writes) are kept as bounds instead of
 * being guessed: each takes a position of its own, so it is at least one above the last. The least
 * position is always the best guess, because all that a position can do later is to be too high.
 */
import { type AnsweredOperation, ifVersionOf, type WriteCall } from './history.js';

export interface KeyState {
  /** Undefined: absent. */
  readonly value: string | undefined;
  /**
   * Position of the last change, 0 = there was none: exactly this if `isExact`, otherwise this or
   * higher. For a key that is there, it is its version.
   */
  readonly version: number;
  readonly isExact: boolean;
}

export const NEVER_WRITTEN: KeyState = { value: undefined, version: 0, isExact: false };

/** The state after this operation, or undefined if it cannot be answered like this now. */
export function stepAnswered(state: KeyState, operation: AnsweredOperation): KeyState | undefined {
  if (operation.kind === 'get') {
    const { found, value, version } = operation.observed;
    const isSame = found ? value !== undefined && value === state.value : state.value === undefined;
    return isSame ? seenAt(state, version) : undefined;
  }
  const { applied, version } = operation.observed;
  const ifVersion = ifVersionOf(operation);
  if (!applied) {
    return ifVersion === undefined || ifVersion === version ? undefined : seenAt(state, version);
  }
  if (operation.kind === 'put') {
    const before = ifVersion === undefined ? state : seenAt(state, ifVersion);
    return before === undefined ? undefined : putAt(before, operation.arg, version);
  }
  if (ifVersion !== undefined && ifVersion !== version) return undefined;
  const before = seenAt(state, version);
  return before?.value === undefined ? before : removed(before);
}

/**
 * The state after an unanswered write took effect; undefined if it would change nothing. `version`
 * is the one it got, if that is known.
 */
export function stepUnanswered(
  state: KeyState,
  write: WriteCall,
  version: number | undefined,
): KeyState | undefined {
  const ifVersion = ifVersionOf(write);
  const before = ifVersion === undefined ? state : seenAt(state, ifVersion);
  if (before === undefined) return undefined;
  if (write.kind === 'delete') return before.value === undefined ? undefined : removed(before);
  if (version !== undefined) return putAt(before, write.arg, version);
  return { value: write.arg, version: before.version + 1, isExact: false };
}

/** The state if this is what it tells as its version. */
function seenAt(state: KeyState, version: number): KeyState | undefined {
  if (state.value === undefined) return version === 0 ? state : undefined;
  if (state.isExact) return version === state.version ? state : undefined;
  return version >= state.version ? { ...state, version, isExact: true } : undefined;
}

function putAt(before: KeyState, value: string, version: number): KeyState | undefined {
  return version > before.version ? { value, version, isExact: true } : undefined;
}

function removed(before: KeyState): KeyState {
  return { value: undefined, version: before.version + 1, isExact: false };
}
