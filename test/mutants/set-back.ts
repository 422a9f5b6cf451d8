/** Planted bugs in what is done about a ZooKeeper that was set back. */
import type { Mutant } from './mutant.js';

const FAILOVER = ['test/unit/control-failover.test.ts'];
const SET_BACK = ['test/unit/control-set-back.test.ts'];

export const SET_BACK_MUTANTS: readonly Mutant[] = [
  {
    id: 'decides-before-all-register',
    wrong: 'a new leader does not wait for members that may be about to register, and know more',
    breaks: ['S1', 'S6'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: 'awaited.size > 0 || nodes.some((node) => !this.#spoken.has(node));',
        to: 'awaited.size > 0 || nodes.every((node) => !this.#spoken.has(node));',
      },
    ],
    tests: FAILOVER,
  },
  {
    id: 'registration-of-the-dead-believed',
    wrong: 'a node is there if it is registered, although its process may have ended since',
    breaks: ['S1', 'S6'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: ': awaited.size > 0 || nodes.some((node) => !this.#spoken.has(node));',
        to: `: awaited.size > 0 ||
        nodes.some((node) => !this.#spoken.has(node) && this.#nodes?.has(node) !== true);`,
      },
    ],
    tests: FAILOVER,
  },
  {
    id: 'set-back-keeps-all-in-sync',
    wrong: 'members that have left the isr since ZooKeeper was backed up stay in it',
    breaks: ['S6'],
    edits: [
      {
        file: 'src/control/membership.ts',
        from: 'config.isr.filter((node) => node === config.primary || inSync.includes(node));',
        to: 'config.isr.filter((node) => node === config.primary || inSync.length > 0);',
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'set-back-dropped-while-writing',
    wrong: 'what a primary knows of an outdated ZooKeeper is not heard while its shard is written',
    breaks: ['S6'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: "if (change.type === 'set-back') return this.#onSetBack(request, change);",
        to: "if (change.type === 'set-back' && !this.#writing.has(shard)) this.#onSetBack(request, change);",
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'earlier-znode-believed',
    wrong: 'a leader that reads an earlier epoch than it knew goes on from that',
    breaks: ['S1', 'S19'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: 'if (known !== undefined) this.#reports.met(',
        to: "if (known !== undefined && stored.type !== 'config') this.#reports.met(",
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'earlier-isr-believed',
    wrong: 'a leader that reads an earlier isr of the same epoch than it knew goes on from that',
    breaks: ['S6'],
    edits: [
      {
        file: 'src/control/memory.ts',
        from: "if (epoch !== config.epoch || state !== 'active' || !isSame) return;",
        to: "if (epoch === config.epoch || state !== 'active' || !isSame) return;",
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'outdated-not-told-again',
    wrong: 'a primary that asks about what it heard late is not told what ZooKeeper has',
    breaks: ['L2'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: 'if (stored.version === version) this.#changed.push(stored);',
        to: '',
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'asked-once-whether-set-back',
    wrong: 'a primary that hears of another configuration of its epoch asks once',
    breaks: ['L2'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: 'this.#inSync.mayAskAtOnce();\n    this.#askAnew();',
        to: `this.#inSync.mayAskAtOnce();
    this.#askAnew();
    this.#isContradictedByLeader = false;`,
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts'],
  },
  {
    id: 'set-back-names-the-lacking',
    wrong: 'a primary takes whoever a configuration that was set back has in sync for complete',
    breaks: ['S6'],
    edits: [
      {
        file: 'src/replication/in-sync-set.ts',
        from: 'this.#complete = new Set(isr.filter(has));',
        to: 'this.#complete = new Set(isr.filter((node) => has(node) || node !== undefined));',
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts'],
  },
  {
    id: 'next-leader-not-asked',
    wrong: 'a primary that has just asked one leader about ZooKeeper does not ask the next one',
    breaks: ['S6'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: 'if (this.#isContradictedByLeader) this.#inSync.mayAskAtOnce();',
        to: '',
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts'],
  },
  {
    id: 'ends-beside-another-cluster',
    wrong: 'a node ends when a router makes another cluster in the place of the one that it is in',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/storage/joining.ts',
        from: 'found === undefined || (this.#hasJoined && this.#isAnother(found));',
        to: 'found === undefined || (found.shards < 0 && this.#isAnother(found));',
      },
    ],
    tests: ['test/unit/storage-role.test.ts'],
  },
  {
    id: 'made-again-taken-for-the-same',
    wrong: 'a znode that was made again as it was, at version 0, is the same to its primary',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: 'config.nonce !== ours.nonce || version < ourVersion;',
        to: 'config.nonce !== ours.nonce && version <= ourVersion;',
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts'],
  },
  {
    id: 'asked-by-what-was-left',
    wrong: 'a primary asks by the configuration it has left, whatever it goes by now',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: 'this.#isContradictedByLeader ? this.#update.config.nonce : this.#left;',
        to: 'this.#left ?? (this.#isContradictedByLeader ? this.#update.config.nonce : undefined);',
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts'],
  },
  {
    id: 'next-epoch-takes-all-for-complete',
    wrong: 'a primary forgets who lacks something when its next epoch begins',
    breaks: ['S6'],
    edits: [
      {
        file: 'src/replication/shard-replica.ts',
        from: 'before: isNext ? before.lead : undefined,',
        to: 'before: isNext ? undefined : undefined,',
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts'],
  },
  {
    id: 'lead-over-a-gap',
    wrong: 'a primary goes by who was complete in an epoch before, although others have led since',
    breaks: ['L2'],
    edits: [
      {
        file: 'src/replication/shard-replica.ts',
        from: 'before.epoch + 1 === epoch;',
        to: 'before.epoch < epoch;',
      },
    ],
    tests: ['test/unit/replication-in-sync-set.test.ts'],
  },
  {
    id: 'lead-not-reported',
    wrong: 'a node does not say what its primaries go by when it says what it holds',
    breaks: ['S6'],
    edits: [
      {
        file: 'src/storage/replicas.ts',
        from: '...(lead !== undefined && { lead }),',
        to: '',
      },
    ],
    tests: ['test/unit/storage-following.test.ts'],
  },
  {
    id: 'reported-lead-ignored',
    wrong: 'a leader waits for a primary to ask, when it has said already what it goes by',
    breaks: ['S6'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: 'return this.#memory.leadOf(config, this.#reports.leadOf(config));',
        to: 'return this.#memory.leadOf(config, undefined);',
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'alive-taken-for-spoken',
    wrong: 'a node that answers a ping has said what it holds',
    breaks: ['S1', 'S6'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: "case 'heard':\n",
        to: "case 'heard':\n        this.#spoken.add(input.node);\n",
      },
    ],
    tests: FAILOVER,
  },
  {
    id: 'known-forgotten-when-absent',
    wrong: 'a leader forgets what it knew of a shard when its znode is not there for a moment',
    breaks: ['S6'],
    edits: [
      {
        file: 'src/control/memory.ts',
        from: "if (before?.type === 'config') this.add(before);",
        to: "if (stored.type === 'config' && before?.type === 'config') this.add(before);",
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'created-over-memory',
    wrong: 'a leader that knows a shard to have served creates it, if ZooKeeper does not have it',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: 'return this.#reports.hasAnyServed(shard) || this.#memory.hasAnyServed(shard);',
        to: 'return this.#reports.hasAnyServed(shard);',
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'placed-anew-over-memory',
    wrong: 'a leader that knows a shard to have served places it anew, if ZooKeeper does not',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: "const isBeingCreated = state === 'creating' && hasServed;",
        to: "const isBeingCreated = state === 'creating' && hasServed && !this.#memory.hasAnyServed(shard);",
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'own-memory-preferred',
    wrong: 'what a leader had heard of an epoch counts more than what its primary says',
    breaks: ['S6'],
    edits: [
      {
        file: 'src/control/memory.ts',
        from: 'return later(later(said, reported), this.#remembered.of(config));',
        to: 'return this.#remembered.of(config) ?? later(said, reported);',
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'own-memory-behind',
    wrong: 'what a primary says counts, although its leader had heard of a later configuration',
    breaks: ['S6'],
    edits: [
      {
        file: 'src/control/memory.ts',
        from: 'return later(later(said, reported), this.#remembered.of(config));',
        to: 'return later(said, reported) ?? this.#remembered.of(config);',
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'led-taken-for-unserved',
    wrong: 'a shard is created anew although a node leads it, as nothing was written to it yet',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/control/reports.ts',
        from: 'if (entry.lastSeq > 0 || entry.lead !== undefined) this.#served.add(entry.shard);',
        to: 'if (entry.lastSeq > 0) this.#served.add(entry.shard);',
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'memory-of-one-being-created',
    wrong: 'a leader forgets that a shard has served when it finds another one being created',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/control/memory.ts',
        from: 'if (hasServed || (isOfShard && isEarlier(known, before))) return;',
        to: 'if (isOfShard && (hasServed || isEarlier(known, before))) return;',
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'led-but-being-created',
    wrong: 'a shard that was led in this epoch is created on, if ZooKeeper knows it as that',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/control/membership.ts',
        from: "if (isKnown && config.state === 'active') return undefined;",
        to: "if (isKnown || config.state === 'creating') return undefined;",
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'active-as-new-as-creating',
    wrong: 'recover leaves a shard that is being created, although a node knows it as active',
    breaks: ['S19', 'L2'],
    edits: [
      {
        file: 'src/control/recovery-plan.ts',
        from: 'hasServed: isWritten || hasBeenActive };',
        to: 'hasServed: isWritten || (hasBeenActive && used < 0) };',
      },
    ],
    tests: ['test/unit/control-recovery-plan.test.ts'],
  },
  {
    id: 'led-by-another',
    wrong: 'a replica is made active as another primary of its epoch was, whose data it lacks',
    breaks: ['S6', 'S19'],
    edits: [
      {
        file: 'src/control/memory.ts',
        from: "const isSame = config.state === 'active' || primary === config.primary;",
        to: 'const isSame = epoch > 0;',
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'asked-while-being-created',
    wrong: 'a shard that is being created is made active because another primary asks',
    breaks: ['S6', 'S19'],
    edits: [
      {
        file: 'src/control/memory.ts',
        from: "const said = config.state === 'active' ? this.#said.of(config) : undefined;",
        to: 'const said = this.#said.of(config);',
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'created-before-served',
    wrong: 'recover takes a shard that is being created for the one that replicas hold data of',
    breaks: ['S19', 'L2'],
    edits: [
      {
        file: 'src/control/recovery-plan.ts',
        from: 'active ?? written ?? heard[0]?.config ?? copies[0]?.held;',
        to: 'heard[0]?.config ?? active ?? written ?? copies[0]?.held;',
      },
    ],
    tests: ['test/unit/control-recovery-plan.test.ts'],
  },
  {
    id: 'used-epochs-forgotten',
    wrong: 'the next leader of a router knows nothing of epochs that the one before found used',
    breaks: ['S1', 'S6'],
    edits: [
      {
        file: 'src/router/leadership.ts',
        from: "      this.#controller.step({ type: 'met', shardUuid, epoch });\n",
        to: '      void [shardUuid, epoch];\n',
      },
    ],
    tests: ['test/unit/router-leading-replicas.test.ts'],
  },
  {
    id: 'used-epochs-not-told',
    wrong: 'a leader keeps to itself which epochs are used that ZooKeeper knows nothing of',
    breaks: ['S1', 'S6'],
    edits: [
      {
        file: 'src/router/learning.ts',
        from: 'used: this.#used.slice(0, OUTDATED_TOLD_MAX),',
        to: 'used: this.#used.slice(0, 0),',
      },
    ],
    tests: ['test/unit/router-leading-replicas.test.ts'],
  },
];
