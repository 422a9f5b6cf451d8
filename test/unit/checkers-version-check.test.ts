/** What versions alone decide, what they leave to the search, and what they must not call wrong. */
import { describe, expect, it } from 'vitest';
import { keyHistoryOf } from '../simulation/checkers/history.js';
import { checkVersions } from '../simulation/checkers/version-check.js';
import { HistoryScript } from '../support/history-script.js';
import { isLinearizable } from '../support/history-oracle.js';

const history = () => new HistoryScript();

const LEGAL = {
  'an empty history': history(),
  'gaps between versions: other keys of the shard took them': history()
    .put([1, 2], 'a', { applied: 10 })
    .put([3, 4], 'b', { applied: 90 }, 10),
  'an unknown write that takes effect long after its client gave up': history()
    .put([1, null], 'a', 'unknown')
    .get([3, 4], 'absent')
    .put([5, 6], 'b', { applied: 1 })
    .get([7, 8], ['a', 2]),
  'an unknown write that never takes effect': history()
    .put([1, null], 'a', 'unknown')
    .get([3, 4], 'absent'),
  'an unknown delete that never takes effect': history()
    .put([1, 2], 'a', { applied: 1 })
    .delete([3, null], 'unknown')
    .get([5, 6], ['a', 1]),
  'concurrent reads that see the write or not': history()
    .put([1, 10], 'a', { applied: 1 })
    .get([2, 3], 'absent')
    .get([2, 3], ['a', 1]),
  'a key that is written and deleted again and again': history()
    .put([1, 2], 'a', { applied: 1 }, 0)
    .delete([3, 4], { applied: 1 })
    .get([5, 6], 'absent')
    .delete([7, 8], { applied: 0 })
    .put([9, 10], 'b', { applied: 3 }, 0)
    .delete([11, 12], { applied: 3 }, 3)
    .put([13, 14], 'c', { notApplied: 0 }, 3)
    .get([15, 16], 'absent'),
  'a read that touches a write at one moment is concurrent with it': history()
    .put([1, 2], 'a', { applied: 1 })
    .get([2, 3], 'absent'),
};

const UNDECIDED = {
  'an absence that an unknown delete explains': history()
    .put([1, 2], 'a', { applied: 1 })
    .delete([3, null], 'unknown')
    .get([5, 6], 'absent'),
  'a put on absence that an unknown delete explains': history()
    .put([1, 2], 'a', { applied: 1 })
    .delete([3, null], 'unknown')
    .put([5, 6], 'b', { applied: 3 }, 0),
  'a version that only an unknown put can have': history()
    .put([1, null], 'a', 'unknown')
    .put([3, 4], 'b', { notApplied: 7 }, 5),
};

const ILLEGAL = {
  'an unknown delete that was called too late explains no absence': history()
    .put([1, 2], 'a', { applied: 1 })
    .get([3, 4], 'absent')
    .delete([5, null], 'unknown'),
  'an unknown delete that was called too late explains no put on absence': history()
    .put([1, 2], 'a', { applied: 1 })
    .put([3, 4], 'b', { applied: 3 }, 0)
    .delete([5, null], 'unknown'),
  'an unknown delete of an older version explains no absence': history()
    .put([1, 2], 'a', { applied: 1 })
    .put([3, 4], 'b', { applied: 2 })
    .delete([5, null], 'unknown', 1)
    .get([7, 8], 'absent'),
  'an unknown delete leaves no room for itself': history()
    .put([1, 2], 'a', { applied: 1 })
    .delete([3, null], 'unknown')
    .put([5, 6], 'b', { applied: 2 }, 0),
};

describe('the check by versions', () => {
  it.each(Object.entries(LEGAL))('allows %s', (_, { operations }) => {
    expect(isLinearizable(operations)).toBe(true);
    expect(checkVersions(keyHistoryOf('k', operations))).toEqual({ verdict: 'legal' });
  });

  it.each(Object.entries(UNDECIDED))('leaves to the search %s', (_, { operations }) => {
    expect(isLinearizable(operations)).toBe(true);
    expect(checkVersions(keyHistoryOf('k', operations))).toEqual({ verdict: 'undecided' });
  });

  it.each(Object.entries(ILLEGAL))('knows without a search: %s', (_, { operations }) => {
    expect(isLinearizable(operations)).toBe(false);
    expect(checkVersions(keyHistoryOf('k', operations)).verdict).toBe('illegal');
  });

  it('says which operations contradict each other, with the numbers compared', () => {
    const { operations } = history()
      .put([1, 2], 'a', { applied: 4 })
      .put([3, 4], 'b', { applied: 9 })
      .get([10, 12], ['a', 4]);
    const verdict = checkVersions(keyHistoryOf('k', operations));
    expect(verdict).toEqual({
      verdict: 'illegal',
      violation: {
        rule: 'stale-read',
        message:
          'get #3 was told of version 4, called at 10, ' +
          'after put #2 got version 9 and had returned at 4',
        operations: [operations[1], operations[2]],
      },
    });
  });
});
