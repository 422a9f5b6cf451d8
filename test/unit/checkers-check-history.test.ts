/** The front door: many keys, the end, and counterexamples that a person can read. */
import { describe, expect, it } from 'vitest';
import { checkHistory, describeVerdict } from '../simulation/checkers/check-history.js';
import type { Operation, ReadResult } from '../simulation/checkers/history.js';
import { execute, seededChoice, workload } from '../support/history-generator.js';
import { HistoryScript } from '../support/history-script.js';

const ABSENT: ReadResult = { found: false, version: 0 };

/** Histories of several keys as one. */
function together(scripts: Record<string, (script: HistoryScript) => HistoryScript>): Operation[] {
  return Object.entries(scripts)
    .flatMap(([key, write]) => write(new HistoryScript(key)).operations)
    .map((operation, at) => ({ ...operation, id: at + 1 }));
}

describe('the check of a history', () => {
  it('counts what was decided how', () => {
    const operations = together({
      x: (key) => key.put([1, 2], 'a', { applied: 1 }),
      y: (key) => key.put([1, 2], 'a', { applied: 2 }),
      z: (key) =>
        key.put([1, 2], 'a', { applied: 3 }).delete([3, null], 'unknown').get([5, 6], 'absent'),
    });
    const counts = { operations: 5, keys: 3, searched: 1, searchedToo: 1 };
    expect(checkHistory(operations)).toEqual({
      verdict: 'legal',
      violations: [],
      undecidedKeys: [],
      counts,
    });
    expect(checkHistory(operations, { searchEvery: 1 }).counts.searchedToo).toBe(2);
  });

  it('is unknown, not legal, if a search reached its bound; illegal if another key is', () => {
    const unexplained = (key: HistoryScript) =>
      key.put([1, 2], 'a', { applied: 3 }).delete([3, null], 'unknown').get([5, 6], 'absent');
    const verdict = checkHistory(together({ x: unexplained }), { stepsMax: 1 });
    expect(verdict).toMatchObject({ verdict: 'unknown', undecidedKeys: ['x'], violations: [] });
    expect(describeVerdict(verdict)).toContain('x: the search reached its bound');

    const both = together({ x: unexplained, y: (key) => key.get([1, 2], ['a', 1]) });
    expect(checkHistory(both, { stepsMax: 1 })).toMatchObject({
      verdict: 'illegal',
      undecidedKeys: ['x'],
      violations: [{ key: 'y', rule: 'value-from-nowhere' }],
    });
  });

  describe('against what is there at the end', () => {
    const written = together({
      x: (key) => key.put([1, 2], 'a', { applied: 1 }).put([3, 4], 'b', { applied: 2 }),
    });
    const check = (final: ReadResult, operations = written) => {
      const { violations } = checkHistory(operations, { finals: new Map([['x', final]]) });
      return violations.map(({ rule }) => rule);
    };

    it('S5 finds an acknowledged write that is lost, or undone', () => {
      expect(check({ found: true, value: 'b', version: 2 })).toEqual([]);
      expect(check(ABSENT)).toEqual(['lost-write']);
      expect(check({ found: true, value: 'a', version: 1 })).toEqual(['lost-write']);
    });

    it('finds a deleted value that is back, and a refused one', () => {
      const deleted = together({
        x: (key) =>
          key
            .put([1, 2], 'a', { applied: 1 })
            .delete([3, 4], { applied: 1 })
            .put([5, 6], 'b', 'refused'),
      });
      expect(check(ABSENT, deleted)).toEqual([]);
      expect(check({ found: true, value: 'a', version: 1 }, deleted)).toEqual(['resurrection']);
      expect(check({ found: true, value: 'b', version: 3 }, deleted)).toEqual([
        'refused-write-seen',
      ]);
    });

    it('allows an unknown write to have come last, and to have removed all', () => {
      const open = together({
        x: (key) =>
          key
            .put([1, 2], 'a', { applied: 1 })
            .put([3, null], 'b', 'unknown')
            .delete([3, null], 'unknown'),
      });
      expect(check({ found: true, value: 'b', version: 9 }, open)).toEqual([]);
      expect(check(ABSENT, open)).toEqual([]);
    });

    it('wants to know of every key, and finds one that nobody wrote', () => {
      expect(() => checkHistory(written, { finals: new Map() })).toThrow(/no final read of x/);
      const finals = new Map([
        ['x', { found: true, value: 'b', version: 2 }],
        ['y', { found: true, value: 'b', version: 3 }],
      ]);
      expect(checkHistory(written, { finals }).violations).toMatchObject([
        { key: 'y', rule: 'value-from-nowhere' },
      ]);
    });
  });

  it('shows the few operations that contradict each other, in the order of time', () => {
    const operations = together({
      x: (key) =>
        key
          .put([1, 2], 'a', { applied: 1 })
          .get([3, 4], ['a', 1])
          .put([5, 6], 'b', { applied: 2 }, 1)
          .get([7, 8], ['b', 2])
          .put([9, null], 'c', 'unknown')
          .put([10, 14], 'd', { notApplied: 2 }, 1)
          .get([110, 120], ['a', 1])
          .get([130, 140], ['b', 2]),
    });
    expect(describeVerdict(checkHistory(operations)).split('\n')).toEqual([
      'illegal: 8 operations, 1 keys, 0 searched, 1 searched too',
      'x: stale-read: get #7 was told of version 1, called at 110, ' +
        'after put #6 was told of version 2 and had returned at 14',
      '  [1, 2]     client c1 #1 put a              -> applied, version 1',
      '  [5, 6]     client c3 #3 put b if version 1 -> applied, version 2',
      '> [10, 14]   client c6 #6 put d if version 1 -> not applied, version 2',
      '> [110, 120] client c7 #7 get                -> a, version 1',
    ]);
  });

  it('shrinks what only a search can find', () => {
    const operations = together({
      x: (key) =>
        key
          .put([1, 2], 'a', { applied: 1 })
          .get([3, 4], ['a', 1])
          .delete([5, null], 'unknown')
          .get([7, 8], 'absent')
          .get([9, 10], 'absent')
          .put([11, 12], 'b', { applied: 3 })
          .get([13, 14], ['b', 3])
          .get([15, 16], 'absent'),
    });
    const { violations } = checkHistory(operations);
    expect(violations).toMatchObject([{ rule: 'not-linearizable' }]);
    // The delete can have emptied the key only once: before #5, or after #7.
    expect(violations[0]!.lines.filter((line) => line.startsWith('>'))).toEqual([
      '> [3, 4]   client c2 #2 get   -> a, version 1',
      '> [9, 10]  client c5 #5 get   -> absent',
      '> [13, 14] client c7 #7 get   -> b, version 3',
      '> [15, 16] client c8 #8 get   -> absent',
    ]);
  });

  it('shrinks one false answer among 2,000 operations to a handful', () => {
    const operations = execute(
      workload({ clients: 6, keys: 4, operations: 2_000 }, seededChoice(5)),
    );
    const reads = operations.filter(({ kind, key }) => kind === 'get' && key === 'k1');
    const target = reads[Math.floor(reads.length / 2)]!;
    const falsified = operations.map((operation) => {
      return operation === target ? { ...target, observed: ABSENT } : operation;
    }) as Operation[];
    const { violations } = checkHistory(falsified);
    expect(violations).toMatchObject([{ key: 'k1', rule: 'unexplained-absence' }]);
    expect(violations[0]!.lines.length).toBeLessThanOrEqual(4);
    expect(violations[0]!.lines.join('\n')).toContain(`#${target.id} `);
  });
});
