/**
 * Finds the few operations of an illegal history that contradict each other.
 *
 * Dropping operations one after the other while the rest stays illegal would mislead: without the
 * put, a read of its value contradicts everything. Instead an operation is *weakened*: a read, or a
 * write that changed nothing, is dropped; a write that changed something may have done so at any
 * time after its call. Whatever order explains a history explains its weakened form too, so what
 * stays illegal is a contradiction between the answers and times of the operations left as they were.
 */
import type { Operation } from './history.js';

export interface Shrunk {
  /** Operations whose answers and times contradict each other; none of them can be left out. */
  readonly core: readonly Operation[];
  /** The core, and what is left of the others. */
  readonly weakened: readonly Operation[];
}

/** `isIllegal` holds for `operations`, all of one key. Tries O(core * log(operations)) histories. */
export function shrink(
  operations: readonly Operation[],
  isIllegal: (operations: readonly Operation[]) => boolean,
): Shrunk {
  const kept = new Set(operations);
  const apply = () => {
    return operations.flatMap((operation) => {
      return kept.has(operation) ? [operation] : weaken(operation);
    });
  };
  // Delta debugging (Zeller & Hildebrandt 2002): large pieces first, then single operations.
  for (let size = kept.size; size >= 1; size = Math.floor(size / 2)) {
    const all = [...kept];
    for (let from = 0; from < all.length; from += size) {
      const piece = all.slice(from, from + size);
      for (const operation of piece) kept.delete(operation);
      if (!isIllegal(apply())) for (const operation of piece) kept.add(operation);
    }
  }
  return { core: operations.filter((operation) => kept.has(operation)), weakened: apply() };
}

function weaken(operation: Operation): Operation[] {
  if (operation.kind === 'get') return [];
  if (operation.outcome !== 'ok') return operation.outcome === 'unknown' ? [operation] : [];
  const { applied, version } = operation.observed;
  return applied && version > 0 ? [{ ...operation, returnAt: null }] : [];
}
