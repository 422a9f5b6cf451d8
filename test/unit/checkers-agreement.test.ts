/** Both checkers against an oracle that tries every order, on legal and on falsified histories. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkHistory, describeVerdict } from '../simulation/checkers/check-history.js';
import { keyHistoryOf, type Operation } from '../simulation/checkers/history.js';
import { checkVersions } from '../simulation/checkers/version-check.js';
import { searchOrder } from '../simulation/checkers/wgl.js';
import {
  type Choose,
  execute,
  falsify,
  type Step,
  seededChoice,
  workload,
} from '../support/history-generator.js';
import { isLinearizable } from '../support/history-oracle.js';

const RUNS = 6_000;
const FLIPS = 3_000;

const demands = fc.constantFrom('nothing', 'nothing', 'absence', 0, 1, -1);
const fates = fc.constantFrom('answered', 'answered', 'answered', 'lost', 'vanishes', 'refused');
const step: fc.Arbitrary<Step> = fc.record({
  client: fc.constant('c'),
  key: fc.constant('k'),
  kind: fc.constantFrom('get', 'get', 'put', 'put', 'delete'),
  callAt: fc.nat(11),
  effectAfter: fc.nat(4),
  returnAfter: fc.nat(3),
  demands: demands as fc.Arbitrary<Step['demands']>,
  fate: fates,
  gap: fc.nat(1),
});
const steps = fc.array(step, { minLength: 1, maxLength: 7 });

/** Picks what the numbers say, then always the first. */
function chooseFrom(numbers: readonly number[]): Choose {
  let next = 0;
  return (below) => (numbers[next++] ?? 0) % below;
}

function verdictsOf(operations: readonly Operation[]) {
  const history = keyHistoryOf('k', operations);
  return { versions: checkVersions(history).verdict, search: searchOrder(history).verdict };
}

describe('the checkers and an oracle that tries every order', () => {
  it(`agree on ${RUNS} histories of up to 7 operations with up to 3 false answers`, () => {
    const counts = { legal: 0, illegal: 0, undecided: 0 };
    const falseAnswers = fc.array(fc.array(fc.nat(999), { minLength: 5, maxLength: 5 }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(steps, falseAnswers, (script, flips) => {
        const operations = flips.reduce<Operation[]>((history, numbers) => {
          return falsify(history, chooseFrom(numbers)) ?? history;
        }, execute(script));
        const expected = isLinearizable(operations) ? 'legal' : 'illegal';
        const { versions, search } = verdictsOf(operations);
        counts[expected]++;
        if (versions === 'undecided') counts.undecided++;
        expect(search).toBe(expected);
        expect(versions === 'undecided' ? expected : versions).toBe(expected);
      }),
      { numRuns: RUNS },
    );
    // None of the verdicts is one that hardly ever comes.
    expect(counts.legal).toBeGreaterThan(RUNS / 5);
    expect(counts.illegal).toBeGreaterThan(RUNS / 5);
    expect(counts.undecided).toBeGreaterThan(RUNS / 200);
    expect(counts.undecided).toBeLessThan(RUNS / 5);
  });

  it(`find every one of ${FLIPS} false answers in legal histories that can be seen`, () => {
    const choose = seededChoice(7);
    let observable = 0;
    let bySearch = 0;
    let byBoth = 0;
    for (let run = 0; run < FLIPS; run++) {
      const script = workload({ clients: 3, keys: 1, operations: 3 + choose(5) }, choose);
      const legal = execute(script.map((each) => ({ ...each, key: 'k' })));
      expect(verdictsOf(legal)).not.toMatchObject({ versions: 'illegal' });
      expect(searchOrder(keyHistoryOf('k', legal)).verdict).toBe('legal');
      const falsified = falsify(legal, choose);
      if (falsified === undefined || isLinearizable(falsified)) continue;
      observable++;
      if (searchOrder(keyHistoryOf('k', falsified)).verdict === 'illegal') bySearch++;
      if (checkHistory(falsified).verdict === 'illegal') byBoth++;
    }
    expect(observable).toBeGreaterThan(FLIPS / 4);
    expect({ bySearch, byBoth }).toEqual({ bySearch: observable, byBoth: observable });
  });

  it('agree that a long history with lost answers is legal, and that one false answer is not', () => {
    for (const seed of [1, 2, 3]) {
      const size = { clients: 8, keys: 10, operations: 3_000 };
      const legal = execute(workload(size, seededChoice(seed)));
      const verdict = checkHistory(legal, { searchEvery: 1 });
      expect(describeVerdict(verdict)).toMatch(/^legal: 3000 operations, 10 keys/);
      expect(verdict.counts.searched + verdict.counts.searchedToo).toBe(10);

      // A version that no write of the shard has.
      const target = legal.find(({ id, kind, outcome }) => {
        return id > 1_500 && kind === 'get' && outcome === 'ok';
      })!;
      const falsified = legal.map((operation) => {
        if (operation !== target || operation.outcome !== 'ok') return operation;
        return { ...operation, observed: { found: true, value: 'v0', version: 1e9 } };
      }) as Operation[];
      const { violations } = checkHistory(falsified);
      expect(violations).toMatchObject([{ key: target.key, rule: 'value-from-nowhere' }]);
    }
  });
});
