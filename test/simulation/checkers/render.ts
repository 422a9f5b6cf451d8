/** Operations as lines of text, in the order of time. */
import { byCall, type Condition, type Operation } from './history.js';

/**
 * One line per operation, its columns aligned; those of `marked` begin with `>`.
 *
 * Times are those of the call and of the return; `-` is a return that never came.
 */
export function renderOperations(
  operations: readonly Operation[],
  marked: ReadonlySet<number>,
): readonly string[] {
  const rows = [...operations]
    .sort(byCall)
    .map((operation) => [
      marked.has(operation.id) ? '>' : ' ',
      `[${operation.callAt}, ${operation.returnAt ?? '-'}]`,
      `client ${operation.client}`,
      `#${operation.id}`,
      requestOf(operation),
      `-> ${answerOf(operation)}`,
    ]);
  const widths = (rows[0] ?? []).map((_, column) => {
    return Math.max(...rows.map((row) => row[column]!.length));
  });
  return rows.map((row) => {
    return row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join(' ')
      .trimEnd();
  });
}

function requestOf(operation: Operation): string {
  switch (operation.kind) {
    case 'get':
      return 'get';
    case 'put':
      return `put ${operation.arg}${conditionOf(operation.condition)}`;
    case 'delete':
      return `delete${conditionOf(operation.condition)}`;
  }
}

function conditionOf(condition: Condition | undefined): string {
  return condition === undefined ? '' : ` if version ${condition.ifVersion}`;
}

function answerOf(operation: Operation): string {
  if (operation.outcome !== 'ok') return operation.outcome;
  const { observed } = operation;
  if (!('found' in observed)) {
    return `${observed.applied ? 'applied' : 'not applied'}, version ${observed.version}`;
  }
  const version = observed.version === 0 ? '' : `, version ${observed.version}`;
  return observed.found ? `${observed.value ?? 'found'}${version}` : `absent${version}`;
}
