/** Planted bugs in what is written to ZooKeeper, in the wrapper of its client, and in routers. */
import type { Mutant } from './mutant.js';

const ELECTION = ['test/unit/coordination-recipes.test.ts'];
const WRITES = ['test/unit/coordination-writes.test.ts'];

export const COORDINATION_MUTANTS: readonly Mutant[] = [
  {
    id: 'plain-writes-of-leader',
    wrong: 'a leader writes without checking that the leaderEpoch is still its own',
    breaks: ['S17'],
    edits: [
      {
        file: 'src/coordination/compare-and-set.ts',
        from: 'const written = await writeOnce(session, [fence, ...ops]);',
        to: 'const written = await writeOnce(session, fence.version < 0 ? [fence] : ops);',
      },
    ],
    tests: WRITES,
  },
  {
    id: 'version-zero-is-any',
    wrong: 'a check of version 0 is sent as one of any version (as `version || -1` does)',
    breaks: ['S17'],
    edits: [
      {
        file: 'src/zookeeper/requests.ts',
        from: "return { type: opCode('CHECK'), path: op.path, version: exact(op.version) };",
        to: "return { type: opCode('CHECK'), path: op.path, version: exact(op.version) || -1 };",
      },
    ],
    tests: ['test/conformance/zookeeper.test.ts', 'test/unit/zookeeper-requests.test.ts'],
  },
  {
    id: 'lost-answer-is-failure',
    wrong: 'a write whose answer was lost is taken for one that did not happen',
    breaks: ['S21'],
    edits: [
      {
        file: 'src/coordination/compare-and-set.ts',
        from: "if (found === 'there') return { status: 'ok', value: undefined };",
        to: "if (found === 'there') return { status: 'failed', code: 'refused', message: 'lost' };",
      },
    ],
    tests: WRITES,
  },
  {
    id: 'lost-write-sent-again',
    wrong: 'a write whose answer was lost is sent again without looking whether it happened',
    breaks: ['S21'],
    edits: [
      {
        file: 'src/coordination/compare-and-set.ts',
        from: 'const found = await lookFor(session, witness);',
        to: "const found = ATTEMPTS < 0 ? await lookFor(session, witness) : 'absent';",
      },
    ],
    tests: WRITES,
  },
  {
    id: 'look-without-barrier',
    wrong: 'whether a write happened is read from a server that may be behind',
    breaks: ['S21'],
    edits: [
      {
        file: 'src/coordination/compare-and-set.ts',
        from: "  if (barrier.status !== 'ok') return 'unclear';\n",
        to: '',
      },
      {
        file: 'src/coordination/compare-and-set.ts',
        from: '  const barrier = await session.barrier();\n',
        to: '',
      },
    ],
    tests: WRITES,
  },
  {
    id: 'office-without-candidacy',
    wrong: 'a router takes the leaderEpoch although its candidacy is gone',
    breaks: ['S17'],
    edits: [
      {
        file: 'src/coordination/leader-epoch.ts',
        from: "    { type: 'check', path: candidateZnode(candidate), version: 0 },\n",
        to: '',
      },
      {
        file: 'src/coordination/leader-epoch.ts',
        from: "import { candidateZnode, ZNODES } from '../model/znodes.js';",
        to: "import { ZNODES } from '../model/znodes.js';",
      },
    ],
    tests: ELECTION,
  },
  {
    id: 'leader-epoch-from-znode-only',
    wrong: 'a new leaderEpoch may be below one that members have heard (ZooKeeper set back)',
    breaks: ['S17'],
    edits: [
      {
        file: 'src/coordination/leader-epoch.ts',
        from: 'Math.max(before.value.record.leaderEpoch, above) + 1',
        to: 'Math.max(before.value.record.leaderEpoch, above - above) + 1',
      },
    ],
    tests: [...ELECTION, 'test/unit/router-candidacy.test.ts'],
  },
  {
    id: 'own-candidate-by-name',
    wrong: "a candidate znode of an earlier session is taken for this session's own",
    breaks: ['S17'],
    edits: [
      {
        file: 'src/coordination/protected-create.ts',
        from: 'if (read.value.stat.owner === session.id && own === undefined) own = name;',
        to: 'if (own === undefined) own = name;',
      },
    ],
    tests: ELECTION,
  },
  {
    id: 'own-registration-by-name',
    wrong: "a registration of an earlier session of this process is taken for this session's own",
    breaks: ['S16'],
    edits: [
      {
        file: 'src/coordination/registration.ts',
        from: 'if (isOurs && stat.owner === session.id) return registered(stat.czxid);',
        to: 'if (isOurs) return registered(stat.czxid);',
      },
    ],
    tests: ['test/unit/coordination-registration.test.ts'],
  },
  {
    id: 'copied-directory-replaces',
    wrong: 'a node with a copy of our data directory is removed from ZooKeeper while it lives',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/coordination/registration.ts',
        from: 'if (hasOurStore && record.address === this.#record.address) {',
        to: 'if (hasOurStore && record.address !== undefined) {',
      },
    ],
    tests: ['test/unit/coordination-registration.test.ts'],
  },
  {
    id: 'queued-requests-sent-later',
    wrong: 'requests that are made without a connection wait, and are sent on the next one',
    breaks: ['S17', 'S21'],
    edits: [
      {
        file: 'src/zookeeper/link.ts',
        from: "    if (!this.isConnected) return Promise.resolve(failed('not-connected', 'no connection'));\n",
        to: '',
      },
    ],
    tests: ['test/fault/zookeeper-link.test.ts'],
  },
  {
    id: 'lost-connection-is-failure',
    wrong: 'a request whose connection broke is reported as definitely not done',
    breaks: ['S21'],
    edits: [
      {
        file: 'src/zookeeper/outcomes.ts',
        from: '  [CODE.notSent,',
        to: "  [CODE.connectionLoss, 'not-connected'],\n  [CODE.notSent,",
      },
    ],
    tests: ['test/fault/zookeeper-link.test.ts', 'test/conformance/zookeeper.test.ts'],
  },
  {
    id: 'barrier-reads-only',
    wrong: 'a barrier is a mere read, which a server that is behind answers at once',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/zookeeper/session.ts',
        from: 'const done = await this.#send(barrierRequest(this.#root));',
        to:
          "const done = await this.#send(this.#root === '' ? barrierRequest(this.#root) " +
          ": readRequest('exists', this.#root, false));",
      },
    ],
    tests: ['test/unit/zookeeper-requests.test.ts'],
  },
  {
    id: 'watch-set-late',
    wrong: 'a watch is registered only after the answer was handed on, and may miss its event',
    breaks: ['S17'],
    edits: [
      {
        file: 'src/zookeeper/session.ts',
        from: `      if (watch && read.status === 'ok') {
        this.#watches.add(this.#link.manager, kind, full, onMaybeChanged);
      }`,
        to: `      if (watch && read.status === 'ok') {
        setTimeout(() => this.#watches.add(this.#link.manager, kind, full, onMaybeChanged), 50);
      }`,
      },
    ],
    tests: ['test/conformance/zookeeper-watch-race.test.ts'],
  },
  {
    id: 'recovered-placement-open',
    wrong: 'a recovery makes `/shards` again as an empty znode, in which a leader creates shards',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/coordination/rebuild.ts',
        from: 'makeLayout(session, layoutOf(recordsOf(rebuilt)));',
        to: 'makeLayout(session, layoutOf());',
      },
    ],
    tests: ['test/unit/coordination-rebuild.test.ts'],
  },
  {
    id: 'recovery-beside-another',
    wrong: 'a recovery goes on writing a lost cluster that somebody else has made again meanwhile',
    breaks: ['S17', 'S19'],
    edits: [
      {
        file: 'src/coordination/rebuild.ts',
        from: 'putAll(session, part, STILL_LOST)',
        to: 'putAll(session, part, STILL_LOST.slice(2))',
      },
    ],
    tests: ['test/unit/coordination-rebuild.test.ts'],
  },
  {
    id: 'recovery-outdone-unnoticed',
    wrong: 'a write that asserts that a znode is absent is recognised by that znode, which is gone',
    breaks: ['S21'],
    edits: [
      {
        file: 'src/coordination/rebuild.ts',
        from: 'await writeOnce(session, [...ops, ...last]);',
        to: 'await writeOnce(session, [...last, ...ops]);',
      },
    ],
    tests: ['test/unit/coordination-rebuild.test.ts'],
  },
];

