/**
 * Whether a history of many keys is one that a correct store could have given.
 *
 * Each key is checked by its versions, which decides most; keys that only unanswered writes can
 * explain are searched. Every so many keys are searched although their versions decided: the two
 * share only the index of writes, so a mistake in one of them shows.
 *
 * What is there at the end is checked as reads after everything else: an acknowledged write that
 * is lost, a deleted value that is back and a refused one that is seen all contradict such a read.
 */
import {
  FINAL_CLIENT,
  keyHistoryOf,
  type Operation,
  type ReadResult,
  splitByKey,
} from './history.js';
import { renderOperations } from './render.js';
import { shrink } from './shrink.js';
import { checkVersions } from './version-check.js';
import { nameOf, type Rule, type Violation } from './violation.js';
import { searchOrder, STEPS_MAX } from './wgl.js';

export interface CheckOptions {
  /**
   * Every key as it is when all is over and no request is under way any more. Must hold every key
   * of the history; undefined = the end is not checked.
   */
  readonly finals?: ReadonlyMap<string, ReadResult> | undefined;
  /** Of the keys whose versions decide, one in so many is searched too, the first one included. */
  readonly searchEvery?: number | undefined;
  /** Bound on the search of one key, in entries looked at. */
  readonly stepsMax?: number | undefined;
}

export interface KeyViolation {
  readonly key: string;
  readonly rule: Rule;
  readonly message: string;
  /**
   * The operations that contradict each other, marked `>`, and those that wrote what they saw; in
   * the order of time. The other writes of the key are taken to have been done as they were told,
   * at any time after their call.
   */
  readonly lines: readonly string[];
}

export interface HistoryVerdict {
  /** 'unknown' (some key could not be decided, none is illegal) is a failure of the test. */
  readonly verdict: 'legal' | 'illegal' | 'unknown';
  readonly violations: readonly KeyViolation[];
  /** Keys whose search reached its bound. */
  readonly undecidedKeys: readonly string[];
  readonly counts: {
    readonly operations: number;
    readonly keys: number;
    /** Keys that were searched because their versions did not decide. */
    readonly searched: number;
    /** Keys that were searched to see that both algorithms agree. */
    readonly searchedToo: number;
  };
}

type KeyVerdict =
  | { readonly verdict: 'legal' | 'unknown' | 'undecided' }
  | { readonly verdict: 'illegal'; readonly violation: Violation };

const SEARCH_EVERY = 100;
/** For each of the many histories that shrinking tries; what takes longer is left as it is. */
const SHRINK_STEPS_MAX = 50_000;

/** @throws Error when the record is malformed, or the two algorithms disagree. */
export function checkHistory(
  operations: readonly Operation[],
  options: CheckOptions = {},
): HistoryVerdict {
  const { finals, searchEvery = SEARCH_EVERY, stepsMax = STEPS_MAX } = options;
  const all =
    finals === undefined ? operations : [...operations, ...finalReads(operations, finals)];
  const violations: KeyViolation[] = [];
  const undecidedKeys: string[] = [];
  const byKey = splitByKey(all);
  let decided = 0;
  let searchedToo = 0;
  for (const [key, ofKey] of byKey) {
    let verdict: KeyVerdict = checkVersions(keyHistoryOf(key, ofKey));
    if (verdict.verdict === 'undecided') {
      verdict = searchKey(key, ofKey, stepsMax);
    } else if (decided++ % searchEvery === 0) {
      searchedToo++;
      expectSame(key, verdict.verdict, searchKey(key, ofKey, stepsMax).verdict);
    }
    if (verdict.verdict === 'unknown') undecidedKeys.push(key);
    if (verdict.verdict === 'illegal') violations.push(explain(key, ofKey, verdict.violation));
  }
  const verdict = undecidedKeys.length > 0 ? 'unknown' : 'legal';
  return {
    verdict: violations.length > 0 ? 'illegal' : verdict,
    violations,
    undecidedKeys,
    counts: {
      operations: all.length,
      keys: byKey.size,
      searched: byKey.size - decided,
      searchedToo,
    },
  };
}

