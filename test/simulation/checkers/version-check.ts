/**
 * The exact check by versions: is there an order of the answered operations that explains every
 * answer? In O(n log n), because versions tell most of that order.
 *
 * With the read mapping known, atomicity can be decided without a search (Gibbons & Korach 1997;
 * for operations on a store with versions: Golab, Li & Shah 2011). Each operation gets a position:
 *
 *   4v      the put that got version v
 *   4v + 1  whatever was told that version v is current
 *   4v + 2  the delete that removed version v
 *   4v + 3  whatever found the key absent after that; 3 = before anything was written
 *
 * The order of positions is the only one that explains the answers, and within one position any
 * order does. So the history is linearizable if, and only if, no operation has a lower position
 * than one that had returned before it was called. The position of an absence is not told: it takes
 * the lowest one that what returned before allows, because a lower one contradicts less.
 *
 * What it does not decide: contradictions that an unanswered write of unknown position could
 * explain. Those keys go to the search (wgl.ts). An order that needs no such write is legal anyway.
 */
import {
  type AnsweredOperation,
  ifVersionOf,
  type KeyHistory,
  returnTimeOf,
  type WriteCall,
} from './history.js';
import {
  absenceContradiction,
  type Placed,
  positionContradiction,
  unexplainedAbsence,
} from './position-violations.js';
import { nameOf, type Violation } from './violation.js';
import { indexWrites, type WriteIndex } from './write-index.js';

export type VersionVerdict =
  | { readonly verdict: 'legal' }
  | { readonly verdict: 'illegal'; readonly violation: Violation }
  /** Only unanswered writes can explain it, if anything can. */
  | { readonly verdict: 'undecided' };

const LEGAL: VersionVerdict = { verdict: 'legal' };
const UNDECIDED: VersionVerdict = { verdict: 'undecided' };
const NEVER_WRITTEN_POSITION = 3;

/** Everything about one key that the steps of the check share. */
interface Evidence {
  readonly history: KeyHistory;
  readonly index: WriteIndex;
  /** Answered deletes, by the version they removed. */
  readonly deletes: ReadonlyMap<number, AnsweredOperation>;
  /** Deletes that may have taken effect, or may yet. */
  readonly openDeletes: readonly WriteCall[];
}

export function checkVersions(history: KeyHistory): VersionVerdict {
  const index = indexWrites(history);
  const evidence: Evidence = {
    history,
    index,
    deletes: deletesByVersion(history),
    openDeletes: history.unanswered.filter(({ kind }) => kind === 'delete'),
  };
  // None of these can be explained by writes that nobody heard of.
  const placed = placeByVersion(evidence);
  const violation =
    impossibleAnswer(history) ??
    index.violation ??
    doubleDelete(evidence) ??
    brokenSuccession(evidence) ??
    contradictionInTime(placed);
  if (violation !== undefined) return { verdict: 'illegal', violation };

  // These could be, but only some.
  const verdicts = [
    checkVersionsNeeded(evidence),
    checkConditionsOnAbsence(evidence),
    checkAbsences(evidence, placed),
  ];
  return (
    verdicts.find(({ verdict }) => verdict === 'illegal') ??
    verdicts.find(({ verdict }) => verdict === 'undecided') ??
    LEGAL
  );
}

function deletesByVersion({ answered }: KeyHistory): Map<number, AnsweredOperation> {
  const deletes = new Map<number, AnsweredOperation>();
  for (const operation of answered) {
    if (!removesSomething(operation)) continue;
    const { version } = operation.observed;
    if (!deletes.has(version)) deletes.set(version, operation);
  }
  return deletes;
}

function removesSomething({ kind, observed }: AnsweredOperation): boolean {
  return kind === 'delete' && 'applied' in observed && observed.applied && observed.version > 0;
}

/** An answer that is wrong whatever the state was. */
function impossibleAnswer({ answered }: KeyHistory): Violation | undefined {
  const wrong = answered.find((operation) => !isPossible(operation));
  if (wrong === undefined) return undefined;
  return {
    rule: 'impossible-answer',
    message: `no state of the key gives ${nameOf(wrong)} this answer`,
    operations: [wrong],
  };
}

function isPossible(operation: AnsweredOperation): boolean {
  const { observed } = operation;
  if (!Number.isSafeInteger(observed.version) || observed.version < 0) return false;
  if (operation.kind === 'get') {
    const { found, value, version } = operation.observed;
    return found ? value !== undefined && version > 0 : version === 0;
  }
  const { applied, version } = operation.observed;
  const ifVersion = ifVersionOf(operation);
  if (!applied) return ifVersion !== undefined && ifVersion !== version;
  if (operation.kind === 'put') return version > (ifVersion ?? 0);
  return ifVersion === undefined || ifVersion === version;
}

