/**
 * What must hold of every change of a configuration, whichever rule made it: checked once more in
 * one place, before anything leaves the controller. A violation is a bug of ours.
 */
import { assert } from '../model/assert.js';
import { replicaOn, type ShardConfig } from '../model/shard-config.js';
import type { Decision } from './draft.js';
import { lifeOf } from './lives.js';
import type { ClusterView } from './view.js';

export function assertTransition(
  before: ShardConfig | undefined,
  { draft, why }: Decision,
  view: ClusterView,
): void {
  const context = () => ({ before, draft, why });
  const { isr, learners, replicas, primary, epoch } = draft;
  const members = new Set([...isr, ...learners]);
  assert(members.size === isr.length + learners.length, 'S15', context);
  const hasPlaces =
    replicas.length === members.size && replicas.every(({ node }) => members.has(node));
  assert(hasPlaces, 'one place per member', context);
  assert(isr.includes(primary), 'S6', context);
  const isUnserved = before === undefined || (before.state === 'creating' && why !== 'set-back');
  if (isUnserved) assert(!view.reports.hasAnyServed(draft.shard), 'S19', context);
  if (before === undefined) return;

  assert(epoch >= before.epoch, 'S1', context);
  const [place, was] = [replicaOn(draft, primary), replicaOn(before, primary)];
  const isSameLife = primary === before.primary && isSamePlace(place, was);
  assert(isSameLife || epoch > before.epoch, 'S1', context);
  assert(view.reports.highestEpoch(before) <= before.epoch, 'S1', context);
  if (isUnserved) return; // It holds nothing.

  assert(draft.state === 'active', 'S19', context);
  assert(before.isr.includes(primary), 'S6', context);
  const joined = isr.filter((node) => !before.isr.includes(node));
  assert(joined.length <= (why === 'expand' ? 1 : 0), 'S7', context);
  for (const node of joined) {
    const named = replicaOn(before, node);
    const isAsNamed = named !== undefined && lifeOf(named, view.alive) === 'same';
    assert(before.learners.includes(node) && isAsNamed, 'S16', context);
  }
  // Who is in sync has the store it was in sync with.
  for (const node of isr) {
    assert(replicaOn(draft, node)?.store === replicaOn(before, node)?.store, 'S6', context);
  }
}

type Place = ReturnType<typeof replicaOn>;

function isSamePlace(left: Place, right: Place): boolean {
  return left?.store === right?.store && left?.incarnation === right?.incarnation;
}
