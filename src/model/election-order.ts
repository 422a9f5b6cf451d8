/** The order of candidates: by the ten digits that ZooKeeper put behind their names. */
import { assert } from './assert.js';

/** Candidate names by their sequence number, lowest first; names without one are left out. */
export function inElectionOrder(names: readonly string[]): readonly string[] {
  return names
    .flatMap((name) => {
      const sequence = sequenceOf(name);
      return sequence === undefined ? [] : [{ name, sequence }];
    })
    .sort((left, right) => left.sequence - right.sequence)
    .map(({ name }) => name);
}

/** The number ZooKeeper gave, whatever guid stands before it. */
export function sequenceOf(name: string): number | undefined {
  const digits = /_(\d{10})$/.exec(name)?.[1];
  if (digits === undefined) return undefined;
  const sequence = Number(digits);
  assert(Number.isSafeInteger(sequence), 'sequence number', () => ({ name }));
  return sequence;
}
