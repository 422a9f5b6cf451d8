/**
 * Seeds that found something, and what. A seed means what the simulator makes of it: when that
 * changes, each entry is looked for anew, with its fix undone, and gets the seeds that find it then.
 * Where a smaller test shows the same, it is named.
 */
export interface CorpusEntry {
  readonly seeds: readonly number[];
  readonly found: string;
}

export const CORPUS: readonly CorpusEntry[] = [
  {
    seeds: [16, 34],
    found:
      'a learner switched to data that had not been written yet, and joined the isr without it ' +
      '(test/unit/storage-install-receiver.test.ts)',
  },
  {
    seeds: [21_842],
    found:
      'a primary counted beats that a follower answered after it had turned away, because that it ' +
      'did waited for a round: two leases at once',
  },
];
