/**
 * The search for an order that explains every answer of one key, by Wing & Gong, "Testing and
 * verifying concurrent objects" (1993), with the memory of Lowe, "Testing for linearizability"
 * (2017).
 *
 * Calls and returns stand in a list in the order of time. The search takes the first call whose
 * answer the state allows, lifts it and its return out of the list, and begins again at the front.
 * At a return it is stuck: that operation ended before anything further began and was not taken. It
 * then puts back what it took last and goes on behind that. It never visits the same set of taken
 * operations with the same state twice. Exponential at worst, near linear for few clients.
 *
 * Keys are checked one by one: no operation touches two, and linearizability is local (Herlihy &
 * Wing 1990).
 */
import { type Candidates, candidatesOf } from './candidates.js';
import type { AnsweredOperation, KeyHistory } from './history.js';
import { type KeyState, NEVER_WRITTEN } from './key-model.js';
import { LinearizedSet, VisitedSets } from './linearized-set.js';

export type SearchVerdict =
  | { readonly verdict: 'legal'; readonly steps: number }
  | {
      readonly verdict: 'illegal';
      readonly steps: number;
      /** The operation that the search could not get past, where it came farthest. */
      readonly stuckAt: AnsweredOperation;
    }
  /** The bound was reached: nothing is known. A test that gets this has failed. */
  | { readonly verdict: 'unknown'; readonly steps: number };

/**
 * Entries of the list looked at, before a search gives up. A bound on time would give another verdict
 * on a slower machine; this many take about a second.
 */
export const STEPS_MAX = 10_000_000;

/** The entry before the first and after the last. */
const FRONT = 0;
const NONE = -1;

export function searchOrder(history: KeyHistory, stepsMax: number = STEPS_MAX): SearchVerdict {
  return new Search(candidatesOf(history)).run(stepsMax);
}

class Search {
  readonly #candidates: Candidates;
  readonly #list: EventList;
  readonly #set: LinearizedSet;
  readonly #visited = new VisitedSets();
  readonly #states = new StateNumbers();
  readonly #isTaken: Uint8Array;
  /** What was taken, in order, and the state before it. */
  readonly #taken: { readonly candidate: number; readonly before: KeyState }[] = [];
  #state = NEVER_WRITTEN;
  /** Answered operations that are not taken yet. */
  #left: number;

  constructor(candidates: Candidates) {
    this.#candidates = candidates;
    this.#list = new EventList(candidates);
    const { requiredCount, optionalMembers, all } = candidates;
    this.#set = new LinearizedSet({ required: requiredCount, optional: optionalMembers });
    this.#isTaken = new Uint8Array(all.length);
    this.#left = requiredCount;
  }

  run(stepsMax: number): SearchVerdict {
    const { all } = this.#candidates;
    let entry = this.#list.first();
    let fewestLeft = Infinity;
    let stuckAt = NONE;
    let steps = 0;
    while (this.#left > 0) {
      if (++steps > stepsMax) return { verdict: 'unknown', steps };
      const candidate = this.#list.candidateAt(entry);
      if (this.#list.isCall(entry)) {
        entry = this.#take(candidate) ? this.#list.first() : this.#list.next(entry);
        continue;
      }
      if (this.#left < fewestLeft) {
        fewestLeft = this.#left;
        // At the end of the list, what is left has no return (as in a shrunk history).
        stuckAt = candidate === NONE ? this.#isTaken.indexOf(0) : candidate;
      }
      const last = this.#taken.pop();
      if (last === undefined) {
        const operation = all[stuckAt]!.operation as AnsweredOperation;
        return { verdict: 'illegal', steps, stuckAt: operation };
      }
      this.#state = last.before;
      this.#mark(last.candidate, false);
      entry = this.#list.next(this.#list.putBack(last.candidate));
    }
    return { verdict: 'legal', steps };
  }

