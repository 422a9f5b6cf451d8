/** The anomalies of the literature, each as the smallest history that shows it. */
import { describe, expect, it } from 'vitest';
import { checkHistory } from '../simulation/checkers/check-history.js';
import { keyHistoryOf } from '../simulation/checkers/history.js';
import { searchOrder } from '../simulation/checkers/wgl.js';
import { HistoryScript } from '../support/history-script.js';
import { isLinearizable } from '../support/history-oracle.js';

const history = () => new HistoryScript();
/** Two puts one after the other. */
const twoPuts = () => history().put([1, 2], 'a', { applied: 1 }).put([3, 4], 'b', { applied: 2 });

const ANOMALIES = {
  'stale read: a value that had been replaced before the read began': [
    'stale-read',
    twoPuts().get([5, 6], ['a', 1]),
  ],
  'stale read by a failed condition: it is told a version that had been replaced': [
    'stale-read',
    twoPuts().put([5, 6], 'c', { notApplied: 1 }, 7),
  ],
  'non-monotonic reads: the second of two reads sees the older of two concurrent writes': [
    'stale-read',
    history()
      .put([1, 20], 'a', { applied: 1 })
      .put([1, 20], 'b', { applied: 2 })
      .get([3, 4], ['b', 2])
      .get([5, 6], ['a', 1]),
  ],
  'lost update: a condition held on a version that another write had replaced': [
    'lost-update',
    twoPuts().put([5, 6], 'c', { applied: 3 }, 1),
  ],
  'lost update: two puts succeed on the same if_version': [
    'lost-update',
    history()
      .put([1, 2], 'a', { applied: 1 })
      .put([3, 9], 'b', { applied: 2 }, 1)
      .put([3, 9], 'c', { applied: 3 }, 1),
  ],
  'lost update: two puts succeed on absence': [
    'lost-update',
    history().put([1, 9], 'a', { applied: 1 }, 0).put([1, 9], 'b', { applied: 3 }, 0),
  ],
  'lost update: a delete removes a version that had been replaced': [
    'lost-update',
    history()
      .put([1, 2], 'a', { applied: 1 })
      .put([3, 4], 'b', { applied: 5 })
      .delete([5, 6], { applied: 1 }),
  ],
  'dirty read: the value of a write that was refused': [
    'refused-write-seen',
    history().put([1, 2], 'a', 'refused').get([3, 4], ['a', 1]),
  ],
  'dirty read: a failed compare-and-set leaks its value': [
    'failed-condition-seen',
    history()
      .put([1, 2], 'a', { applied: 1 })
      .put([3, 4], 'b', { notApplied: 1 }, 9)
      .get([5, 6], ['b', 2]),
  ],
  'dirty read: a failed compare-and-set tells the version of a write that was refused': [
    'version-from-nowhere',
    history()
      .put([1, 2], 'a', { applied: 1 })
      .put([3, 4], 'b', 'refused')
      .put([5, 6], 'c', { notApplied: 2 }, 1),
  ],
  'a value that nobody wrote': ['value-from-nowhere', history().get([1, 2], ['a', 1])],
  'resurrection: a deleted value is read again': [
    'resurrection',
    history().put([1, 2], 'a', { applied: 1 }).delete([3, 4], { applied: 1 }).get([5, 6], ['a', 1]),
  ],
  'resurrection: a value comes back after the key was found absent': [
    'resurrection',
    history()
      .put([1, 2], 'a', { applied: 1 })
      .delete([3, 20], { applied: 1 })
      .get([5, 6], 'absent')
      .get([7, 8], ['a', 1]),
  ],
  'lost write: an acknowledged value is gone': [
    'unexplained-absence',
    history().put([1, 2], 'a', { applied: 1 }).get([3, 4], 'absent'),
  ],
  'lost write: the next version is not higher': [
    'version-order',
    history().put([1, 2], 'a', { applied: 5 }).put([3, 4], 'b', { applied: 3 }),
  ],
  'a version is used for two writes': [
    'two-values-of-one-version',
    history().put([1, 2], 'a', { applied: 5 }).put([3, 4], 'b', { applied: 5 }),
  ],
  'duplicate application: one unanswered write is seen at two versions': [
    'two-versions-of-one-write',
    history().put([1, null], 'a', 'unknown').get([3, 4], ['a', 1]).get([5, 6], ['a', 2]),
  ],
  'duplicate application: an acknowledged write comes back over a later one': [
    'two-versions-of-one-write',
    twoPuts().get([5, 6], ['a', 3]),
  ],
  'duplicate application of a delete: it takes effect twice': [
    'double-delete',
    history()
      .put([1, 2], 'a', { applied: 1 })
      .delete([3, 9], { applied: 1 })
      .delete([3, 9], { applied: 1 }),
  ],
  'duplicate application: one unanswered delete empties the key twice': [
    'not-linearizable',
    history()
      .put([1, 2], 'a', { applied: 1 })
      .delete([3, null], 'unknown')
      .get([5, 6], 'absent')
      .put([7, 8], 'b', { applied: 3 })
      .get([9, 10], 'absent'),
  ],
  'a read from the future: the value is seen before its write is asked for': [
    'future-read',
    history().get([1, 2], ['a', 1]).put([3, 4], 'a', { applied: 1 }),
  ],
  'version reuse: a delete has a position too, so the next write is two above': [
    'version-order',
    history()
      .put([1, 2], 'a', { applied: 1 })
      .delete([3, 4], { applied: 1 })
      .put([5, 6], 'b', { applied: 2 }),
  ],
  'an unconditional put that says it was not applied': [
    'impossible-answer',
    history().put([1, 2], 'a', { notApplied: 0 }),
  ],
} as const;

describe('anomalies', () => {
  it.each(Object.entries(ANOMALIES))('%s', (_, [rule, { operations }]) => {
    expect(isLinearizable(operations)).toBe(false);
    expect(searchOrder(keyHistoryOf('k', operations)).verdict).toBe('illegal');
    const { verdict, violations } = checkHistory(operations);
    expect(verdict).toBe('illegal');
    expect(violations.map((violation) => violation.rule)).toEqual([rule]);
  });
});
