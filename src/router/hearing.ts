/**
 * What a leader makes of what its members say, and of their silence: inputs for the controller.
 *
 * Only the primary may ask for changes of its isr or say that it stepped down, and that is whom the
 * configuration names, as this leader knows it. Whether it speaks of the present epoch is for the
 * controller to judge. Somebody else's word is dropped without an answer: a primary repeats what
 * matters, and a leader that has read too little to tell will have read it by then.
 */
import type { Controller } from '../control/controller.js';
import { unreachable } from '../model/assert.js';
import type { LeaderEpoch, MemberId } from '../model/ids.js';
import type { Leaving, NodeWord, ProgressReport, ReplicaEntry } from '../model/member-messages.js';
import type { ShardMap } from '../model/shard-map.js';
import type { Log } from '../ports/log.js';
import type { HandOverCalls } from './hand-over-calls.js';
import type { Learning } from './learning.js';
import { SUSPECT_MS, type Suspicion } from './liveness.js';
import type { MemberEvents, NodeProcess } from './member-links.js';

const SUSPICIONS: Readonly<Record<Suspicion, string>> = {
  refused: 'its port refuses connections',
  silent: `it has said nothing for ${SUSPECT_MS} ms`,
};

/** What only the primary of a shard may say. */
type PrimaryWord = Exclude<NodeWord, Leaving | ProgressReport>;

export interface HearingDeps {
  readonly controller: Controller;
  readonly map: ShardMap;
  readonly handOvers: HandOverCalls;
  readonly learning: Learning;
  readonly log: Log;
  /** The controller was fed: there may be something to carry out. */
  readonly fed: () => void;
  /** A member has heard of this later leader. */
  readonly laterLeader: (leaderEpoch: LeaderEpoch) => void;
}

export class Hearing implements MemberEvents {
  readonly #deps: HearingDeps;

  constructor(deps: HearingDeps) {
    this.#deps = deps;
  }

  replicas(
    { id, process }: NodeProcess,
    replicas: readonly ReplicaEntry[],
    isRegistered: boolean,
  ): void {
    const { controller, fed } = this.#deps;
    if (isRegistered) controller.step({ type: 'spoken', node: id });
    controller.step({ type: 'reported', replicas });
    controller.step({ type: 'accounted', process });
    fed();
  }

  said(node: MemberId, word: NodeWord): void {
    const { controller, learning, fed } = this.#deps;
    if (word.type === 'progress') return learning.heard(node, word);
    if (word.type === 'leaving') controller.step({ type: 'leaving', node });
    else if (this.#isFromPrimary(node, word)) this.#onPrimary(node, word);
    else return;
    fed();
  }

  suspected({ id, address, process }: NodeProcess, why: Suspicion): void {
    const { controller, log, fed } = this.#deps;
    log.warn(`storage node ${id} is suspected: ${SUSPICIONS[why]}`, { address });
    controller.step({ type: 'suspected', node: id, process });
    fed();
  }

  replaced({ id, address, process }: NodeProcess): void {
    const { controller, log, fed } = this.#deps;
    log.info(`storage node ${id} was started again, and has not registered yet`, { address });
    controller.step({ type: 'replaced', node: id, process });
    fed();
  }

  heardAgain({ id, address, process }: NodeProcess): void {
    const { controller, log, fed } = this.#deps;
    log.info(`storage node ${id} is heard again`, { address });
    controller.step({ type: 'heard', node: id, process });
    fed();
  }

  laterLeader(leaderEpoch: LeaderEpoch): void {
    this.#deps.laterLeader(leaderEpoch);
  }

  #isFromPrimary(node: MemberId, word: PrimaryWord): boolean {
    const { shard } = word.type === 'request' ? word.request : word;
    return this.#deps.map.config(shard)?.primary === node;
  }

  #onPrimary(node: MemberId, word: PrimaryWord): void {
    const { controller, map, handOvers, log } = this.#deps;
    switch (word.type) {
      case 'request': {
        const { request } = word;
        const { shard, epoch, change } = request;
        log.debug(`shard ${shard}: ${node} asks for ${change.type}`, { epoch });
        return controller.step({ type: 'requested', request });
      }
      case 'stepped-down': {
        const { shard, shardUuid, epoch, to } = word;
        if (map.config(shard)?.shardUuid !== shardUuid) return;
        handOvers.done(shard, epoch);
        return controller.step({ type: 'stepped-down', shard, epoch, to });
      }
      case 'hand-over-failed': {
        const { shard, epoch, why } = word;
        log.debug(`shard ${shard}: ${node} does not hand over`, { epoch, why });
        return handOvers.failed(shard, epoch);
      }
      default:
        return unreachable(word);
    }
  }
}
