/** Planted bugs in read leases and in what a restart forgets of them. */
import type { Mutant } from './mutant.js';

export const LEASE_MUTANTS: readonly Mutant[] = [
  {
    id: 'grace-shorter-than-lease',
    wrong: 'a grantor keeps its promise for half the lease that the holder counts on',
    breaks: ['S14'],
    edits: [
      {
        file: 'src/replication/lease.ts',
        from: 'return leaseMs * (1 + driftMax) + marginMs;',
        to: 'return (leaseMs * (1 + driftMax) + marginMs) / 2;',
      },
    ],
    tests: ['test/unit/replication-lease.test.ts'],
  },
  {
    id: 'no-drift-in-promise',
    wrong: 'a promise lasts exactly as long as the lease, as if clocks ran alike',
    breaks: ['S14'],
    edits: [
      {
        file: 'src/replication/lease.ts',
        from: 'return leaseMs * (1 + driftMax) + marginMs;',
        to: 'return leaseMs + 0 * (driftMax + marginMs);',
      },
    ],
    tests: ['test/unit/replication-lease.test.ts'],
  },
  {
    id: 'lease-from-receipt',
    wrong: 'the holder counts its lease from when the answer came, not from when the beat was sent',
    breaks: ['S14'],
    edits: [
      {
        file: 'src/storage/replication-peer.ts',
        from: 'if (sentAt !== undefined) events.answered(node, sentAt);',
        to: 'if (sentAt !== undefined) events.answered(node, this.#deps.clock.now());',
      },
    ],
    tests: ['test/unit/storage-replication-peer.test.ts'],
  },
  {
    id: 'wall-clock',
    wrong: 'leases and deadlines are counted on the wall clock, which may be set',
    breaks: ['S14'],
    edits: [
      {
        file: 'src/system/clock.ts',
        from: 'now: () => performance.now(),',
        to: 'now: () => Date.now(),',
      },
    ],
    tests: ['test/unit/system-clock.test.ts'],
  },
  {
    id: 'restart-forgets-promises',
    wrong: 'a process that starts does not wait for the promises of its earlier lives',
    breaks: ['S11', 'S14'],
    edits: [
      {
        file: 'src/replication/lease.ts',
        from: 'return this.#startedAt + promiseMs(this.#settings);',
        to: 'return this.#startedAt;',
      },
    ],
    tests: ['test/unit/replication-lease.test.ts'],
  },
  {
    id: 'served-is-not-forgotten',
    wrong:
      'a replica that once served never waits for earlier lives, although it has promised since',
    breaks: ['S14'],
    edits: [
      {
        file: 'src/replication/replica-body.ts',
        from: `    this.#promisedEpoch = epoch;
    this.#hasServed = false;`,
        to: '    this.#promisedEpoch = epoch;',
      },
    ],
    tests: ['test/unit/replication-shard-replica.test.ts'],
  },
  {
    id: 'promise-dies-with-follower',
    wrong: 'what was promised to the primary before is forgotten when another one attaches',
    breaks: ['S11', 'S14'],
    edits: [
      {
        file: 'src/replication/shard-replica.ts',
        from: 'if (until > this.#promisedUntil) this.#promisedUntil = until;',
        to: 'if (until < this.#promisedUntil) this.#promisedUntil = until;',
      },
    ],
    tests: ['test/unit/replication-shard-replica.test.ts'],
  },
  {
    id: 'no-wait-for-promise',
    wrong: 'a new primary serves although its own promise to the one before still holds',
    breaks: ['S11', 'S14'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: 'const isAlone = this.#now >= this.#promisedUntil && !this.#handOver.hasSteppedDown;',
        to: 'const isAlone = !this.#handOver.hasSteppedDown;',
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
  {
    id: 'detached-keeps-lease',
    wrong: 'beats of a node count for a shard whose replica there follows somebody else',
    breaks: ['S14'],
    edits: [
      {
        file: 'src/replication/peer.ts',
        from: 'return this.isAttached ? claimUntil : this.#claimUntil;',
        to: 'return claimUntil;',
      },
    ],
    tests: ['test/unit/replication-lease.test.ts'],
  },
  {
    id: 'read-without-lease',
    wrong: 'a primary answers reads whether it has a lease or not',
    breaks: ['S13', 'S14'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: 'return this.isServing && now < this.leaseUntil;',
        to: 'return this.isServing;',
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
  {
    id: 'lease-checked-before-read',
    wrong: 'whether a read may be answered is asked before the value is read',
    breaks: ['S13'],
    edits: [
      {
        file: 'src/storage/reads.ts',
        from: `    let record: StoredRecord | undefined;
    try {`,
        to: `    let record: StoredRecord | undefined;
    const admission = replicas.admission(shard, 'read', epoch, clock.now());
    try {`,
      },
      {
        file: 'src/storage/reads.ts',
        from: `    const admission = replicas.admission(shard, 'read', epoch, clock.now());
    if (admission === 'later') return 'later';`,
        to: "    if (admission === 'later') return 'later';",
      },
    ],
    tests: ['test/unit/storage-node.test.ts', 'test/unit/storage-reads.test.ts'],
  },
  {
    id: 'lease-ignores-joining',
    wrong: 'a learner that was proposed for the isr is not asked for its lease',
    breaks: ['S7', 'S14'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: `    for (const node of this.#inSync.commitSet()) {
      if (node === this.#self) continue;
      const claim`,
        to: `    for (const node of this.#update.config.isr) {
      if (node === this.#self) continue;
      const claim`,
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts', 'test/unit/replication-primary.test.ts'],
  },
  {
    id: 'beat-without-promise',
    wrong: 'a beat is answered without a promise being kept',
    breaks: ['S14'],
    edits: [
      {
        file: 'src/storage/replication-inlet.ts',
        from: '        grants.grant(caller, clock.now());\n',
        to: '        void [grants, clock];\n',
      },
    ],
    tests: ['test/unit/storage-replication-inlet.test.ts'],
  },
  {
    id: 'sleep-not-in-margin',
    wrong: 'a promise does not outlast the lease by what its holder may sleep without seeing it',
    breaks: ['S14'],
    edits: [
      {
        file: 'src/storage/replica-settings.ts',
        from: 'marginMs: UNSEEN_SLEEP_MS + ROUNDING_MS,',
        to: 'marginMs: ROUNDING_MS + 0 * UNSEEN_SLEEP_MS,',
      },
    ],
    tests: ['test/unit/storage-wakefulness.test.ts'],
  },
  {
    id: 'sleep-while-reading-missed',
    wrong: 'whether the system slept is asked before values are read, and not after',
    breaks: ['S13', 'S14'],
    edits: [
      {
        file: 'src/storage/reads.ts',
        from: 'const now = clock.now();\n    const answers',
        to: 'const now = clock.now();\n    wakefulness.look();\n    const answers',
      },
      {
        file: 'src/storage/reads.ts',
        from: 'else if (wakefulness.look()) {',
        to: 'else if (bytes < 0) {',
      },
    ],
    tests: ['test/unit/storage-reads.test.ts'],
  },
  {
    id: 'short-sleeps-forgotten',
    wrong: 'a sleep too short to be seen is forgotten, so that many of them are never seen',
    breaks: ['S14'],
    edits: [
      {
        file: 'src/storage/wakefulness.ts',
        from: '    if (sleptMs >= 0 && sleptMs <= UNSEEN_SLEEP_MS) return false;\n    const',
        to: `    if (sleptMs >= 0 && sleptMs <= UNSEEN_SLEEP_MS) {
      this.#leastAhead = Math.max(this.#leastAhead, least);
      return false;
    }
    const`,
      },
    ],
    tests: ['test/unit/storage-wakefulness.test.ts'],
  },
];
