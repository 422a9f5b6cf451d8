/**
 * The dumbest check of a small history: tries every order, with every position a write may get.
 *
 * Shares nothing with the checkers it judges. A state is a concrete value, version and position;
 * for each order of the operations it keeps all states that the answers so far leave possible.
 */
import type { Operation } from '../simulation/checkers/history.js';

interface State {
  readonly value: string | null;
  /** 0: absent. */
  readonly version: number;
  /** Position of the last change, of whatever kind. */
  readonly seq: number;
}

/** Whether some order explains every answer. All operations are of one key. */
export function isLinearizable(operations: readonly Operation[]): boolean {
  const relevant = operations.filter(({ kind, outcome }) => {
    return outcome === 'ok' || (outcome === 'unknown' && kind !== 'get');
  });
  const mentioned = relevant.flatMap((operation) => [
    operation.outcome === 'ok' ? operation.observed.version : 0,
    operation.kind === 'get' ? 0 : (operation.condition?.ifVersion ?? 0),
  ]);
  // Above what is told, only the order of positions matters: one for each operation is enough.
  const seqMax = Math.max(0, ...mentioned) + relevant.length;
  return explains(relevant, [{ value: null, version: 0, seq: 0 }], seqMax);
}

function explains(left: readonly Operation[], states: readonly State[], seqMax: number): boolean {
  if (states.length === 0) return false;
  if (left.every(({ outcome }) => outcome === 'unknown')) return true;
  return left.some((next) => {
    const isTooEarly = left.some((other) => {
      return other.outcome === 'ok' && other.returnAt! < next.callAt;
    });
    if (isTooEarly) return false;
    const rest = left.filter((other) => other !== next);
    return explains(
      rest,
      states.flatMap((state) => after(state, next, seqMax)),
      seqMax,
    );
  });
}

/** Every state that this operation, done now with this answer, can leave behind. */
function after(state: State, operation: Operation, seqMax: number): readonly State[] {
  const { value, version, seq } = state;
  if (operation.kind === 'get') {
    if (operation.outcome !== 'ok') return [];
    const { observed } = operation;
    const told = observed.found ? (observed.value ?? null) : null;
    const isRight = observed.found === (value !== null) && told === value;
    return isRight && observed.version === version ? [state] : [];
  }
  const { condition } = operation;
  const isUnconditional =
    condition === undefined || (operation.kind === 'delete' && condition.ifVersion === 0);
  const holds = isUnconditional || condition.ifVersion === version;
  if (operation.outcome === 'ok' && operation.observed.applied !== holds) return [];
  if (!holds) {
    const isTold = operation.outcome === 'ok' && operation.observed.version === version;
    return isTold ? [state] : [];
  }
  const seqs = Array.from({ length: Math.max(0, seqMax - seq) }, (_, at) => seq + 1 + at);
  if (operation.kind === 'put') {
    return seqs
      .filter((own) => operation.outcome !== 'ok' || operation.observed.version === own)
      .map((own) => ({ value: operation.arg, version: own, seq: own }));
  }
  if (operation.outcome === 'ok' && operation.observed.version !== version) return [];
  if (value === null) return [state];
  return seqs.map((own) => ({ value: null, version: 0, seq: own }));
}
