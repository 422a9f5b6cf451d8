/** Planted bugs in what a primary makes of the other replicas, and says to them. */
import type { Mutant } from './mutant.js';

export const PEERS_MUTANTS: readonly Mutant[] = [
  {
    id: 'contradicting-member-overruled',
    wrong: 'a member that knows something else to be committed has to leave, and is overwritten',
    breaks: ['S6', 'S19'],
    edits: [
      {
        file: 'src/replication/peers.ts',
        from: 'else if (this.#inSync.hasMember(peer.node)) this.#onContradicted(peer, committed);\n',
        to: '\n',
      },
      {
        file: 'src/replication/peers.ts',
        from: 'if (this.#inSync.hasMember(peer.node)) return this.#onContradicted(peer, position);',
        to: '',
      },
    ],
    tests: ['test/unit/replication-contradicted.test.ts'],
  },
  {
    id: 'contradicting-member-dropped',
    wrong: 'a primary goes on without a member that knows something else to be committed',
    breaks: ['S6', 'S19'],
    edits: [
      {
        file: 'src/replication/in-sync-set.ts',
        from: 'if (this.#body.contradictors.has(node)) return;',
        to: '',
      },
    ],
    tests: ['test/unit/replication-contradicted.test.ts'],
  },
  {
    id: 'contradicted-goes-on',
    wrong: 'a primary commits on once a member that contradicts it had to leave',
    breaks: ['S6'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: 'return this.#body.contradictors.size > 0;',
        to: 'return this.#body.contradictors.size < 0;',
      },
    ],
    tests: ['test/unit/replication-contradicted.test.ts'],
  },
  {
    id: 'contradicting-data-replaced',
    wrong: 'a primary gives all its data to a member that contradicted it and had to leave',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/replication/peers.ts',
        from: 'if (!isItsTurn || this.#body.contradictors.size > 0) {',
        to: 'if (!isItsTurn) {',
      },
    ],
    tests: ['test/unit/replication-contradicted.test.ts'],
  },
  {
    id: 'ack-without-chain',
    wrong: 'a primary counts an acknowledgement of another entry at the same position',
    breaks: ['S4', 'S8'],
    edits: [
      {
        file: 'src/replication/peers.ts',
        from: 'if (!isTrimmed && own?.chain !== position.chain) return this.#onDiverged(peer, position);',
        to: 'if (!isTrimmed && own === undefined) return this.#onDiverged(peer, position);',
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
  {
    id: 'attach-before-durable',
    wrong: 'a primary speaks in its epoch before that is durable',
    breaks: ['S1', 'S2'],
    edits: [
      {
        file: 'src/replication/peers.ts',
        from: "if (peer.phase !== 'down' || this.#body.durableEpoch !== this.#epoch) return;",
        to: "if (peer.phase !== 'down') return;",
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
  {
    id: 'barrier-sent-twice',
    wrong: 'what was sent ahead to a replica that follows at once is sent again',
    breaks: ['S8'],
    edits: [
      {
        file: 'src/replication/peer.ts',
        from: 'if (!follows) this.sentSeq = match.seq;',
        to: 'this.sentSeq = match.seq;',
      },
    ],
    tests: ['test/scenario/replication.test.ts'],
  },
  {
    id: 'answer-to-earlier-attach',
    wrong: 'what answers an earlier attach counts for a later one',
    breaks: ['S8'],
    edits: [
      {
        file: 'src/replication/peers.ts',
        from: "if (peer.phase !== 'attaching' || number !== peer.attachNumber) return;",
        to: "if (peer.phase !== 'attaching' || number > peer.attachNumber) return;",
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
  {
    id: 'durable-of-before-kept',
    wrong: 'what a replica acknowledged before its data was set aside counts when it comes back',
    breaks: ['S4', 'S16'],
    edits: [
      {
        file: 'src/replication/peer.ts',
        from: '    this.#durable = match;\n',
        to: '    this.acknowledge(match);\n',
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts'],
  },
  {
    id: 'catch-up-unbounded',
    wrong: 'a node that comes back behind in many shards is sent all of it at once, and again',
    breaks: ['L2'],
    edits: [
      {
        file: 'src/replication/shipping.ts',
        from: 'if (!isAwaited && this.#catchUps.isFull(peer.node)) {',
        to: 'if (false) {',
      },
    ],
    tests: ['test/unit/storage-catch-up.test.ts'],
  },
  {
    id: 'install-turn-lost',
    wrong: 'a learner that was away for long loses its turn to get all data as soon as it has it',
    breaks: ['L5'],
    edits: [
      {
        file: 'src/replication/peer.ts',
        from: 'this.progressAt = now;\n    this.#catchUps',
        to: 'this.#catchUps',
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
  {
    id: 'given-up-for-our-damage',
    wrong: 'a learner is given up while it waits for data of its primary that is damaged',
    breaks: ['L2'],
    edits: [
      {
        file: 'src/replication/peers.ts',
        from: 'else peer.progressAt = now; // It waits for us.',
        to: '',
      },
    ],
    tests: ['test/unit/replication-primary.test.ts'],
  },
  {
    id: 'stalled-install-left-alone',
    wrong: 'a learner to which no more of all data comes is never asked again what it holds',
    breaks: ['L2'],
    edits: [
      {
        file: 'src/replication/peers.ts',
        from: 'if (this.#hasStalled(peer, now)) this.#askAgain',
        to: 'if (this.#hasStalled(peer, now) && now < 0) this.#askAgain',
      },
    ],
    tests: ['test/unit/replication-stalled-installs.test.ts'],
  },
  {
    id: 'slow-install-cut-off',
    wrong: 'a learner that gets all data is asked again after a while, however well that goes',
    breaks: ['L2'],
    edits: [
      {
        file: 'src/replication/peers.ts',
        from: 'return this.#inSync.stuckFor(peer, now) >= boundMs;',
        to: 'return now - peer.installBeganAt >= Math.min(boundMs, this.#settings.installAgainMs);',
      },
    ],
    tests: ['test/unit/replication-stalled-installs.test.ts'],
  },
];
