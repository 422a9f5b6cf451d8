/**
 * Histories that a correct store gives, and ways to falsify them.
 *
 * A script says when each operation is called, takes effect and returns; it is executed atomically
 * on a plain Map in the order of the effects. Answers may be lost, before or after the effect, and
 * requests refused.
 */
import type { Operation } from '../simulation/checkers/history.js';

export interface Step {
  readonly client: string;
  readonly key: string;
  readonly kind: 'get' | 'put' | 'delete';
  readonly callAt: number;
  /** Time from the call to the effect, and from there to the return. */
  readonly effectAfter: number;
  readonly returnAfter: number;
  /**
   * What a write demands: nothing, absence, or the version its key has when it takes effect plus
   * so many.
   */
  readonly demands: 'nothing' | 'absence' | number;
  /** `vanishes`: never took effect, and nobody was told. `lost`: it did, and nobody was told. */
  readonly fate: 'answered' | 'lost' | 'vanishes' | 'refused';
  /** Positions of the shard that other keys took before this one. */
  readonly gap: number;
}

/** Picks a number from 0 to below. */
export type Choose = (below: number) => number;

/** The same picks for the same seed (the generator mulberry32). */
export function seededChoice(seed: number): Choose {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/**
 * What clients do that wait for each answer before they ask again: mostly reads and conditional
 * puts, one write in ten a delete, two requests in a hundred without an answer. A write whose answer
 * is lost may take effect long after its client went on.
 */
export function workload(
  { clients, keys, operations }: Record<'clients' | 'keys' | 'operations', number>,
  choose: Choose,
): Step[] {
  const freeAt = Array.from({ length: clients }, () => choose(10));
  return Array.from({ length: operations }, () => {
    const client = choose(clients);
    const isUnlucky = choose(50) === 0;
    const fates = ['lost', 'vanishes', 'refused'] as const;
    const kinds = ['get', 'get', 'get', 'get', 'get', 'put', 'put', 'put', 'put'] as const;
    const demands = ['nothing', 'nothing', 0, 0, 'absence', -1] as const;
    const fate = isUnlucky ? fates[choose(fates.length)]! : 'answered';
    const step: Step = {
      client: `c${client}`,
      key: `k${choose(keys)}`,
      kind: choose(20) === 0 ? 'delete' : kinds[choose(kinds.length)]!,
      callAt: freeAt[client]!,
      effectAfter: choose(fate === 'lost' ? 500 : 10),
      returnAfter: choose(10),
      demands: demands[choose(demands.length)]!,
      fate,
      gap: choose(3),
    };
    freeAt[client]! += Math.min(step.effectAfter, 20) + step.returnAfter + 1;
    return step;
  });
}

/** The history of these steps; ids count them from 1. */
export function execute(steps: readonly Step[]): Operation[] {
  const store = new Map<string, { readonly value: string; readonly version: number }>();
  let seq = 0;
  const order = steps.map((step, at) => ({ step, id: at + 1 }));
  order.sort((left, right) => effectAt(left.step) - effectAt(right.step));
  const operations = order.map(({ step, id }): Operation => {
    const { client, key, kind, callAt, fate } = step;
    const isAnswered = fate === 'answered';
    const returnAt = isAnswered || fate === 'refused' ? effectAt(step) + step.returnAfter : null;
    const call = { id, client, key, callAt, returnAt };
    const current = store.get(key);
    const version = current?.version ?? 0;
    if (kind === 'get') {
      if (!isAnswered) return { ...call, kind, outcome: noAnswer(fate) };
      const observed = { found: current !== undefined, value: current?.value, version };
      return { ...call, kind, outcome: 'ok', observed };
    }
    const condition = conditionOf(step, version);
    const write = kind === 'put' ? { ...call, kind, arg: `v${id}` } : { ...call, kind };
    const request = condition === undefined ? write : { ...write, condition };
    if (fate === 'refused' || fate === 'vanishes') return { ...request, outcome: noAnswer(fate) };

    const isFree = condition === undefined || (kind === 'delete' && condition.ifVersion === 0);
    const applied = isFree || condition.ifVersion === version;
    let observed = { applied, version };
    if (applied && request.kind === 'put') {
      seq += 1 + step.gap;
      observed = { applied, version: seq };
      store.set(key, { value: request.arg, version: seq });
    } else if (applied && current !== undefined) {
      seq += 1 + step.gap;
      store.delete(key);
    }
    if (!isAnswered) return { ...request, outcome: 'unknown' };
    return { ...request, outcome: 'ok', observed };
  });
  return operations.sort((left, right) => left.id - right.id);
}

/**
 * The same history with one result of one answered operation changed; `choose(n)` picks a number
 * below n. Undefined if there is nothing to change.
 */
export function falsify(operations: readonly Operation[], choose: Choose): Operation[] | undefined {
  const answered = operations.filter(({ outcome }) => outcome === 'ok');
  if (answered.length === 0) return undefined;
  const target = answered[choose(answered.length)]!;
  const versions = operations.flatMap((operation) => {
    return operation.outcome === 'ok' ? [operation.observed.version] : [];
  });
  const values = operations.flatMap((operation) =>
    operation.kind === 'put' ? [operation.arg] : [],
  );
  const otherVersion = [...versions, target.outcome === 'ok' ? target.observed.version + 1 : 0];
  const version = otherVersion[choose(otherVersion.length)]!;
  const changed = falsified(target, { version, value: values[choose(values.length)], choose });
  return operations.map((operation) => (operation === target ? changed : operation));
}

function falsified(
  target: Operation,
  other: {
    readonly version: number;
    readonly value: string | undefined;
    readonly choose: Choose;
  },
): Operation {
  if (target.outcome !== 'ok') return target;
  const { version, value, choose } = other;
  if (target.kind !== 'get') {
    const { observed } = target;
    const flipped = { ...observed, applied: !observed.applied };
    return { ...target, observed: choose(2) === 0 ? flipped : { ...observed, version } };
  }
  const { observed } = target;
  const gone = { found: false, value: undefined, version: 0 };
  const changes = [
    { ...observed, version },
    { ...observed, value },
    gone,
    { found: true, value, version },
  ];
  return { ...target, observed: changes[choose(changes.length)]! };
}

function effectAt({ callAt, effectAfter }: Step): number {
  return callAt + effectAfter;
}

function noAnswer(fate: Step['fate']): 'refused' | 'unknown' {
  return fate === 'refused' ? 'refused' : 'unknown';
}

function conditionOf({ demands }: Step, version: number) {
  if (demands === 'nothing') return undefined;
  return { ifVersion: demands === 'absence' ? 0 : Math.max(0, version + demands) };
}
