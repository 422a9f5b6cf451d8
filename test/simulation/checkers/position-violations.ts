/**
 * Contradictions between what versions say and what time says, in words.
 *
 * Positions are those of version-check.ts: 4 times a version, plus 0 for its put, 1 for who was told
 * of it, 2 for its removal, 3 for who found the key absent afterwards.
 */
import { type AnsweredOperation, FINAL_CLIENT, type WriteCall } from './history.js';
import { nameOf, type Rule, type Violation } from './violation.js';

export interface Placed {
  readonly operation: AnsweredOperation | WriteCall;
  /** Undefined: an absence, which tells no version. */
  readonly position: number | undefined;
  /** Infinity: whatever was called later may have come before it. */
  readonly returnAt: number;
}

/** `earlier` had returned when `later` was called, and has the higher position; both are known. */
export function positionContradiction(earlier: Placed, later: Placed): Violation {
  return {
    rule: ruleOf(earlier.position!, later),
    message: `${saidBy(later)}, called at ${later.operation.callAt}, ${after(earlier)}`,
    operations: [earlier.operation, later.operation],
  };
}

/** No removal is late enough for `later` to have found nothing. */
export function unexplainedAbsence(earlier: Placed, later: Placed): Violation {
  const isFinal = later.operation.client === FINAL_CLIENT;
  return {
    rule: isFinal ? 'lost-write' : 'unexplained-absence',
    message:
      `${nameOf(later.operation)}, called at ${later.operation.callAt}, found nothing, ` +
      `${after(earlier)}, and nothing was deleted since`,
    operations: [earlier.operation, later.operation],
  };
}

/** One of the two is an absence, which `because` kept from having a lower position. */
export function absenceContradiction(found: {
  readonly earlier: Placed;
  readonly later: Placed;
  readonly because: Placed | undefined;
}): Violation {
  const { earlier, later, because } = found;
  const rests = because === undefined ? '' : `; that came ${after(because)}`;
  return {
    rule: later.operation.kind === 'put' ? 'version-order' : ruleOfLateSight(later),
    message:
      `${saidBy(later)}, called at ${later.operation.callAt}, after ${nameOf(earlier.operation)} ` +
      `found nothing and had returned at ${earlier.returnAt}${rests}`,
    operations: [
      ...(because === undefined ? [] : [because.operation]),
      earlier.operation,
      later.operation,
    ],
  };
}

function ruleOf(earlierPosition: number, later: Placed): Rule {
  const position = later.position!;
  const isRemoved = earlierPosition - position === 1 && position % 4 === 1;
  switch (position % 4) {
    case 0:
      return earlierPosition === position + 1 ? 'future-read' : 'version-order';
    case 2:
      return 'lost-update';
    default:
      return isRemoved ? 'resurrection' : ruleOfStaleSight(later);
  }
}

function ruleOfStaleSight(later: Placed): Rule {
  return later.operation.client === FINAL_CLIENT ? 'lost-write' : 'stale-read';
}

function ruleOfLateSight(later: Placed): Rule {
  return later.position! % 4 === 2 ? 'lost-update' : 'resurrection';
}

function saidBy({ operation, position }: Placed): string {
  const version = Math.floor(position! / 4);
  switch (position! % 4) {
    case 0:
      return `${nameOf(operation)} got version ${version}`;
    case 2:
      return `${nameOf(operation)} removed version ${version}`;
    default:
      return `${nameOf(operation)} was told of version ${version}`;
  }
}

function after(earlier: Placed): string {
  return `after ${saidBy(earlier)} and had returned at ${earlier.returnAt}`;
}