/** The operations whose position their answer tells. */
function placeByVersion({ history, index }: Evidence): readonly Placed[] {
  const puts: Placed[] = index.known.map(({ put, version, returnAt }) => {
    return { operation: put, position: 4 * version, returnAt };
  });
  const others = history.answered.flatMap((operation): Placed[] => {
    const { version } = operation.observed;
    if (version === 0 || (operation.kind === 'put' && operation.observed.applied)) return [];
    const position = 4 * version + (removesSomething(operation) ? 2 : 1);
    return [{ operation, position, returnAt: returnTimeOf(operation) }];
  });
  return [...puts, ...others];
}

function doubleDelete({ history, deletes }: Evidence): Violation | undefined {
  for (const operation of history.answered) {
    const { version } = operation.observed;
    const first = deletes.get(version);
    if (!removesSomething(operation) || first === undefined || first === operation) continue;
    return {
      rule: 'double-delete',
      message: `${nameOf(first)} and ${nameOf(operation)} both removed version ${version}`,
      operations: [first, operation],
    };
  }
  return undefined;
}

/** Each write follows the one before it: at a version with room for it, and on what it demanded. */
function brokenSuccession(evidence: Evidence): Violation | undefined {
  const { index, deletes } = evidence;
  for (const { put, version, versionBefore } of index.known) {
    const before = index.byVersion.get(versionBefore)?.put;
    const deleted = deletes.get(versionBefore);
    const ifVersion = ifVersionOf(put);
    if (ifVersion !== undefined && ifVersion > 0) {
      const over = versionBefore > ifVersion ? before : deletes.get(ifVersion);
      if (over !== undefined || ifVersion >= version) {
        return {
          rule: 'lost-update',
          message:
            `${nameOf(put)} was applied at version ${version} on condition of version ` +
            `${ifVersion}, which ${over === undefined ? 'is not lower' : `${nameOf(over)} ended`}`,
          operations: over === undefined ? [put] : [over, put],
        };
      }
    }
    // What was there has a version, and so has its removal: one in between.
    const needsRemoval = before !== undefined && (deleted !== undefined || ifVersion === 0);
    if (needsRemoval && version < versionBefore + 2) {
      return {
        rule: 'version-order',
        message:
          `${nameOf(put)} got version ${version}: none is left for a removal of version ` +
          `${versionBefore} (${nameOf(before)}) before it`,
        operations: [before, ...(deleted === undefined ? [] : [deleted]), put],
      };
    }
  }
  return undefined;
}

/** The versions that answers rest on. */
function versionsNeeded({ history, index }: Evidence) {
  const told = history.answered.map((operation) => {
    return { operation, version: operation.observed.version };
  });
  const demanded = index.known.map(({ put }) => {
    return { operation: put, version: ifVersionOf(put) ?? 0 };
  });
  return [...told, ...demanded].filter(({ version }) => version > 0);
}

function checkVersionsNeeded(evidence: Evidence): VersionVerdict {
  const unwritten = versionsNeeded(evidence).find(({ version }) => {
    return !evidence.index.byVersion.has(version);
  });
  if (unwritten === undefined) return LEGAL;
  if (evidence.index.unresolved.length > 0) return UNDECIDED;
  const { operation, version } = unwritten;
  return {
    verdict: 'illegal',
    violation: {
      rule: 'version-from-nowhere',
      message: `${nameOf(operation)} rests on version ${version}, which no write has`,
      operations: [operation],
    },
  };
}

/** Puts that were applied because the key was absent. */
function checkConditionsOnAbsence(evidence: Evidence): VersionVerdict {
  const { index, deletes, openDeletes } = evidence;
  // The put that was there is certain, so its value was removed: by a delete that was never
  // answered, or that removed what an unanswered put had written over it.
  const over = index.known.filter(({ put, versionBefore }) => {
    return ifVersionOf(put) === 0 && versionBefore > 0 && !deletes.has(versionBefore);
  });
  const unexplained = over.find(({ version, versionBefore, returnAt }) => {
    const isBetween = (removed: number) => removed >= versionBefore && removed < version;
    const mayRemove = (open: WriteCall) => {
      return open.callAt <= returnAt && isBetween(ifVersionOf(open) ?? versionBefore);
    };
    return ![...deletes.keys()].some(isBetween) && !openDeletes.some(mayRemove);
  });
  if (unexplained === undefined) return over.length > 0 ? UNDECIDED : LEGAL;
  const { put, version, versionBefore } = unexplained;
  const before = index.byVersion.get(versionBefore)!.put;
  return {
    verdict: 'illegal',
    violation: {
      rule: 'lost-update',
      message:
        `${nameOf(put)} was applied at version ${version} on condition of absence, over version ` +
        `${versionBefore} of ${nameOf(before)}, which nobody had deleted`,
      operations: [before, put],
    },
  };
}

