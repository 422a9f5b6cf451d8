/**
 * What a search can put in order: the operations of one key, and what is known of each beforehand.
 *
 * Three facts keep unanswered writes from multiplying the search:
 * - Versions order the writes that have one: a put waits for the known version before its own.
 * - Writes of one kind that nobody saw the effect of are interchangeable: the one called first
 *   allows whatever another would, so they are taken in the order of their calls.
 * - A write that needs or makes a given version cannot be taken twice anyway, so it need not be
 *   remembered whether it was taken.
 */
import {
  type AnsweredOperation,
  ifVersionOf,
  type KeyHistory,
  returnTimeOf,
  type WriteCall,
} from './history.js';
import { type KeyState, stepAnswered, stepUnanswered } from './key-model.js';
import { indexWrites, type WriteIndex } from './write-index.js';

export interface Candidate {
  readonly operation: AnsweredOperation | WriteCall;
  readonly callAt: number;
  /** Infinity: it need not be taken at all. */
  readonly returnAt: number;
  /** Its member of the set of what was taken; undefined = need not be remembered. */
  readonly member: number | undefined;
  /** Index of the candidate without which this one is not taken. */
  readonly twinBefore: number | undefined;
  /** The state if it is taken now; undefined = it cannot be. */
  readonly step: (state: KeyState) => KeyState | undefined;
}

export interface Candidates {
  /** The answered operations first, which must all be taken, in the order of their calls. */
  readonly all: readonly Candidate[];
  readonly requiredCount: number;
  /** Members of the set that stand for unanswered writes. */
  readonly optionalMembers: number;
}

export function candidatesOf(history: KeyHistory): Candidates {
  const index = indexWrites(history);
  const all = history.answered.map((operation, member): Candidate => {
    const versionBefore = index.byPut.get(operation.id)?.versionBefore ?? 0;
    return {
      operation,
      callAt: operation.callAt,
      returnAt: returnTimeOf(operation),
      member,
      twinBefore: undefined,
      step: (state) => {
        return state.version < versionBefore ? undefined : stepAnswered(state, operation);
      },
    };
  });
  const requiredCount = all.length;
  const lastOfKind = new Map<string, number>();
  let members = requiredCount;
  for (const write of writesWithEffect(history, index)) {
    const kind = interchangeableKind(write, index);
    all.push({
      operation: write,
      callAt: write.callAt,
      returnAt: Infinity,
      member: kind === undefined ? undefined : members++,
      twinBefore: kind === undefined ? undefined : lastOfKind.get(kind),
      step: unansweredStep(write, index),
    });
    if (kind !== undefined) lastOfKind.set(kind, all.length - 1);
  }
  return { all, requiredCount, optionalMembers: members - requiredCount };
}

function unansweredStep(write: WriteCall, index: WriteIndex): Candidate['step'] {
  const known = index.byPut.get(write.id);
  const versionBefore = known?.versionBefore ?? 0;
  return (state) => {
    if (state.version < versionBefore) return undefined;
    return stepUnanswered(state, write, known?.version);
  };
}

/** Undefined: tied to one version. */
function interchangeableKind(write: WriteCall, index: WriteIndex): string | undefined {
  const ifVersion = ifVersionOf(write);
  if (index.byPut.has(write.id) || (ifVersion !== undefined && ifVersion > 0)) return undefined;
  return ifVersion === undefined ? write.kind : `${write.kind} if absent`;
}

/**
 * The unanswered writes, without those that no answer can depend on: puts whose value nobody read,
 * while every version that was told or demanded is that of another put.
 */
function writesWithEffect(history: KeyHistory, index: WriteIndex): readonly WriteCall[] {
  const { answered, unanswered } = history;
  const demanded = [...unanswered, ...index.known.map(({ put }) => put)].map(ifVersionOf);
  const versions = [...answered.map(({ observed }) => observed.version), ...demanded];
  const isKnown = (version: number | undefined) => {
    return version === undefined || version === 0 || index.byVersion.has(version);
  };
  if (!versions.every(isKnown)) return unanswered;
  return unanswered.filter((write) => write.kind === 'delete' || index.byPut.has(write.id));
}