/** The verdict as text for a failure message: what is wrong, and the operations that show it. */
export function describeVerdict(verdict: HistoryVerdict): string {
  const { violations, undecidedKeys, counts } = verdict;
  const { operations, keys, searched, searchedToo } = counts;
  return [
    `${verdict.verdict}: ${operations} operations, ${keys} keys, ${searched} searched, ` +
      `${searchedToo} searched too`,
    ...violations.flatMap(({ key, rule, message, lines }) => {
      return [`${key}: ${rule}: ${message}`, ...lines];
    }),
    ...undecidedKeys.map((key) => `${key}: the search reached its bound`),
  ].join('\n');
}

/** Reads of every key after everything else has returned. */
function finalReads(
  operations: readonly Operation[],
  finals: ReadonlyMap<string, ReadResult>,
): readonly Operation[] {
  let lastAt = 0;
  let lastId = 0;
  for (const { id, key, callAt, returnAt } of operations) {
    if (!finals.has(key)) throw new Error(`malformed history: no final read of ${key}`);
    lastAt = Math.max(lastAt, callAt, returnAt ?? callAt);
    lastId = Math.max(lastId, id);
  }
  return [...finals].map(([key, observed], at) => {
    const call = { id: lastId + 1 + at, client: FINAL_CLIENT, key, callAt: lastAt + 1 };
    return { ...call, returnAt: lastAt + 2, kind: 'get', outcome: 'ok', observed };
  });
}

function searchKey(key: string, operations: readonly Operation[], stepsMax: number): KeyVerdict {
  const search = searchOrder(keyHistoryOf(key, operations), stepsMax);
  if (search.verdict !== 'illegal') return { verdict: search.verdict };
  const { stuckAt } = search;
  const message = `no order explains the answers; the farthest one ends at ${nameOf(stuckAt)}`;
  return {
    verdict: 'illegal',
    violation: { rule: 'not-linearizable', message, operations: [stuckAt] },
  };
}

/** A search that reached its bound contradicts nobody. */
function expectSame(key: string, byVersions: string, bySearch: string): void {
  if (bySearch === 'unknown' || byVersions === bySearch) return;
  throw new Error(`bug of a checker: ${key} is ${byVersions} by versions, ${bySearch} by search`);
}

/** Shrinks, and says it in the words of the simplest contradiction that is left. */
function explain(key: string, operations: readonly Operation[], found: Violation): KeyViolation {
  // What versions decide is shrunk by versions alone, within its rule: that is fast, and says what
  // was found. What only a search finds may turn out to be simpler than it looked.
  const needsSearch = found.rule === 'not-linearizable';
  const check = (tried: readonly Operation[]): KeyVerdict => {
    const byVersions = checkVersions(keyHistoryOf(key, tried));
    if (byVersions.verdict !== 'undecided' || !needsSearch) return byVersions;
    return searchKey(key, tried, SHRINK_STEPS_MAX);
  };
  const { core, weakened } = shrink(operations, (tried) => {
    const verdict = check(tried);
    return verdict.verdict === 'illegal' && (needsSearch || verdict.violation.rule === found.rule);
  });
  const last = check(weakened);
  const { rule, message, operations: named } = last.verdict === 'illegal' ? last.violation : found;
  const marked = new Set([...core, ...named].map(({ id }) => id));
  const contradicting = operations.filter(({ id }) => marked.has(id));
  const lines = operations.filter((operation) => {
    return marked.has(operation.id) || wasSeenBy(operation, contradicting);
  });
  return { key, rule, message, lines: renderOperations(lines, marked) };
}

/** Whether this put wrote what one of these was told. */
function wasSeenBy(operation: Operation, seers: readonly Operation[]): boolean {
  if (operation.kind !== 'put') return false;
  const own = operation.outcome === 'ok' && operation.observed.applied ? operation.observed : null;
  return seers.some((seer) => {
    if (seer.outcome !== 'ok') return false;
    const { observed } = seer;
    return (
      observed.version === own?.version || ('value' in observed && observed.value === operation.arg)
    );
  });
}
