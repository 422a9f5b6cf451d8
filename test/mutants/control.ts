/** Planted bugs in what the leader decides. */
import type { Mutant } from './mutant.js';

const FAILOVER = ['test/unit/control-failover.test.ts', 'test/unit/control-model.test.ts'];
const MEMBERSHIP = ['test/unit/control-membership.test.ts', 'test/unit/control-model.test.ts'];

export const CONTROL_MUTANTS: readonly Mutant[] = [
  {
    id: 'learner-elected',
    wrong: 'any replica that lives may become primary, in sync or not',
    breaks: ['S6', 'S15'],
    edits: [
      {
        file: 'src/control/failover.ts',
        from: "config.isr.includes(place.node) && lifeOf(place, view.alive) === 'same')",
        to: "lifeOf(place, view.alive) === 'same')",
      },
      {
        file: 'src/control/failover.ts',
        from: '...membersNow(config, view, droppedFor(primary, config, view)),',
        to: '...withMember(membersNow(config, view, droppedFor(primary, config, view)), primary),',
      },
      {
        file: 'src/control/failover.ts',
        from: 'interface Promotion {',
        to: `type Members = ReturnType<typeof membersNow>;
function withMember(members: Members, node: MemberId): Members {
  const learners = members.learners.filter((learner) => learner !== node);
  return { ...members, learners, isr: [...new Set([...members.isr, node])] };
}

interface Promotion {`,
      },
      {
        file: 'src/control/transition.ts',
        from: "assert(before.isr.includes(primary), 'S6', context);",
        to: '',
      },
      {
        file: 'src/control/transition.ts',
        from: "assert(joined.length <= (why === 'expand' ? 1 : 0), 'S7', context);",
        to: 'void why;',
      },
    ],
    tests: FAILOVER,
  },
  {
    id: 'replaced-promoted',
    wrong: 'a member becomes primary although a later process answers in its place',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/control/failover.ts',
        from: '    .filter((place) => !view.isReplaced(place))\n',
        to: '',
      },
    ],
    tests: FAILOVER,
  },
  {
    id: 'fail-over-in-same-epoch',
    wrong: 'another primary gets the epoch of the one before',
    breaks: ['S1'],
    edits: [
      {
        file: 'src/control/failover.ts',
        from: `    primary,
    epoch: nextEpoch(config),`,
        to: `    primary,
    epoch: config.epoch,`,
      },
      {
        file: 'src/control/transition.ts',
        from: "assert(isSameLife || epoch > before.epoch, 'S1', context);",
        to: 'void isSameLife;',
      },
    ],
    tests: FAILOVER,
  },
  {
    id: 'outdated-configuration-led-on',
    wrong: 'a configuration that is older than what replicas have promised is led on from',
    breaks: ['S1', 'S19'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: 'return isBeingCreated || this.#reports.highestEpoch(config) > config.epoch;',
        to: 'return isBeingCreated;',
      },
      {
        file: 'src/control/transition.ts',
        from: "  assert(view.reports.highestEpoch(before) <= before.epoch, 'S1', context);\n",
        to: '',
      },
    ],
    tests: ['test/unit/control-set-back.test.ts'],
  },
  {
    id: 'reports-not-awaited',
    wrong: 'a leader decides on a shard before its living replicas have said what they promised',
    breaks: ['S1', 'S19'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: 'return isAwaited || this.#isOutdated(config);',
        to: 'return this.#isOutdated(config) || (isAwaited && awaited.size < 0);',
      },
    ],
    tests: ['test/unit/control-set-back.test.ts'],
  },
  {
    id: 'reports-of-others-not-awaited',
    wrong: 'a new leader waits for the replicas that a configuration names, and for no others',
    breaks: ['S1', 'S19'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: ': awaited.size > 0 ||',
        to: ': config.replicas.some(({ node }) => awaited.has(node)) ||',
      },
    ],
    tests: ['test/unit/control-set-back.test.ts'],
  },
  {
    id: 'reports-not-awaited-when-late',
    wrong: 'a leader that was held up decides before it has read what nodes said',
    breaks: ['S1', 'S19'],
    edits: [
      {
        file: 'src/router/leadership.ts',
        from: 'if (isLate && mayWaitAgain) this.#awaitOnTime(due, false);',
        to: 'if (isLate && !mayWaitAgain) this.#awaitOnTime(due, false);',
      },
    ],
    tests: ['test/unit/router-leading-replicas.test.ts'],
  },
  {
    id: 'created-before-all-spoke',
    wrong: 'a shard is created although a node has not said yet whether it holds data of it',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/control/placing.ts',
        from: 'if (!mayPlace || awaited.size > 0) return undefined;',
        to: 'if (!mayPlace) return undefined;',
      },
    ],
    tests: ['test/unit/control-set-back.test.ts'],
  },
  {
    id: 'created-over-data',
    wrong: 'a shard is created although nodes hold data of one with its number',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: 'return this.#reports.hasAnyServed(shard) || this.#memory.hasAnyServed(shard);',
        to: 'return this.#memory.hasAnyServed(shard);',
      },
    ],
    tests: ['test/unit/control-set-back.test.ts'],
  },
  {
    id: 'written-while-creating-ignored',
    wrong: 'a shard that was written to is placed anew if ZooKeeper knows it as being created',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: "const isBeingCreated = state === 'creating' && hasServed;",
        to: 'const isBeingCreated = hasServed && config.epoch < 0;',
      },
      {
        file: 'src/control/transition.ts',
        from: "if (isUnserved) assert(!view.reports.hasAnyServed(draft.shard), 'S19', context);",
        to: '',
      },
    ],
    tests: ['test/unit/control-set-back.test.ts'],
  },
  {
    id: 'refused-request-hides-others',
    wrong: 'what a primary asks for last takes the place of what it asked for before',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/control/asked-changes.ts',
        from: 'this.#requests.set(about, request);',
        to: 'this.#requests.clear();\n    this.#requests.set(about, request);',
      },
    ],
    tests: ['test/unit/control-membership.test.ts'],
  },
  {
    id: 'lease-released-on-fail-over',
    wrong: 'the successor of a dead primary is told not to wait for its lease',
    breaks: ['S14'],
    edits: [
      {
        file: 'src/control/failover.ts',
        from: "{ primary, why: 'fail-over', leaseReleased: false }",
        to: "{ primary, why: 'fail-over', leaseReleased: true }",
      },
    ],
    tests: FAILOVER,
  },
  {
    id: 'old-request-granted',
    wrong: 'a primary that knows an older configuration gets what it asks for',
    breaks: ['S7'],
    edits: [
      {
        file: 'src/control/membership.ts',
        from: '!isOfEpoch(config, request) || basedOn !== version',
        to: '!isOfEpoch(config, request) || basedOn > version',
      },
    ],
    tests: MEMBERSHIP,
  },
  {
    id: 'request-of-old-epoch-granted',
    wrong: 'what the primary of an earlier epoch asks for is granted',
    breaks: ['S7', 'S16'],
    edits: [
      {
        file: 'src/control/membership.ts',
        from: 'request.shardUuid === shardUuid && request.epoch === epoch;',
        to: 'request.shardUuid === shardUuid && request.epoch <= epoch;',
      },
    ],
    tests: MEMBERSHIP,
  },
  {
    id: 'dead-primary-granted',
    wrong: 'what a primary asked for before it died is granted after',
    breaks: ['S6', 'S19'],
    edits: [
      {
        file: 'src/control/membership.ts',
        from: "  if (lifeOfPrimary(config, view) !== 'same') return undefined;\n",
        to: '',
      },
    ],
    tests: MEMBERSHIP,
  },
  {
    id: 'no-incarnation-check',
    wrong: 'a learner joins the isr by its name, although it has lost its disk since (KIP-903)',
    breaks: ['S6', 'S16'],
    edits: [
      {
        file: 'src/control/membership.ts',
        from: "if (!learners.includes(node) || !isSound || lifeOf(place, view.alive) !== 'same') {",
        to: 'if (!learners.includes(node) || (place === undefined && !isSound)) {',
      },
      {
        file: 'src/control/transition.ts',
        from: "assert(before.learners.includes(node) && isAsNamed, 'S16', context);",
        to: 'void isAsNamed;',
      },
    ],
    tests: MEMBERSHIP,
  },
  {
    id: 'replica-known-by-name',
    wrong: 'a node that comes back with an empty disk is taken for the replica it was',
    breaks: ['S6', 'S16'],
    edits: [
      {
        file: 'src/control/lives.ts',
        from: "  if (node.store !== place.store) return 'lost';\n",
        to: '',
      },
    ],
    tests: ['test/unit/control-membership.test.ts', 'test/unit/control-model.test.ts'],
  },
  {
    id: 'ancestry-not-compared',
    wrong: 'a disk that was set back counts as the replica that wrote it',
    breaks: ['S6', 'S19'],
    edits: [
      {
        file: 'src/control/lives.ts',
        from: "return node.ancestry.includes(place.process) ? 'new' : 'lost';",
        to: "return 'new';",
      },
    ],
    tests: MEMBERSHIP,
  },
  {
    id: 'disk-replaced-without-primary',
    wrong: 'a member without its data gets a new place while the shard has no primary',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/control/membership.ts',
        from: "return life === 'new' || (life === 'lost' && hasPrimary);",
        to: "return life === 'new' || life === 'lost';",
      },
      {
        file: 'src/control/membership.ts',
        from: 'const dropped = hasPrimary ? lostUnder(config.primary, config, view) : [];',
        to: 'const dropped = lostUnder(config.primary, config, view);',
      },
    ],
    tests: MEMBERSHIP,
  },
  {
    id: 'empty-map-creates-anew',
    wrong:
      'a shard whose znode is missing is created anew, empty, although nodes may hold its data',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/control/placing.ts',
        from: "const mayPlace = placement === 'open' && hasSettled",
        to: "const mayPlace = placement !== 'unread' && hasSettled",
      },
      {
        file: 'src/control/controller.ts',
        from: "(this.#placement === 'complete' || this.#hasAnyServed(shard))",
        to: 'this.#hasAnyServed(shard)',
      },
    ],
    tests: ['test/unit/control-controller.test.ts', 'test/unit/control-placing.test.ts'],
  },
  {
    id: 'garbled-map-overwritten',
    wrong: 'a shard whose znode does not parse is created anew',
    breaks: ['S19'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: "if (stored === undefined || stored.type === 'garbled') continue;",
        to: 'if (stored === undefined) continue;',
      },
      {
        file: 'src/control/controller.ts',
        from: "const isAbsent = stored.type === 'absent';",
        to: "const isAbsent = stored.type !== 'config';",
      },
      {
        file: 'src/control/placing.ts',
        from: "const mayPlace = placement === 'open' && hasSettled",
        to: "const mayPlace = placement !== 'unread' && hasSettled",
      },
    ],
    tests: ['test/unit/control-controller.test.ts'],
  },
  {
    id: 'two-changes-at-once',
    wrong: 'a shard gets a second change while one is under way',
    breaks: ['S18'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: '      if (this.#writing.has(shard)) continue;\n',
        to: '',
      },
      {
        file: 'src/control/controller.ts',
        from: "    assert(!this.#writing.has(shard), 'S18', () => ({ shard }));\n",
        to: '',
      },
    ],
    tests: ['test/unit/control-controller.test.ts', 'test/unit/control-model.test.ts'],
  },
  {
    id: 'active-before-durable',
    wrong: 'a shard is served before its members said that they hold it',
    breaks: ['S4', 'S19'],
    edits: [
      {
        file: 'src/control/placing.ts',
        from: "if (view.placement !== 'complete' || !areDurable) return undefined;",
        to: "if (view.placement !== 'complete' && !areDurable) return undefined;",
      },
    ],
    tests: ['test/unit/control-placing.test.ts', 'test/unit/control-model.test.ts'],
  },
  {
    id: 'step-down-of-old-epoch',
    wrong: 'what a primary of an earlier epoch says of stepping down is taken for the present one',
    breaks: ['S14'],
    edits: [
      {
        file: 'src/control/failover.ts',
        from: 'if (epoch !== config.epoch) return undefined;',
        to: 'if (epoch > config.epoch) return undefined;',
      },
      {
        file: 'src/control/controller.ts',
        from: 'if (stepDown !== undefined && stepDown.epoch < config.epoch) this.#stepDowns.delete(shard);',
        to: 'if (stepDown !== undefined && stepDown.epoch < config.epoch - 1) this.#stepDowns.delete(shard);',
      },
    ],
    tests: FAILOVER,
  },
  {
    id: 'epoch-unbounded',
    wrong: 'a znode may name an epoch that no entry and no frame can hold, and ends every primary',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/model/ids.ts',
        from: 'value is Epoch {\n  return isCount(value, least) && value <= EPOCH_MAX;',
        to: 'value is Epoch {\n  return isCount(value, least);',
      },
    ],
    tests: ['test/unit/model-records.test.ts', 'test/unit/control-controller.test.ts'],
  },
  {
    id: 'stranded-not-looked-at',
    wrong:
      'a leader does not look whether an operator has decided about a shard that nobody serves',
    breaks: ['L1'],
    edits: [
      {
        file: 'src/control/controller.ts',
        from: 'if (strands.length > 0) this.#stranded.add(shard);',
        to: 'if (strands.length < 0) this.#stranded.add(shard);',
      },
    ],
    tests: ['test/unit/control-failover.test.ts'],
  },
];
