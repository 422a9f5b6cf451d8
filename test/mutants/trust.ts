/** Planted bugs in whether a leader goes by what it reads of ZooKeeper, and by what it remembers. */
import type { Mutant } from './mutant.js';

const TRUST = ['test/unit/router-trust.test.ts'];
const LEADING = ['test/unit/router-leading-set-back.test.ts'];
const MEMORY = ['test/unit/router-map-memory.test.ts'];

export const TRUST_MUTANTS: readonly Mutant[] = [
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
    tests: LEADING,
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
    tests: LEADING,
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
    tests: LEADING,
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
    tests: TRUST,
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
    tests: TRUST,
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
    tests: LEADING,
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
    tests: TRUST,
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
    tests: TRUST,
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
    tests: TRUST,
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
    tests: TRUST,
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
    tests: TRUST,
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
    tests: LEADING,
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
    tests: MEMORY,
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
    tests: MEMORY,
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
    tests: LEADING,
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
    tests: LEADING,
  },
  {
    id: 'forbidden-znode-waited-for',
    wrong: 'a leader waits for ever for a znode that it must not read',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/router/map-reader.ts',
        from: "if (read.status === 'failed' && read.code === 'no-auth') {",
        to: "if (read.status === 'failed' && read.code === 'too-large') {",
      },
    ],
    tests: LEADING,
  },
];
