/**
 * Seeds that found something, and what. A seed means what the simulator and the program make of it:
 * when that changes, each entry is looked for anew, with its fix undone, and gets the seeds that
 * find it then. Where a smaller test shows the same, it is named.
 */
export interface CorpusEntry {
  readonly seeds: readonly number[];
  readonly found: string;
  /** These seeds found it as things were then; others have not been found since. */
  readonly isOfThen?: true;
}

export const CORPUS: readonly CorpusEntry[] = [
  {
    isOfThen: true,
    seeds: [16, 34],
    found:
      'a learner switched to data that had not been written yet, and joined the isr without it ' +
      '(test/unit/storage-install-receiver.test.ts)',
  },
  {
    isOfThen: true,
    seeds: [21_842],
    found:
      'a primary counted beats that a follower answered after it had turned away, because that it ' +
      'did waited for a round: two leases at once',
  },
  {
    isOfThen: true,
    seeds: [7_014_559],
    found:
      'an operator of the simulator looked for rot once, on a node that was about to stop: what a ' +
      'scrub finds in a value is forgotten by a process that ends before it is acted on, and found ' +
      'again by the next one',
  },
  {
    seeds: [11_000_012],
    found:
      'two readers found the same damage in one round: the second one was heard after the replica ' +
      'was set aside, and its sound successor was set aside, too ' +
      '(test/unit/replication-shard-replica.test.ts)',
  },
  {
    isOfThen: true,
    seeds: [8_000_791],
    found:
      'the data of a last copy was found damaged on its way to a learner, which was never sent it ' +
      'again, although the damaged record had been written over since ' +
      '(test/unit/replication-primary.test.ts)',
  },
  {
    isOfThen: true,
    seeds: [20_040_935],
    found:
      'a storage node came back at once with an empty disk, which its leader did not notice, because ' +
      'its port went on accepting; then the other replica died for a moment, and what was not there ' +
      'any more became the primary and the only member of the isr ' +
      '(test/unit/control-failover.test.ts, test/unit/router-node-watch.test.ts)',
  },
  {
    isOfThen: true,
    seeds: [40_049_169],
    found:
      'a damaged primary was set aside in the round in which it had begun to send its log to a ' +
      'learner: the entry was looked for in the place of its successor, which was empty, and the ' +
      'successor was set aside, too (test/unit/replication-shard-replica.test.ts)',
  },
  {
    seeds: [11_002_367, 11_014_946],
    found:
      'ZooKeeper was set back, and a new leader gave the epoch once more that a member had used ' +
      'which was about to register (test/unit/control-failover.test.ts)',
  },
  {
    seeds: [11_101_987, 11_111_732],
    found:
      'ZooKeeper was set back while a leader kept its session: it went by the map in its memory, ' +
      'and heard nothing of what an operator wrote (test/unit/router-leading-set-back.test.ts)',
  },
  {
    seeds: [11_207_111],
    found:
      'ZooKeeper was set back under the eyes of a leader, to an isr with a member that had left it ' +
      'since, while the primary was not registered: that member took its place, without what was ' +
      'committed (test/unit/control-set-back.test.ts)',
  },
  {
    isOfThen: true,
    seeds: [3_122_263],
    found:
      'ZooKeeper was set back, and leaders followed each other so fast that the primary did not tell ' +
      'the next one, because it had just told the one before (test/unit/replication-in-sync-set.test.ts)',
  },
  {
    isOfThen: true,
    seeds: [6_040_253],
    found:
      'the simulator itself took the last disk of a shard: it counted the one that it had set back ' +
      'before, which ZooKeeper still named in sync because no leader had seen it yet',
  },
  {
    seeds: [11_101_718],
    found:
      'ZooKeeper was set back, a leader found an epoch used that it knew nothing of, and had to go; ' +
      'the next one gave that epoch out again, because whoever had used it had lost its session ' +
      '(test/unit/router-leading-replicas.test.ts)',
  },
  {
    seeds: [22_031_830],
    found:
      'ZooKeeper was set back, and an operator brought back what had been written in a later ' +
      'leaderEpoch, which no member that was there had heard of: the leader wrote over it in its own ' +
      '(test/unit/router-leading-set-back.test.ts)',
  },
  {
    seeds: [22_031_454, 22_045_210],
    found:
      'the simulator itself took the last disk of a shard: the only other replica in sync had ' +
      'rotted, and its node did not know yet',
  },
];
