/** The history format: what is sorted out, and which records say nothing about a system. */
import { describe, expect, it } from 'vitest';
import { ifVersionOf, keyHistoryOf, splitByKey } from '../simulation/checkers/history.js';
import { HistoryScript } from '../support/history-script.js';

describe('a history', () => {
  it('keeps answers, unknown writes and refused writes apart, and drops reads without an answer', () => {
    const { operations } = new HistoryScript()
      .put([5, 6], 'a', { applied: 1 })
      .get([1, null], 'unknown')
      .delete([4, null], 'unknown')
      .put([3, 4], 'b', 'refused')
      .get([2, 3], 'absent');
    const { answered, unanswered, refused } = keyHistoryOf('k', operations);
    expect(answered.map(({ id }) => id)).toEqual([5, 1]);
    expect(unanswered.map(({ id }) => id)).toEqual([3]);
    expect(refused.map(({ id }) => id)).toEqual([4]);
  });

  it('a delete with if_version 0 is unconditional, a put needs absence', () => {
    const { unanswered } = keyHistoryOf(
      'k',
      new HistoryScript()
        .put([1, null], 'a', 'unknown', 0)
        .delete([2, null], 'unknown', 0)
        .delete([3, null], 'unknown', 4).operations,
    );
    expect(unanswered.map(ifVersionOf)).toEqual([0, undefined, 4]);
  });

  it('is split by key', () => {
    const first = new HistoryScript('x').put([1, 2], 'a', { applied: 1 }).operations;
    const second = new HistoryScript('y').put([1, 2], 'a', { applied: 2 }).operations;
    const all = [...first, ...second.map((operation) => ({ ...operation, id: 9 }))];
    expect([...splitByKey(all)].map(([key, { length }]) => [key, length])).toEqual([
      ['x', 1],
      ['y', 1],
    ]);
  });

  const MALFORMED = {
    'returns before it is called': new HistoryScript().get([3, 2], 'absent').operations,
    'has an answer that never came': new HistoryScript().get([3, null], 'absent').operations,
    'has no time': new HistoryScript().get([Number.NaN, 4], 'absent').operations,
    'has the id of another': [
      ...new HistoryScript('x').get([1, 2], 'absent').operations,
      ...new HistoryScript('y').get([1, 2], 'absent').operations,
    ],
    'writes the value of another': new HistoryScript()
      .put([1, 2], 'a', { applied: 1 })
      .put([3, 4], 'a', { applied: 2 }).operations,
  };
  it.each(Object.entries(MALFORMED))('is refused if an operation %s', (_, operations) => {
    expect(() => splitByKey(operations)).toThrow(/^malformed history: /);
  });
});
