/** Planted bugs in how a primary commits, takes replicas in and drops them, and in its answers. */
import type { Mutant } from './mutant.js';

export const PRIMARY_MUTANTS: readonly Mutant[] = [
  {
    id: 'majority-commits',
    wrong: 'a write is acknowledged when a majority of the isr has it',
    breaks: ['S4', 'S5', 'S6'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: `    let everyoneHolds = body.durableSeq;
    for (const node of this.#inSync.commitSet()) {
      if (node === this.#self) continue;
      const durable = this.#peers.get(node)?.durable?.seq;
      if (durable === undefined) return;
      if (durable < everyoneHolds) everyoneHolds = durable;
    }`,
        to: `    const held = [...this.#inSync.commitSet()]
      .map((node) => {
        if (node === this.#self) return body.durableSeq;
        return this.#peers.get(node)?.durable?.seq ?? (0 as Seq);
      })
      .sort((left, right) => right - left);
    const everyoneHolds = held[Math.floor(held.length / 2)] ?? body.commitSeq;`,
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
  {
    id: 'stray-isr-unquestioned',
    wrong: 'a member in the isr that nobody asked for is no reason to ask for a new epoch',
    breaks: ['S6', 'S7'],
    edits: [
      {
        file: 'src/replication/in-sync-set.ts',
        from: 'return config.isr.every((node) => this.counts(node));',
        to: 'return config.isr.length >= 0;',
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts'],
  },
  {
    id: 'stray-isr-ignored',
    wrong:
      'a configuration that its primary did not ask for is not followed, its members not waited for',
    breaks: ['S6', 'S7', 'S14'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: 'if (!this.#inSync.leadsTo(update)) this.#left ??= this.#update.config.nonce;',
        to: `if (!this.#inSync.leadsTo(update)) {
      this.#left ??= this.#update.config.nonce;
      return this.#askAnew();
    }`,
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts'],
  },
  {
    id: 'ack-before-own-disk',
    wrong: 'a primary commits what the others hold before its own disk has it',
    breaks: ['S4', 'S5'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: 'let everyoneHolds = body.durableSeq;',
        to: 'let everyoneHolds = body.log.last.seq;',
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
  {
    id: 'shrink-before-answer',
    wrong: 'a member that was asked to be removed does not count any more before that is known',
    breaks: ['S6', 'S7'],
    edits: [
      {
        file: 'src/replication/in-sync-set.ts',
        from: 'return (this.#commitSet ??= [...new Set([...this.#update.config.isr, ...this.#joining])]);',
        to:
          'return [...this.#update.config.isr, ...this.#joining].filter((node) => ' +
          '!this.#askedAt.has(`shrink ${node}`));',
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts', 'test/unit/replication-primary.test.ts'],
  },
  {
    id: 'expand-after-answer',
    wrong: 'a learner that was proposed for the isr counts only when that is known',
    breaks: ['S6', 'S7'],
    edits: [
      {
        file: 'src/replication/in-sync-set.ts',
        from: 'return (this.#commitSet ??= [...new Set([...this.#update.config.isr, ...this.#joining])]);',
        to: 'return this.#update.config.isr;',
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts', 'test/unit/replication-primary.test.ts'],
  },
  {
    id: 'commit-set-not-renewed',
    wrong:
      'a learner that is proposed for the isr does not count if the commit set was asked before',
    breaks: ['S6', 'S7'],
    edits: [
      {
        file: 'src/replication/in-sync-set.ts',
        from: `    this.#joining.add(node);
    this.#commitSet = undefined;`,
        to: '    this.#joining.add(node);',
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts', 'test/unit/replication-primary.test.ts'],
  },
  {
    id: 'joins-before-epoch-start',
    wrong:
      'a learner is proposed when it has what was known to be committed before the epoch began',
    breaks: ['S6', 'S16'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: 'const isOpen = this.isServing && this.#handOver.to === undefined;',
        to: 'const isOpen = this.#handOver.to === undefined;',
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts', 'test/unit/replication-primary.test.ts'],
  },
  {
    id: 'joins-on-its-way',
    wrong: 'a learner that begins to follow is waited for before what it lacks has reached it',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: "if (message.type === 'prepareAck' || peer.phase !== 'following') this.#review(peer);",
        to: 'this.#review(peer);',
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts'],
  },
  {
    id: 'joins-behind',
    wrong: 'a learner is proposed for the isr before it has caught up',
    breaks: ['S6', 'S16'],
    edits: [
      {
        file: 'src/replication/in-sync-set.ts',
        from: 'durable.seq >= this.#body.commitSeq;',
        to: 'durable.seq <= this.#body.commitSeq;',
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts', 'test/unit/replication-primary.test.ts'],
  },
  {
    id: 'no-barrier',
    wrong:
      'an epoch begins without a barrier: what earlier ones left is committed by counting copies',
    breaks: ['S6', 'S11'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: `    this.#proposals.barrier();
    this.#barrierSeq = (seq + 1) as Seq;`,
        to: '    this.#barrierSeq = seq;',
      },
    ],
    tests: ['test/unit/replication-primary.test.ts', 'test/scenario/replication.test.ts'],
  },
  {
    id: 'serves-before-barrier',
    wrong: 'a new primary serves before its barrier is committed',
    breaks: ['S11'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: 'return this.#hasBegun && isAlone && !this.#isContradicted;',
        to: 'return isAlone && !this.#isContradicted;',
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
  {
    id: 'ack-of-other-epoch',
    wrong: 'a primary counts what was acknowledged in another epoch',
    breaks: ['S4'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: 'if (peer === undefined || message.epoch !== this.epoch) return;',
        to: 'if (peer === undefined) return;',
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts', 'test/unit/replication-primary.test.ts'],
  },
  {
    id: 'min-isr-ignored',
    wrong: 'writes are taken while fewer replicas are in sync than must be',
    breaks: ['S4'],
    edits: [
      {
        file: 'src/replication/in-sync-set.ts',
        from: 'return this.#update.config.isr.length >= this.#settings.minIsr;',
        to: 'return this.#update.config.isr.length >= 1;',
      },
    ],
    tests: [
      'test/unit/replication-in-sync-set.test.ts',
      'test/unit/replication-primary.test.ts',
      'test/scenario/replication.test.ts',
    ],
  },
  {
    id: 'serves-after-stepping-down',
    wrong: 'a primary goes on serving after it said that it stepped down',
    breaks: ['S13', 'S14'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: 'const isAlone = this.#now >= this.#promisedUntil && !this.#handOver.hasSteppedDown;',
        to: 'const isAlone = this.#now >= this.#promisedUntil;',
      },
    ],
    tests: ['test/unit/replication-primary.test.ts', 'test/scenario/replication.test.ts'],
  },
  {
    id: 'steps-down-with-writes',
    wrong: 'a primary steps down before its successor holds everything',
    breaks: ['S14'],
    edits: [
      {
        file: 'src/replication/hand-over.ts',
        from: 'if (isQuiet && holdsAll) return this.#stepDown(to, now);',
        to: 'if (isQuiet || holdsAll) return this.#stepDown(to, now);',
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
  {
    id: 'condition-fails-early',
    wrong: 'a condition that fails on an uncommitted write is answered at once',
    breaks: ['S12'],
    edits: [
      {
        file: 'src/replication/proposals.ts',
        from: 'if (seen <= commitSeq) return written;',
        to: 'if (seen <= commitSeq || !holds) return written;',
      },
    ],
    tests: ['test/unit/replication-proposals.test.ts'],
  },
  {
    id: 'read-kept-over-commit',
    wrong: 'what was read of a key is still answered after a write of it was committed',
    breaks: ['S12'],
    edits: [
      {
        file: 'src/replication/proposals.ts',
        from: '      this.#reads.forget(key);\n',
        to: '',
      },
    ],
    tests: ['test/unit/replication-primary-reads.test.ts'],
  },
  {
    id: 'read-kept-while-old',
    wrong: 'what was read of a key is forgotten by a commit only if it was asked for lately',
    breaks: ['S12'],
    edits: [
      {
        file: 'src/replication/read-cache.ts',
        from: '    this.#young.delete(key);\n    this.#old.delete(key);\n',
        to: '    this.#young.delete(key);\n',
      },
    ],
    tests: ['test/unit/replication-read-cache.test.ts'],
  },
  {
    id: 'condition-on-stored-data',
    wrong: 'a condition is judged by what is in the data, past writes that are under way',
    breaks: ['S12', 'S22'],
    edits: [
      {
        file: 'src/replication/proposals.ts',
        from: 'const newest = this.#uncommitted.get(key) ?? this.#committedVersion(key);',
        to: 'const newest = this.#committedVersion(key) ?? this.#uncommitted.get(key);',
      },
    ],
    tests: ['test/unit/replication-proposals.test.ts'],
  },
  {
    id: 'failed-condition-without-lease',
    wrong: 'an answer that changes nothing is given without a lease',
    breaks: ['S12', 'S13'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: 'if (changes || this.mayRead(this.#now)) {',
        to: 'if (changes || this.isServing) {',
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
  {
    id: 'unknown-told-as-never',
    wrong: 'a write that was sealed is refused for good when its primary ends',
    breaks: ['S21'],
    edits: [
      {
        file: 'src/replication/proposals.ts',
        from: 'const isHarmless = !written.changes || after > sealedTo;',
        to: 'const isHarmless = !written.changes || after > sealedTo - 1;',
      },
    ],
    tests: ['test/unit/replication-proposals.test.ts'],
  },
  {
    id: 'committed-forgotten-early',
    wrong: 'a committed write is forgotten when its batch is filled, before the data has it',
    breaks: ['S13'],
    edits: [
      {
        file: 'src/replication/proposals.ts',
        from: 'if (write.seq <= seq) this.#committed.delete(key);',
        to: 'if (write.seq <= seq + 1) this.#committed.delete(key);',
      },
    ],
    tests: ['test/unit/replication-proposals.test.ts'],
  },
  {
    id: 'chain-of-last-entry-only',
    wrong: 'the chain of an entry does not cover the one before it',
    breaks: ['S8'],
    edits: [
      {
        file: 'src/replication/entry.ts',
        from: "return hash('sha256', bytes, 'hex').slice(0, 2 * CHAIN_BYTES) as Chain;",
        to: "return hash('sha256', bytes.subarray(OPS_AT), 'hex').slice(0, 2 * CHAIN_BYTES) as Chain;",
      },
    ],
    tests: ['test/unit/replication-log.test.ts'],
  },
  {
    id: 'failed-install-forgotten',
    wrong: 'data of a last copy that was damaged when a learner was to get it is never sent again',
    breaks: ['L2'],
    edits: [
      {
        file: 'src/storage/install-sender.ts',
        from: 'if (!sending.isOver) this.#deps.installFailed(replica, to, attachNumber);',
        to: 'if (sending.sent < 0) this.#deps.installFailed(replica, to, attachNumber);',
      },
    ],
    tests: ['test/unit/storage-install-sender.test.ts'],
  },
  {
    id: 'slow-install-begun-for-ever',
    wrong: 'a learner that needs longer for the first of all data is asked again each time',
    breaks: ['L2'],
    edits: [
      {
        file: 'src/replication/peers.ts',
        from: 'Math.max(this.#settings.installAgainMs, wentWellMs, peer.stalledMs);',
        to: 'Math.max(this.#settings.installAgainMs, wentWellMs);',
      },
    ],
    tests: ['test/unit/replication-stalled-installs.test.ts'],
  },
  {
    id: 'asked-again-for-ever',
    wrong: 'a learner that never has any of what it is sent is not given up, but asked again',
    breaks: ['L2'],
    edits: [
      {
        file: 'src/replication/in-sync-set.ts',
        from: 'const stuckFor = peer.stalledMs + this.stuckFor(peer, now);',
        to: 'const stuckFor = this.stuckFor(peer, now);',
      },
    ],
    tests: ['test/unit/replication-stalled-installs.test.ts'],
  },
  {
    id: 'install-of-nobody-goes-on',
    wrong: 'a shard is sent on to a learner that is to get it from somebody else by now',
    breaks: ['L5'],
    edits: [
      {
        file: 'src/storage/install-sender.ts',
        from: "if (replica.primary?.peer(to)?.phase !== 'installing') this.#stop(key);",
        to: 'if (replica.body.shard < 0) this.#stop(key);',
      },
    ],
    tests: ['test/unit/storage-install-sender.test.ts'],
  },
  {
    id: 'log-not-kept-for-those-behind',
    wrong: 'a log is cut back to its tail while a replica is behind that may come back for more',
    breaks: ['L2'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: 'this.#body.setBehind(this.#update.config.learners.length > 0);',
        to: 'this.#body.setBehind(false);',
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
  {
    id: 'followers-forget-by-themselves',
    wrong: 'a secondary forgets what its primary keeps for a replica that is behind',
    breaks: ['L2'],
    edits: [
      {
        file: 'src/replication/follower.ts',
        from: 'this.#body.mayForget(baseSeq);',
        to: 'this.#body.mayForget(commitSeq > baseSeq ? commitSeq : baseSeq);',
      },
    ],
    tests: ['test/unit/replication-follower.test.ts'],
  },
  {
    id: 'followers-forget-nothing',
    wrong: 'a secondary does not hear what its primary keeps no longer',
    breaks: ['L5'],
    edits: [
      {
        file: 'src/replication/follower.ts',
        from: 'this.#body.mayForget(baseSeq);',
        to: 'void baseSeq;',
      },
    ],
    tests: ['test/unit/replication-follower.test.ts'],
  },
  {
    id: 'long-log-waits-for-writes',
    wrong: 'a log that nobody needs stays as it is while nothing is written',
    breaks: ['L5'],
    edits: [
      {
        file: 'src/replication/shard-replica.ts',
        from: '        this.#body.trimSoon();\n',
        to: '',
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
];
