/** Planted bugs in what a replica promises, keeps and says of itself, whatever its role. */
import type { Mutant } from './mutant.js';

export const REPLICA_MUTANTS: readonly Mutant[] = [
  {
    id: 'promise-not-persisted',
    wrong: 'a promised epoch is not written to disk',
    breaks: ['S2'],
    edits: [
      {
        file: 'src/replication/replica-body.ts',
        from: `    this.#hasServed = false;
    this.#stateChanged = true;`,
        to: '    this.#hasServed = false;',
      },
    ],
    tests: ['test/unit/replication-follower.test.ts', 'test/scenario/replication.test.ts'],
  },
  {
    id: 'left-behind-forgets-epoch',
    wrong: 'a replica that its shard goes on without notes no epoch in which that is so',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/replication/shard-replica.ts',
        from: "(to === 'secondary' || to === 'elsewhere')",
        to: "to === 'secondary'",
      },
    ],
    tests: ['test/unit/replication-shard-replica.test.ts'],
  },
  {
    id: 'attached-before-durable',
    wrong: 'a follower answers in an epoch before its promise, and its log, are durable',
    breaks: ['S2', 'S4'],
    edits: [
      {
        file: 'src/replication/follower.ts',
        from: 'if (durableEpoch !== this.epoch || durableSeq !== log.last.seq) return;',
        to: 'if (durableEpoch > this.epoch || durableSeq > log.last.seq) return;',
      },
    ],
    tests: ['test/unit/replication-follower.test.ts'],
  },
  {
    id: 'ack-before-durable',
    wrong: 'a follower acknowledges what it has received and not yet written',
    breaks: ['S4'],
    edits: [
      {
        file: 'src/replication/replica-body.ts',
        from: `  get durableSeq(): Seq {
    return this.#durableSeq;`,
        to: `  get durableSeq(): Seq {
    return this.#log.last.seq;`,
      },
    ],
    tests: ['test/unit/replication-follower.test.ts'],
  },
  {
    id: 'epoch-reused-after-restart',
    wrong: 'a primary that restarted goes on in the epoch of its earlier life',
    breaks: ['S1'],
    edits: [
      {
        file: 'src/replication/shard-replica.ts',
        from: 'if (!isThisLife || config.epoch <= this.#openedEpoch) return false;',
        to: '',
      },
      {
        file: 'src/replication/shard-replica.ts',
        from: `      config.epoch === promisedEpoch &&
      log.last.epoch < config.epoch &&
      this.#grantedTo === undefined`,
        to: `      (isThisLife || config.epoch === promisedEpoch) &&
      log.last.epoch < config.epoch`,
      },
    ],
    tests: ['test/unit/replication-shard-replica.test.ts', 'test/scenario/replication.test.ts'],
  },
  {
    id: 'lower-epoch-attached',
    wrong: 'a replica follows a primary of a lower epoch than it promised',
    breaks: ['S3'],
    edits: [
      {
        file: 'src/replication/shard-replica.ts',
        from: 'if (!exists || epoch < promisedEpoch || isOurs || isDamaged) {',
        to: 'if (!exists || isOurs || isDamaged) {',
      },
    ],
    tests: ['test/unit/replication-shard-replica.test.ts'],
  },
  {
    id: 'follower-hears-any-epoch',
    wrong: 'a follower takes what its primary says in another epoch',
    breaks: ['S3', 'S10'],
    edits: [
      {
        file: 'src/replication/follower.ts',
        from: 'if (message.epoch !== this.epoch) return;',
        to: '',
      },
    ],
    tests: ['test/unit/replication-follower.test.ts'],
  },
  {
    id: 'lower-config-heard',
    wrong: 'a configuration of a lower epoch that comes late is taken for the present one',
    breaks: ['S3', 'S23'],
    edits: [
      {
        file: 'src/replication/shard-replica.ts',
        from: 'if (known !== undefined && update.config.epoch < known.config.epoch) return;',
        to: '',
      },
    ],
    tests: ['test/unit/replication-shard-replica.test.ts'],
  },
  {
    id: 'truncate-to-own-commit',
    wrong: 'a follower drops what it does not know to be committed before it follows (KIP-101)',
    breaks: ['S4', 'S6'],
    edits: [
      {
        file: 'src/replication/follower.ts',
        from: 'const tail = isInstalling ? [] : log.positionsFrom(commitSeq).map(positionOf);',
        to: 'const tail = isInstalling ? [] : log.positionsFrom(commitSeq).slice(0, 1).map(positionOf);',
      },
    ],
    tests: ['test/unit/replication-follower.test.ts'],
  },
  {
    id: 'compare-ends-only',
    wrong: 'a log that differs at its end is cut back to what is known to be committed (KIP-279)',
    breaks: ['S4', 'S6'],
    edits: [
      {
        file: 'src/replication/peers.ts',
        from: 'const match = tail.findLast(({ seq, chain }) => {',
        to: 'const match = [...tail.slice(0, 1), ...tail.slice(-1)].findLast(({ seq, chain }) => {',
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
  {
    id: 'compare-positions-only',
    wrong: 'logs are compared by where entries end, not by what they hold',
    breaks: ['S8'],
    edits: [
      {
        file: 'src/replication/peers.ts',
        from: `      return this.#body.log.positionAt(seq)?.chain === chain;
    });`,
        to: `      return this.#body.log.positionAt(seq)?.chain !== undefined && chain !== undefined;
    });`,
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
  {
    id: 'agrees-by-length',
    wrong: 'a follower whose log ends where the primary said follows at once, whatever it holds',
    breaks: ['S8'],
    edits: [
      {
        file: 'src/replication/follower.ts',
        from: 'seq === after.seq && chain === after.chain;',
        to: 'seq === after.seq && chain !== undefined;',
      },
    ],
    tests: ['test/unit/replication-follower.test.ts'],
  },
  {
    id: 'no-truncation',
    wrong: 'what a follower has beyond its primary stays in its log',
    breaks: ['S8'],
    edits: [
      {
        file: 'src/replication/follower.ts',
        from: 'this.#body.truncateAfter(match.seq);',
        to: '',
      },
    ],
    tests: ['test/unit/replication-follower.test.ts'],
  },
  {
    id: 'truncation-not-persisted',
    wrong: 'a truncation is done in memory, and the log records stay on disk',
    breaks: ['S8'],
    edits: [
      {
        file: 'src/replication/replica-body.ts',
        from: '      truncateAfter: this.#truncateAfter,\n',
        to: '      truncateAfter: undefined,\n',
      },
    ],
    tests: ['test/unit/replication-log.test.ts'],
  },
  {
    id: 'apply-on-receipt',
    wrong: 'writes go into the data as soon as they are logged, committed or not',
    breaks: ['S9', 'S12'],
    edits: [
      {
        file: 'src/replication/replica-body.ts',
        from: 'const apply = this.#isInstalling ? [] : this.#log.unappliedTo(this.#commitSeq);',
        to: 'const apply = this.#isInstalling ? [] : this.#log.unappliedTo(this.#log.last.seq);',
      },
    ],
    tests: ['test/unit/replication-follower.test.ts'],
  },
  {
    id: 'recovered-log-is-committed',
    wrong: 'after a restart a replica takes its whole log for committed',
    breaks: ['S9', 'S10'],
    edits: [
      {
        file: 'src/replication/replica-body.ts',
        from: 'const known = entries.at(-1)?.commitSeq ?? appliedSeq;',
        to: 'const known = entries.at(-1)?.seq ?? appliedSeq;',
      },
    ],
    tests: ['test/unit/replication-log.test.ts'],
  },
  {
    id: 'commit-beyond-log',
    wrong: 'a follower believes what its primary has committed to be in its own log already',
    breaks: ['S9'],
    edits: [
      {
        file: 'src/replication/follower.ts',
        from: 'this.#body.commitTo(commitSeq < last.seq ? commitSeq : last.seq);',
        to: 'this.#body.commitTo((commitSeq < last.seq ? last.seq : commitSeq));',
      },
    ],
    tests: ['test/unit/replication-follower.test.ts'],
  },
  {
    id: 'installing-cleared-early',
    wrong: 'the mark of an install under way is not written to disk',
    breaks: ['S15'],
    edits: [
      {
        file: 'src/replication/replica-body.ts',
        from: `    this.#isInstalling = true;
    this.#stateChanged = true;`,
        to: '    this.#isInstalling = true;',
      },
    ],
    tests: ['test/unit/replication-follower.test.ts', 'test/unit/storage-replica-store.test.ts'],
  },
  {
    id: 'installed-before-durable',
    wrong: 'a learner says that the data came before the batch that switches to it is durable',
    breaks: ['S4', 'S15'],
    edits: [
      {
        file: 'src/replication/follower.ts',
        from: 'if (durableSeq < log.base.seq) return;',
        to: '',
      },
    ],
    tests: ['test/unit/replication-follower.test.ts'],
  },
  {
    id: 'install-keeps-old-log',
    wrong: 'a batch that was under way when the data came counts for the new log',
    breaks: ['S4', 'S8'],
    edits: [
      {
        file: 'src/replication/replica-body.ts',
        from: '    this.#inFlight.lastSeq = LOG_START.seq;\n',
        to: '',
      },
    ],
    tests: ['test/unit/replication-log.test.ts'],
  },
  {
    id: 'store-not-compared',
    wrong:
      'a stream to another data directory, under the same name, is taken for the replica meant',
    breaks: ['S6', 'S16'],
    edits: [
      {
        file: 'src/replication/sessions.ts',
        from: 'return identity?.store === store && identity.process === process;',
        to: 'return identity !== undefined && (store !== process);',
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
  {
    id: 'acks-of-earlier-life',
    wrong: 'what a replica acknowledged counts for the one that took its place',
    breaks: ['S4', 'S16'],
    edits: [
      {
        file: 'src/replication/peer.ts',
        from: `    this.hasDiverged = false;
    this.#durable = undefined;`,
        to: '    this.hasDiverged = false;',
      },
    ],
    tests: ['test/unit/replication-lease.test.ts'],
  },
  {
    id: 'empty-in-any-life',
    wrong: 'a learner without its data begins anew in a life that the configuration does not name',
    breaks: ['S6', 'S19'],
    edits: [
      {
        file: 'src/replication/shard-replica.ts',
        from: 'if (mayCreate && isNamed && !this.#body.exists) {',
        to: 'if (mayCreate && !this.#body.exists) {',
      },
    ],
    tests: ['test/unit/replication-shard-replica.test.ts'],
  },
  {
    id: 'empty-member-serves',
    wrong: 'a member of the isr whose data is gone goes on with an empty replica',
    breaks: ['S6', 'S19'],
    edits: [
      {
        file: 'src/replication/shard-replica.ts',
        from: "if (place?.store !== store) return 'elsewhere';",
        to: "if (place === undefined) return 'elsewhere';",
      },
      {
        file: 'src/replication/shard-replica.ts',
        from: "const mayCreate = to === 'creating' || to === 'learner';",
        to: "const mayCreate = to === 'creating' || to === 'learner' || to === 'lost';",
      },
    ],
    tests: ['test/unit/replication-shard-replica.test.ts'],
  },
  {
    id: 'damage-outlives-data',
    wrong: 'what was found damaged is still said to be when other data has taken its place',
    breaks: ['S20'],
    edits: [
      {
        file: 'src/replication/replica-body.ts',
        from: '    this.#log = new ReplicaLog(base, base.seq);\n    this.#damage = undefined;\n',
        to: '    this.#log = new ReplicaLog(base, base.seq);\n',
      },
    ],
    tests: ['test/unit/replication-follower.test.ts'],
  },
  {
    id: 'successor-blamed',
    wrong: 'what is not found in the place of a damaged replica is blamed on its empty successor',
    breaks: ['S20'],
    edits: [
      {
        file: 'src/replication/replica-body.ts',
        from: 'return isNext || this.#inFlight?.isReplacing === true;',
        to: 'return isNext;',
      },
    ],
    tests: ['test/unit/replication-shard-replica.test.ts'],
  },
  {
    id: 'stale-map-served',
    wrong: 'a request of a caller with an old map is served',
    breaks: ['S23'],
    edits: [
      {
        file: 'src/replication/admission.ts',
        from: 'if (asked !== undefined && asked !== epoch) {',
        to: 'if (asked !== undefined && asked > epoch) {',
      },
    ],
    tests: ['test/unit/replication-admission.test.ts'],
  },
];