/** Finds a position for each absence, then looks for contradictions once more. */
function checkAbsences(evidence: Evidence, placed: readonly Placed[]): VersionVerdict {
  const { history, deletes, openDeletes } = evidence;
  const absences = history.answered.filter(({ observed }) => observed.version === 0);
  if (absences.length === 0) return LEGAL;
  const all: Placed[] = [
    ...placed,
    ...absences.map((operation) => {
      return { operation, position: undefined, returnAt: returnTimeOf(operation) };
    }),
  ];
  const removals = [...deletes.keys()].map((version) => 4 * version + 3);
  const gaps = [NEVER_WRITTEN_POSITION, ...removals].sort((left, right) => left - right);
  if (sweep(all, (_, bound) => lowestFrom(gaps, bound)) === undefined) return LEGAL;

  // Perhaps an open delete made room. If there is none even when each delete did all that it can
  // have done by then, there is none. (This is the slow way, and only for what looks wrong.)
  const removers = [
    ...[...deletes].map(([version, { callAt }]) => ({ version, callAt })),
    ...openDeletes.map((write) => ({ version: ifVersionOf(write), callAt: write.callAt })),
  ];
  const found = sweep(all, (absence, bound) => {
    const reachable = removers
      .filter(({ callAt }) => callAt <= absence.returnAt)
      .map(({ version }) => 4 * (version ?? Math.floor(bound / 4)) + 3);
    return lowestOf([NEVER_WRITTEN_POSITION, ...reachable], bound);
  });
  if (found === undefined) return UNDECIDED;
  const { later, earlier } = found;
  const violation =
    later.position === undefined ? unexplainedAbsence(earlier, later) : absenceContradiction(found);
  return { verdict: 'illegal', violation };
}

function contradictionInTime(placed: readonly Placed[]): Violation | undefined {
  const found = sweep(placed, () => undefined);
  return found === undefined ? undefined : positionContradiction(found.earlier, found.later);
}

/**
 * The first operation, in the order of calls, whose position is below that of one that had returned
 * before, or an absence for which there is no position. `lowestGap` is the lowest position that an
 * absence may have, given what had returned before. `because`: what gave an absence among the two
 * its position.
 */
function sweep(
  placed: readonly Placed[],
  lowestGap: (absence: Placed, bound: number) => number | undefined,
) {
  const byCall = [...placed].sort((left, right) => {
    return left.operation.callAt - right.operation.callAt;
  });
  const order = byCall.map((_, at) => at);
  const byReturn = order.sort((left, right) => byCall[left]!.returnAt - byCall[right]!.returnAt);
  // Absences get theirs on the way: whatever returned before a call was called before it.
  const positions = byCall.map(({ position }) => position);
  const becauseOf = new Map<number, Placed>();
  let returned = 0;
  let highest: number | undefined;
  for (const [at, later] of byCall.entries()) {
    while (byCall[byReturn[returned]!]!.returnAt < later.operation.callAt) {
      const next = byReturn[returned++]!;
      if (highest === undefined || positions[next]! > positions[highest]!) highest = next;
    }
    const bound = highest === undefined ? 0 : positions[highest]!;
    positions[at] ??= lowestGap(later, bound);
    const position = positions[at];
    if (highest !== undefined && (position ?? -1) < bound) {
      return { earlier: byCall[highest]!, later, because: becauseOf.get(highest) };
    }
    if (later.position !== undefined || highest === undefined) continue;
    const told = byCall[highest]!.position === undefined ? becauseOf.get(highest) : byCall[highest];
    if (told !== undefined) becauseOf.set(at, told);
  }
  return undefined;
}

/** The lowest of these numbers that is not below the bound. */
function lowestOf(numbers: readonly number[], bound: number): number | undefined {
  let lowest: number | undefined;
  for (const number of numbers) {
    if (number >= bound && number < (lowest ?? Infinity)) lowest = number;
  }
  return lowest;
}

/** The same for sorted numbers, in O(log n). */
function lowestFrom(sorted: readonly number[], bound: number): number | undefined {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (sorted[middle]! < bound) from = middle + 1;
    else to = middle;
  }
  return sorted[from];
}
