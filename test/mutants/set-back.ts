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
        from: "if (epoch !== config.epoch || state !== 'active') return;",
        to: "if (epoch === config.epoch || state !== 'active') return;",
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
    id: 'not-read-again-on-connect',
    wrong: 'a leader goes by the map in its memory, although ZooKeeper was set back meanwhile',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/router/leadership.ts',
        from: 'this.#trust.connected(this.#deps.clock.now());\n      void this.#readMap();',
        to: 'this.#trust.connected(this.#deps.clock.now());',
      },
    ],
    tests: ['test/unit/router-leading-set-back.test.ts'],
  },
  {
    id: 'told-what-was-heard',
    wrong: 'a leader tells configurations that it has heard of, whatever ZooKeeper has',
    breaks: ['L2'],
    edits: [
      {
        file: 'src/router/leadership.ts',
        from: 'shards: this.#controller.configs,',
        to: 'shards: [...deps.map.map.shards.values()],',
      },
    ],
    tests: ['test/unit/router-leading-set-back.test.ts'],
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
    id: 'heard-before-forgotten',
    wrong: 'a router forgets what it has heard of the map when it begins to lead',
    breaks: ['S1', 'S6'],
    edits: [
      {
        file: 'src/router/leadership.ts',
        from: "this.#controller.step({ type: 'remembered', known });",
        to: "if (known.version < 0) this.#controller.step({ type: 'remembered', known });",
      },
    ],
    tests: ['test/unit/router-leading-set-back.test.ts'],
  },
  {
    id: 'new-connection-trusted',
    wrong:
      'a leader that has lost its connection to ZooKeeper takes what it finds then for the latest',
    breaks: ['S1', 'S6'],
    edits: [
      {
        file: 'src/router/trust.ts',
        from: 'if (!this.#isWaiting) this.#wait();',
        to: 'if (!this.#isWaiting && !this.#hasMemory) this.#wait();',
      },
    ],
    tests: ['test/unit/router-trust.test.ts'],
  },
  {
    id: 'old-connection-distrusted',
    wrong: 'a leader waits for members although its connection is older than any set-back',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/router/trust.ts',
        from: 'const untilMs = this.#connectedAt + oldAfterMs(sessionTimeoutMs);',
        to: 'const untilMs = Math.max(this.#connectedAt, clock.now()) + oldAfterMs(sessionTimeoutMs);',
      },
    ],
    tests: ['test/unit/router-trust.test.ts'],
  },
  {
    id: 'read-behind-a-write-believed',
    wrong: 'a leader believes what it had asked for before it wrote, if the answer comes after',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/router/leadership.ts',
        from: 'if (stored === undefined || this.#writes.get(shard) !== writes) return;',
        to: 'if (stored === undefined || (writes ?? 0) < 0) return;',
      },
    ],
    tests: ['test/unit/router-leading-set-back.test.ts'],
  },
  {
    id: 'waits-anew-with-each-connection',
    wrong: 'a leader waits for members for ever, if its connection breaks often enough',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/router/trust.ts',
        from: 'if (!this.#isWaiting) this.#wait();',
        to: 'this.#wait();',
      },
    ],
    tests: ['test/unit/router-trust.test.ts'],
  },
  {
    id: 'older-map-believed',
    wrong: 'a leader that finds less than it knew goes on as if it were the latest',
    breaks: ['S1', 'S6'],
    edits: [
      {
        file: 'src/router/trust.ts',
        from: 'this.#hasMemory = false;',
        to: '',
      },
    ],
    tests: ['test/unit/router-trust.test.ts'],
  },
  {
    id: 'memory-forgotten',
    wrong: 'a leader waits for members with each new connection, whatever it knew before',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/router/trust.ts',
        from: 'if (this.#hasMemory) this.#isOver = true;',
        to: '',
      },
    ],
    tests: ['test/unit/router-trust.test.ts'],
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
    id: 'spoken-not-noticed',
    wrong: 'a leader waits on although every member that the map names has spoken',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/router/leadership.ts',
        from: 'this.#trust.allHaveSpoken();',
        to: '',
      },
    ],
    tests: ['test/unit/router-leading-replicas.test.ts'],
  },
  {
    id: 'created-over-memory',
    wrong: 'a leader that knows a shard to have served creates it, if ZooKeeper does not have it',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: 'return this.#reports.hasServed(shard) || this.#memory.hasServed(shard);',
        to: 'return this.#reports.hasServed(shard);',
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
        to: "const isBeingCreated = state === 'creating' && hasServed && !this.#memory.hasServed(shard);",
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
        from: 'return later(later(this.#said.of(of), reported), this.#remembered.of(of));',
        to: 'return this.#remembered.of(of) ?? later(this.#said.of(of), reported);',
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
        from: 'return later(later(this.#said.of(of), reported), this.#remembered.of(of));',
        to: 'return later(this.#said.of(of), reported) ?? this.#remembered.of(of);',
      },
    ],
    tests: SET_BACK,
  },
  {
    id: 'unread-map-trusted',
    wrong: 'a leader trusts a map that it has not read over this connection, when its wait is over',
    breaks: ['S1', 'S6'],
    edits: [
      {
        file: 'src/router/trust.ts',
        from: 'if (!this.#isWaiting || !this.#isOver || !this.#isRead) return;',
        to: 'if (!this.#isWaiting || !this.#isOver) return;',
      },
    ],
    tests: ['test/unit/router-trust.test.ts'],
  },
  {
    id: 'found-late-is-ignored',
    wrong: 'a leader that finds less than it knew at the end of its wait waits no longer for that',
    breaks: ['S1', 'S6'],
    edits: [
      {
        file: 'src/router/trust.ts',
        from: 'this.#hasMemory = false;\n    this.#wait();',
        to: 'this.#hasMemory = false;\n    if (!this.#isWaiting) this.#wait();',
      },
    ],
    tests: ['test/unit/router-trust.test.ts'],
  },
  {
    id: 'past-set-back-counts',
    wrong: 'a leader waits with each new connection because a znode was missing once, long ago',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/router/leadership.ts',
        from: 'if (this.#controller.setBacks > setBacks) this.#trust.foundOlder();',
        to: 'if (this.#controller.setBacks > 0) this.#trust.foundOlder();',
      },
    ],
    tests: ['test/unit/router-leading-set-back.test.ts'],
  },
  {
    id: 'unread-map-remembered',
    wrong: 'a router takes the map that it has not read yet for one that it can compare',
    breaks: ['S1', 'S6'],
    edits: [
      {
        file: 'src/router/map-memory.ts',
        from: 'if (this.#isOld && this.#isRead) this.#isTrusted = true;',
        to: 'if (this.#isOld) this.#isTrusted = true;',
      },
    ],
    tests: ['test/unit/router-map-memory.test.ts'],
  },
  {
    id: 'age-of-connections-added-up',
    wrong: 'a router counts the age of a connection from the one before',
    breaks: ['S1', 'S6'],
    edits: [
      {
        file: 'src/router/map-memory.ts',
        from: 'this.#stopGrowingOld();',
        to: '',
      },
    ],
    tests: ['test/unit/router-map-memory.test.ts'],
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
    id: 'found-older-decided-by',
    wrong: 'a leader decides by what it reads before it looks whether that is older than it knew',
    breaks: ['S1', 'S6'],
    edits: [
      {
        file: 'src/router/leadership.ts',
        from: 'if (this.#controller.setBacks > setBacks) this.#trust.foundOlder();',
        to: '',
      },
    ],
    tests: ['test/unit/router-leading-set-back.test.ts'],
  },
  {
    id: 'stopped-has-read',
    wrong: 'a leader that stops while it reads the map has read it',
    breaks: ['S1', 'S6'],
    edits: [
      {
        file: 'src/router/leadership.ts',
        from: 'if (this.#stopped) return; // What was not read tells nothing.',
        to: '',
      },
      { file: 'src/router/leadership.ts', from: 'this.#trust.stop();', to: '' },
    ],
    tests: ['test/unit/router-leading-set-back.test.ts'],
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
];