  /** False: not now, or it leads to where the search has been. */
  #take(candidate: number): boolean {
    const { step, twinBefore } = this.#candidates.all[candidate]!;
    if (twinBefore !== undefined && this.#isTaken[twinBefore] === 0) return false;
    const before = this.#state;
    const state = step(before);
    if (state === undefined) return false;
    this.#mark(candidate, true);
    if (!this.#visited.add(this.#set, this.#states.numberOf(state))) {
      this.#mark(candidate, false);
      return false;
    }
    this.#taken.push({ candidate, before });
    this.#state = state;
    this.#list.lift(candidate);
    return true;
  }

  #mark(candidate: number, isTaken: boolean): void {
    const { requiredCount, all } = this.#candidates;
    const { member } = all[candidate]!;
    this.#isTaken[candidate] = isTaken ? 1 : 0;
    if (candidate < requiredCount) this.#left += isTaken ? -1 : 1;
    if (member === undefined) return;
    if (isTaken) this.#set.add(member);
    else this.#set.remove(member);
  }
}

/** Calls and returns in the order of time, doubly linked, so that a pair is lifted in O(1). */
class EventList {
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #candidate: Int32Array;
  /** By candidate; NONE: it has no return. */
  readonly #callOf: Int32Array;
  readonly #returnOf: Int32Array;

  constructor({ all }: Candidates) {
    const events = all.flatMap(({ callAt, returnAt }, candidate) => {
      const call = { at: callAt, isReturn: false, candidate };
      return returnAt === Infinity ? [call] : [call, { ...call, at: returnAt, isReturn: true }];
    });
    // At the same moment calls come first: operations that touch are concurrent.
    events.sort((left, right) => {
      return left.at - right.at || Number(left.isReturn) - Number(right.isReturn);
    });
    const length = events.length + 1;
    this.#next = Int32Array.from({ length }, (_, entry) => (entry + 1) % length);
    this.#previous = Int32Array.from({ length }, (_, entry) => (entry + length - 1) % length);
    this.#candidate = Int32Array.from({ length }, (_, entry) => {
      return events[entry - 1]?.candidate ?? NONE;
    });
    this.#callOf = new Int32Array(all.length).fill(NONE);
    this.#returnOf = new Int32Array(all.length).fill(NONE);
    for (const [at, { candidate, isReturn }] of events.entries()) {
      (isReturn ? this.#returnOf : this.#callOf)[candidate] = at + 1;
    }
  }

  first(): number {
    return this.#next[FRONT]!;
  }

  next(entry: number): number {
    return this.#next[entry]!;
  }

  candidateAt(entry: number): number {
    return this.#candidate[entry]!;
  }

  isCall(entry: number): boolean {
    return entry !== FRONT && this.#callOf[this.#candidate[entry]!] === entry;
  }

  lift(candidate: number): void {
    this.#unlink(this.#callOf[candidate]!);
    if (this.#returnOf[candidate] !== NONE) this.#unlink(this.#returnOf[candidate]!);
  }

  /** Undoes the last lift. Returns the entry of the call. */
  putBack(candidate: number): number {
    // In reverse: the return may stand right behind its call.
    if (this.#returnOf[candidate] !== NONE) this.#link(this.#returnOf[candidate]!);
    this.#link(this.#callOf[candidate]!);
    return this.#callOf[candidate]!;
  }

  #unlink(entry: number): void {
    this.#next[this.#previous[entry]!] = this.#next[entry]!;
    this.#previous[this.#next[entry]!] = this.#previous[entry]!;
  }

  #link(entry: number): void {
    this.#next[this.#previous[entry]!] = entry;
    this.#previous[this.#next[entry]!] = entry;
  }
}

/** Gives equal states equal numbers. */
class StateNumbers {
  readonly #numbers = new Map<string, number>();

  numberOf({ value, version, isExact }: KeyState): number {
    const state = `${version}${isExact ? '=' : '+'}${value === undefined ? 'absent' : `:${value}`}`;
    const known = this.#numbers.get(state);
    if (known !== undefined) return known;
    this.#numbers.set(state, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}
