/** The search: its bound, where it says it was stuck, and what keeps it from growing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyHistoryOf } from '../simulation/checkers/history.js';
import { LinearizedSet, VisitedSets } from '../simulation/checkers/linearized-set.js';
import { searchOrder } from '../simulation/checkers/wgl.js';
import { HistoryScript } from '../support/history-script.js';

const search = ({ operations }: HistoryScript, stepsMax?: number) => {
  return searchOrder(keyHistoryOf('k', operations), stepsMax);
};

describe('the search for an order', () => {
  it('names the operation it could not get past', () => {
    const script = new HistoryScript()
      .put([1, 2], 'a', { applied: 1 })
      .get([3, 4], ['a', 1])
      .get([5, 6], 'absent')
      .get([7, 8], ['a', 1]);
    expect(search(script)).toMatchObject({ verdict: 'illegal', stuckAt: script.operations[2] });
  });

  it('is stuck at the end of the list too, where what is left never returned', () => {
    const script = new HistoryScript().get([1, 2], ['a', 1]).put([3, 4], 'a', { applied: 1 });
    const [read, put] = script.operations;
    const withoutReturn = { ...read!, returnAt: null };
    const verdict = searchOrder(keyHistoryOf('k', [withoutReturn, put!]));
    expect(verdict.verdict).toBe('legal');
    const alone = searchOrder(keyHistoryOf('k', [withoutReturn]));
    expect(alone).toMatchObject({ verdict: 'illegal', stuckAt: withoutReturn });
  });

  it('gives up at its bound, and says that it knows nothing', () => {
    const script = new HistoryScript().put([1, 2], 'a', { applied: 1 }).get([3, 4], ['a', 1]);
    expect(search(script, 1)).toEqual({ verdict: 'unknown', steps: 2 });
    expect(search(script).verdict).toBe('legal');
  });

  it('unknown writes that nobody saw do not multiply it: 60 of them and a contradiction', () => {
    const script = new HistoryScript();
    for (let at = 0; at < 30; at++) {
      script.put([at, null], `a${at}`, 'unknown').delete([at, null], 'unknown');
    }
    script.put([200, 201], 'b', { applied: 1_000 }).get([202, 203], ['b', 1_001]);
    const verdict = search(script);
    expect(verdict.verdict).toBe('illegal');
    expect(verdict.steps).toBeLessThan(2_000_000);
  });

  it('finds the one order of 10 concurrent writes that their readers allow', () => {
    const script = new HistoryScript();
    for (let at = 0; at < 10; at++) script.put([0, 100], `v${at}`, { applied: 10 - at });
    for (let at = 9; at >= 0; at--) script.get([20 - at, 20.5 - at], [`v${at}`, 10 - at]);
    expect(search(script).verdict).toBe('legal');
    script.get([60, 61], ['v9', 1]);
    expect(search(script).verdict).toBe('illegal');
  });

  it('an unknown put stands in for a version that nobody else can have, but for one only', () => {
    const script = new HistoryScript()
      .put([1, null], 'a', 'unknown')
      .put([3, 4], 'b', { notApplied: 7 }, 5);
    expect(search(script).verdict).toBe('legal');
    script.put([5, 6], 'c', { notApplied: 8 }, 5);
    expect(search(script).verdict).toBe('illegal');
  });
});

describe('the memory of the search', () => {
  it('knows a set and state again exactly, whatever way led there', () => {
    const size = { required: 70, optional: 5 };
    const moves = fc.array(fc.tuple(fc.nat(74), fc.nat(2)), { maxLength: 120 });
    fc.assert(
      fc.property(moves, (script) => {
        const set = new LinearizedSet(size);
        const visited = new VisitedSets();
        const members = new Set<number>();
        const seen = new Set<string>();
        for (const [member, state] of script) {
          if (members.delete(member)) set.remove(member);
          else {
            members.add(member);
            set.add(member);
          }
          const name = [state, ...[...members].sort((left, right) => left - right)].join();
          expect(visited.add(set, state)).toBe(!seen.has(name));
          seen.add(name);
        }
      }),
      { numRuns: 200 },
    );
  });
});
