/** Planted bugs in how an operator has the shard map made again, and accepts a loss. */
import type { Mutant } from './mutant.js';

export const RECOVERY_MUTANTS: readonly Mutant[] = [
  {
    id: 'recovery-steps-over-epochs',
    wrong: 'the map is made again in an epoch that nobody can read, if the last one was promised',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/control/recovery-plan.ts',
        from: 'const epoch = aboveAll(used);',
        to: 'const epoch = aboveAll(used) as Epoch;',
      },
      {
        file: 'src/control/recovery-plan.ts',
        from: 'if (!isEpoch(epoch)) {',
        to: 'if (!isEpoch(epoch) && epoch < 0) {',
      },
    ],
    tests: ['test/unit/control-recovery-plan.test.ts'],
  },
  {
    id: 'recovery-overwrites-other-shard',
    wrong: 'a shard that was made since under the same number is taken for an older one',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/model/shard-config.ts',
        from: 'if (config.shardUuid !== shardUuid) return isBeingCreated;',
        to: 'void shardUuid;',
      },
    ],
    tests: ['test/unit/coordination-rebuild.test.ts'],
  },
  {
    id: 'recovery-trusts-any-primary',
    wrong: 'a recovery keeps the isr as one node knows it, whoever answers for its primary',
    breaks: ['S6'],
    edits: [
      {
        file: 'src/control/recovery-plan.ts',
        from: 'return place?.process === process && isNewest;',
        to: 'return place !== undefined || (process.length === 0 && isNewest);',
      },
    ],
    tests: ['test/unit/control-recovery-plan.test.ts'],
  },
  {
    id: 'recovery-trusts-a-set-back-disk',
    wrong: 'a recovery counts a member of the isr whose disk was set back',
    breaks: ['S6', 'S19'],
    edits: [
      {
        file: 'src/control/recovery-plan.ts',
        from: 'return place !== undefined && node.lives.includes(place.process);',
        to: 'return place !== undefined;',
      },
    ],
    tests: ['test/unit/control-recovery-plan.test.ts'],
  },
  {
    id: 'recovery-prefers-the-primary',
    wrong: 'a recovery takes whom its configuration names as primary, though it leads no more',
    breaks: ['S6'],
    edits: [
      {
        file: 'src/control/recovery-plan.ts',
        from: 'node.node === primary && leads(node, newest));',
        to: 'node.node === primary);',
      },
    ],
    tests: ['test/unit/control-recovery-plan.test.ts'],
  },
  {
    id: 'recovery-abandons-what-moved-on',
    wrong:
      'a recovery that accepts a loss abandons replicas of a configuration that it does not know',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/control/recovery-plan.ts',
        from: 'if (known.nonce === planned.abandons)',
        to: 'if (planned.abandons !== undefined)',
      },
    ],
    tests: ['test/unit/control-recovery-plan.test.ts'],
  },
  {
    id: 'recovery-abandons-who-serves',
    wrong: 'a recovery that accepts a loss abandons a replica that is registered and may serve',
    breaks: ['S14'],
    edits: [
      {
        file: 'src/control/recovery-plan.ts',
        from: 'if (able === undefined) return planned;',
        to: 'if (able === undefined || planned.abandons !== undefined) return planned;',
      },
    ],
    tests: ['test/unit/control-recovery-plan.test.ts'],
  },
  {
    id: 'recovery-abandons-the-damaged',
    wrong: 'a recovery that accepts a loss abandons a damaged replica whose process still serves',
    breaks: ['S14'],
    edits: [
      {
        file: 'src/control/recovery-plan.ts',
        from: 'if (left === undefined || running !== undefined) {',
        to: 'if (left === undefined) {',
      },
    ],
    tests: ['test/unit/control-recovery-plan.test.ts'],
  },
  {
    id: 'recovery-hears-a-set-back-disk',
    wrong: 'a disk that was set back counts among those that know what was acknowledged',
    breaks: ['S6'],
    edits: [
      {
        file: 'src/control/recovery-plan.ts',
        from: 'const gap = gapOf(whole.length,',
        to: 'const gap = gapOf(sound.length,',
      },
    ],
    tests: ['test/unit/control-recovery-plan.test.ts'],
  },
  {
    id: 'recovery-drops-a-longer-log',
    wrong: 'a recovery drops a longer log of a learner without a word',
    breaks: ['S6'],
    edits: [
      {
        file: 'src/control/recovery-plan.ts',
        from: "mayLose: gap !== '' || behind !== '' };",
        to: "mayLose: gap !== '' };",
      },
    ],
    tests: ['test/unit/control-recovery-plan.test.ts'],
  },
  {
    id: 'loss-accepted-in-vain',
    wrong: 'what a recovery serves of a shard is counted on in a life that its disk does not know',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/control/recovery-plan.ts',
        from: 'return copy === undefined ? place : placeOf(copy);',
        to: 'return copy === undefined ? place : { ...placeOf(copy), process: place.process };',
      },
    ],
    tests: ['test/unit/control-recovery-plan.test.ts'],
  },
  {
    id: 'recovery-trusts-passed-map',
    wrong: 'a recovery takes the newest known configuration, whatever replicas have promised since',
    breaks: ['S1', 'S6'],
    edits: [
      {
        file: 'src/control/recovery-plan.ts',
        from: "return used > epoch || (state === 'creating' && hasServed);",
        to: "return used < 0 || (state === 'creating' && hasServed && epoch > 0);",
      },
    ],
    tests: ['test/unit/control-recovery-plan.test.ts'],
  },
  {
    id: 'recovery-creates-anew',
    wrong:
      'a shard that has entries is made again as one that is being created, if a node knows that',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/control/recovery-plan.ts',
        from: "return used > epoch || (state === 'creating' && hasServed);",
        to: "return used > epoch || (state === 'creating' && hasServed && used < 0);",
      },
    ],
    tests: ['test/unit/control-recovery-plan.test.ts'],
  },
  {
    id: 'recovery-overhears-silence',
    wrong: 'an epoch that was promised, and of which nobody has an entry, is no reason for doubt',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/control/recovery-plan.ts',
        from: "if (promised <= lastEpoch) return '';",
        to: "if (promised <= lastEpoch || copies.length > 0) return '';",
      },
    ],
    tests: ['test/unit/control-recovery-plan.test.ts'],
  },
  {
    id: 'recovery-counts-forgotten',
    wrong: 'a replica on a node that the shard has left stands for one that does not answer',
    breaks: ['S6', 'S19'],
    edits: [
      {
        file: 'src/control/recovery-plan.ts',
        from: 'sound.filter(({ held }) => held.lastEpoch === lastEpoch).length;',
        to: 'sound.filter(({ held }) => held.lastEpoch <= lastEpoch).length;',
      },
    ],
    tests: ['test/unit/control-recovery-plan.test.ts'],
  },
];
