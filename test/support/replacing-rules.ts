/**
 * What must hold of every decision that gives a shard more replicas or fewer (rules 9 and 11 of
 * `src/control/controller.ts`), judged by what its leader had seen when it decided.
 */
import { expect } from 'vitest';
import type { ProposedWrite } from '../../src/control/controller-io.js';
import { lifeOf } from '../../src/control/lives.js';
import type { MemberId, Uuid } from '../../src/model/ids.js';
import type { Registration } from '../../src/model/registrations.js';
import { replicaOn, type ShardConfig } from '../../src/model/shard-config.js';

/** What one leader has been told of the nodes. */
export class LeaderSight {
  #registered: ReadonlyMap<MemberId, Registration> | undefined;
  readonly #suspected = new Map<MemberId, Uuid>();
  readonly #gone = new Set<MemberId>();

  /** Registered, and not suspected. */
  get alive(): ReadonlyMap<MemberId, Registration> {
    const nodes = [...(this.#registered ?? [])];
    return new Map(nodes.filter(([id, { process }]) => this.#suspected.get(id) !== process));
  }

  isGone(node: MemberId): boolean {
    return this.#gone.has(node);
  }

  seesNodes(nodes: readonly Registration[]): void {
    this.#registered = new Map(nodes.map((node) => [node.id, node]));
    for (const { id } of nodes) this.#gone.delete(id);
    for (const [id, process] of this.#suspected) {
      if (this.#registered.get(id)?.process !== process) this.#suspected.delete(id);
    }
  }

  hears(node: MemberId, process: Uuid, is: 'suspected' | 'heard'): void {
    if (is === 'suspected') this.#suspected.set(node, process);
    else if (this.#suspected.get(node) === process) this.#suspected.delete(node);
  }

  /** One that is registered is not gone, whatever is said of it. */
  givesUp(node: MemberId): void {
    if (this.#registered?.has(node) === false) this.#gone.add(node);
  }
}

/** How many replicas a shard should have. */
export interface ReplicaTarget {
  readonly replicas: number;
}

export function expectReplacedWell(
  before: ShardConfig,
  { draft, why }: ProposedWrite,
  { replicas: target }: ReplicaTarget,
  sight: LeaderSight,
): void {
  if (before.state === 'creating') return; // It holds nothing.
  const left = nodesOf(before).filter((node) => replicaOn(draft, node) === undefined);
  const came = nodesOf(draft).filter((node) => replicaOn(before, node) === undefined);
  // Whoever is in sync holds every committed write, and may be the last that comes back (S19).
  for (const node of left) expect(before.learners, `S19 ${why} ${node}`).toContain(node);
  const { alive } = sight;
  const isHere = (node: MemberId) => lifeOf(replicaOn(before, node)!, alive) === 'same';
  if (why === 'forget') {
    expect([[...left].sort(), came], why).toEqual([[...before.learners].sort(), []]);
    expect(draft.isr, why).toEqual(before.isr);
    expect(before.isr.length, why).toBeGreaterThanOrEqual(target);
    expect(before.isr.filter(isHere), 'S19 all of the isr are there').toEqual(before.isr);
  } else if (why === 'add-learner') {
    expect([left, came.length], why).toEqual([[], 1]);
    const counted = nodesOf(before).filter((node) => !sight.isGone(node));
    expect(counted.length, why).toBeLessThan(target);
    expect(
      before.learners.filter((node) => alive.has(node)),
      'one learner at a time',
    ).toEqual([]);
    expect(isHere(before.primary), 'who has data to give').toBe(true);
  } else {
    expect([left.length, came.length], why).toEqual(why === 'replace-learner' ? [1, 1] : [0, 0]);
  }
}

function nodesOf({ replicas }: Pick<ShardConfig, 'replicas'>): readonly MemberId[] {
  return replicas.map(({ node }) => node);
}
