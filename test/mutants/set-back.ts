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
        from: ' || config.isr.some(mayBeComing);',
        to: ' || config.isr.every(mayBeComing);',
      },
    ],
    tests: FAILOVER,
  },
  {
    id: 'registration-of-the-dead-believed',
    wrong:
      'a node is there for a new leader if a process before the one that answers is registered',
    breaks: ['S1', 'S6'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: 'this.#nodes?.has(node) === true && !this.#replaced.has(node);',
        to: 'this.#nodes?.has(node) === true;',
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
        from: 'config.isr.filter((node) => node === config.primary || change.inSync.includes(node))',
        to: 'config.isr.filter((node) => node !== undefined)',
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
        from: "if (this.#writing.has(shard) && change.type !== 'set-back') return;",
        to: 'if (this.#writing.has(shard)) return;',
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
        from: 'this.#reports.met(shardUuid, epoch);',
        to: 'this.#reports.met(shardUuid, config.epoch);',
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
        file: 'src/control/controller.ts',
        from: 'this.#onRequested({ shard, shardUuid, epoch, basedOn: known.version, change });',
        to: 'this.#onRequested({ shard, shardUuid, epoch, basedOn: version - 1, change });',
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
        from: 'if (stored.config.nonce === change.nonce) this.#changed.push(stored);',
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
        from: "if (state === 'connected') void this.#readShards(this.#shards);",
        to: "if (state === 'lost') void this.#readShards(this.#shards);",
      },
    ],
    tests: ['test/unit/router-leadership.test.ts'],
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
    tests: ['test/unit/router-leadership.test.ts'],
  },
  {
    id: 'asked-once-whether-set-back',
    wrong: 'a primary that hears of another configuration of its epoch asks once',
    breaks: ['L2'],
    edits: [
      {
        file: 'src/replication/primary.ts',
        from: 'this.#inSync.heardOther();\n    this.#askAnew();',
        to: 'this.#inSync.heardOther();\n    this.#askAnew();\n    this.#hearsOther = false;',
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
        from: 'if (this.#hearsOther) this.#inSync.heardOther();',
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
        to: 'found === undefined;',
      },
    ],
    tests: ['test/unit/storage-role.test.ts'],
  },
];