const DISPATCHER = ['test/unit/router-dispatcher.test.ts'];

export const ROUTER_MUTANTS: readonly Mutant[] = [
  {
    id: 'blind-retry',
    wrong: 'a write whose connection broke is sent again, although it may have been applied',
    breaks: ['S21'],
    edits: [
      {
        file: 'src/router/dispatcher.ts',
        from: `        call.linkProblem = \`\${route.node}: \${result.reason}\`;
        if (call.isWrite) {
          const message = \`shard \${route.shard}: lost`,
        to: `        call.linkProblem = \`\${route.node}: \${result.reason}\`;
        if (call.isWrite && counters.retries < 0) {
          const message = \`shard \${route.shard}: lost`,
      },
    ],
    tests: DISPATCHER,
  },
  {
    id: 'unknown-asked-again',
    wrong: 'a request is sent again after a refusal that says that it may have been applied',
    breaks: ['S21'],
    edits: [
      {
        file: 'src/routing/after-refusal.ts',
        from: "  if (refusal.outcome === 'unknown') return 'give-up';\n",
        to: '',
      },
    ],
    tests: ['test/unit/routing.test.ts'],
  },
  {
    id: 'number-used-before-answer',
    wrong: 'the number of a cancelled request is given to another one before its answer came',
    breaks: ['S12'],
    edits: [
      {
        file: 'src/router/call-numbers.ts',
        from: '    this.#calls[slot] = FORGOTTEN;\n',
        to: '    this.#calls[slot] = FREE;\n    this.#free.push(slot);\n',
      },
    ],
    tests: ['test/unit/router-call-numbers.test.ts', ...DISPATCHER],
  },
  {
    id: 'told-before-all-are-over',
    wrong: 'who hears that its request is given back can cancel one that is no longer in the queue',
    breaks: ['S21'],
    edits: [
      {
        file: 'src/router/link-call.ts',
        from: "    for (const call of calls) call.state = 'over';\n",
        to: '',
      },
    ],
    tests: ['test/unit/router-node-link.test.ts'],
  },
  {
    id: 'sent-reported-as-not-sent',
    wrong: 'requests that were written to a stream that broke come back as never sent',
    breaks: ['S21'],
    edits: [
      {
        file: 'src/router/node-link.ts',
        from: "LinkCall.endAll(sent, { type: 'lost', reason });",
        to: "LinkCall.endAll(sent, { type: 'not-sent', reason });",
      },
    ],
    tests: DISPATCHER,
  },
  {
    id: 'older-map-applied',
    wrong: 'a router takes an older configuration of a shard in place of a newer one',
    breaks: ['S23'],
    edits: [
      {
        file: 'src/model/shard-map.ts',
        from: 'if (known !== undefined && !isNewer(update, known)) return false;',
        to: 'if (known === update && !isNewer(update, known)) return false;',
      },
    ],
    tests: ['test/unit/model-shard-map.test.ts', 'test/unit/router-follower.test.ts'],
  },
  {
    id: 'epoch-not-sent',
    wrong: 'a router does not say by which epoch it routed, so a stale map is served',
    breaks: ['S23'],
    edits: [
      {
        file: 'src/routing/route.ts',
        from: "return { type: 'send', shard, epoch: config.epoch, node, address };",
        to: "return { type: 'send', shard, epoch: 0 as Epoch, node, address };",
      },
    ],
    tests: ['test/unit/routing.test.ts'],
  },
  {
    id: 'conflict-taken-for-written',
    wrong: 'a leader whose write met another version goes on as if it had been written',
    breaks: ['S7', 'S18'],
    edits: [
      {
        file: 'src/router/leadership.ts',
        from: 'if (CONFLICTS.has(outcome.code)) await this.#conflicts.pause(shards);',
        to: 'if (CONFLICTS.has(outcome.code)) return this.#onWritten(writes, configs);',
      },
    ],
    tests: ['test/unit/router-leadership.test.ts', 'test/unit/router-leading-replicas.test.ts'],
  },
  {
    id: 'later-epoch-written-over',
    wrong: 'a leader goes on although it reads what was written in a later leaderEpoch',
    breaks: ['S17'],
    edits: [
      {
        file: 'src/router/leadership.ts',
        from: 'read.config.leaderEpoch > held',
        to: 'read.config.leaderEpoch < 0',
      },
    ],
    tests: ['test/unit/router-leading-set-back.test.ts'],
  },
  {
    id: 'any-leader-epoch-believed',
    wrong: 'a damaged znode may name any leaderEpoch, and leaders go above it until none is left',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/model/ids.ts',
        from: 'return leaderEpoch - held <= LEADERS_MAX;',
        to: 'return leaderEpoch > 0 || held <= LEADERS_MAX;',
      },
    ],
    tests: ['test/unit/router-leading-set-back.test.ts', 'test/unit/control-recovery-plan.test.ts'],
  },
  {
    id: 'missing-placement-open',
    wrong: 'a leader that finds no `/shards` takes the placement for one that never was complete',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/router/map-reader.ts',
        from: "return { placement: 'complete', version: 0 };",
        to: "return { placement: 'open', version: 0 };",
      },
    ],
    tests: ['test/unit/router-leadership.test.ts'],
  },
  {
    id: 'next-life-unnoticed',
    wrong: 'a leader does not notice that a later process answers in the place of one',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/router/member-link.ts',
        from: '        else if (speaker !== undefined) this.#watch?.heardOther();\n',
        to: '',
      },
    ],
    tests: ['test/unit/router-node-watch.test.ts'],
  },
  {
    id: 'fenced-leader-goes-on',
    wrong: 'a leader whose fence does not hold reads the map again and goes on leading',
    breaks: ['S17'],
    edits: [
      {
        file: 'src/router/leadership.ts',
        from: "took the leaderEpoch', { leaderEpoch });\n        return this.#office.over(FENCED);",
        to: "took the leaderEpoch', { leaderEpoch });\n        break;",
      },
    ],
    tests: ['test/unit/router-leadership.test.ts'],
  },
  {
    id: 'dead-leader-removed-once',
    wrong: 'a dead predecessor whose removal ZooKeeper does not answer is not asked about again',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/router/predecessor-watch.ts',
        from: 'clock.after(AGAIN_MS, () => this.#watchProcess(address, version))',
        to: 'clock.after(AGAIN_MS, () => this.#forgetProcess())',
      },
    ],
    tests: ['test/unit/router-candidacy.test.ts'],
  },
];
