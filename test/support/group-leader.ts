/**
 * The leader of a replica group: the real rules over what it happens to have noticed of nodes,
 * reports and requests, and a configuration that it changes by compare-and-set.
 */
import { Controller } from '../../src/control/controller.js';
import type { Why } from '../../src/control/draft.js';
import type { LeaderEpoch, MemberId, Uuid } from '../../src/model/ids.js';
import type { ChangeRequest } from '../../src/model/member-messages.js';
import type { Registration } from '../../src/model/registrations.js';
import { clusterOf, nodeOf } from './configs.js';
import type { GroupNode, ReplicaGroup } from './replica-group.js';

export class GroupLeader {
  readonly #group: ReplicaGroup;
  readonly #registered = new Map<MemberId, Registration>();
  readonly #suspected = new Set<Uuid>();
  #leaderEpoch = 0;
  #controller!: Controller;
  /** What it changed, and how often. */
  readonly changes = new Map<Why, number>();

  constructor(group: ReplicaGroup) {
    this.#group = group;
    this.elect();
    for (const node of group.nodes) this.notice(node);
  }

  /** Another router leads: it knows what ZooKeeper holds, and nothing else. It was long connected. */
  elect(): void {
    const { replicas, settings } = this.#group;
    const { minIsr } = settings;
    const cluster = clusterOf({ shards: 1, replicas, minIsr, initialStorage: replicas });
    this.#controller = new Controller(cluster, ++this.#leaderEpoch as LeaderEpoch);
    this.#controller.step({ type: 'placement-read', placement: 'complete' });
    this.#controller.step({ type: 'zookeeper-trusted' });
    this.#readShard();
    this.#stepNodes();
  }

  /** Sees whether a node is registered, and as what. */
  notice(node: GroupNode): void {
    const { id, store, process, incarnation } = {
      ...nodeOf(node.id),
      ...this.#group.placeOf(node),
    };
    const ancestry = node.disk.lives.slice(0, -1);
    if (!node.isUp) this.#registered.delete(id);
    else this.#registered.set(id, { ...nodeOf(id), store, process, incarnation, ancestry });
    this.#stepNodes();
  }

  /** Its own connection to the process broke. */
  suspect(node: GroupNode): void {
    this.#suspected.add(node.process);
    this.#controller.step({ type: 'suspected', node: node.id, process: node.process });
  }

  /** The process is there after all, and says what it holds. */
  hear(node: GroupNode): void {
    const { id, process, store, disk, replica } = node;
    if (replica === undefined) return;
    this.#suspected.delete(process);
    this.#controller.step({ type: 'heard', node: id, process });
    const { problem } = replica;
    if (disk.state === undefined && problem === undefined) return;
    const { shard, shardUuid, durableEpoch, durableSeq } = replica.body;
    const { openedEpoch } = node;
    const entry = {
      shard,
      shardUuid,
      store,
      epoch: durableEpoch,
      openedEpoch,
      lastSeq: durableSeq,
      ...(problem !== undefined && { problem }),
      ...(replica.lead !== undefined && { lead: replica.lead }),
    };
    this.#controller.step({ type: 'reported', replicas: [entry] });
    this.#controller.step({ type: 'spoken', node: id });
  }

  isSuspected({ process }: GroupNode): boolean {
    return this.#suspected.has(process);
  }

  /** No node came or went for a while. */
  settle(): void {
    this.#controller.step({ type: 'nodes-settled' });
  }

  request(request: ChangeRequest): void {
    this.#controller.step({ type: 'requested', request });
  }

  steppedDown(epoch: number, to: MemberId | undefined): void {
    const { shard } = this.#group.config.config;
    this.#controller.step({ type: 'stepped-down', shard, epoch: epoch as never, to });
  }

  /** Decides, and writes; `fate`: what becomes of the write. */
  decide(fate: 'written' | 'not-written' | 'answer-lost' = 'written'): void {
    const { writes } = this.#controller.takeReady();
    for (const { basedOn, draft, why } of writes) {
      const { config, version } = this.#group.config;
      if (fate === 'not-written' || basedOn !== version) {
        this.#controller.step({ type: 'not-written', shard: config.shard });
        continue;
      }
      this.changes.set(why, (this.changes.get(why) ?? 0) + 1);
      this.#group.reconfigure(draft);
      if (fate === 'answer-lost') this.#readShard();
      else this.#controller.step({ type: 'written', written: this.#group.config });
    }
  }

  #readShard(): void {
    this.#controller.step({
      type: 'shard-read',
      stored: { type: 'config', ...this.#group.config },
    });
  }

  #stepNodes(): void {
    const nodes = [...this.#registered.values()];
    this.#controller.step({ type: 'nodes', nodes });
    for (const { process } of nodes) this.#controller.step({ type: 'accounted', process });
  }
}
