/**
 * Where a shard's replicas go: rules 1, 2, 3 and 9 of `controller.ts`.
 *
 * Pure. A shard is placed once. After it is active its replicas stay where they are, because that
 * is where the data is (S19), and only learners are added, or go to another node.
 */
import type { Epoch, MemberId, ShardId } from '../model/ids.js';
import type { ShardConfig } from '../model/shard-config.js';
import { slotRangeOf } from '../model/slot.js';
import { type Decision, nextEpoch, revised, type ShardDraft } from './draft.js';
import { type AliveNodes, lifeOf, placeOf } from './lives.js';
import type { ClusterView } from './view.js';

/** Rule 1: a shard without a configuration gets one, while shards may be created at all. */
export function created(shard: ShardId, view: ClusterView): Decision | undefined {
  const { cluster, placement, hasSettled, alive, awaited } = view;
  const mayPlace = placement === 'open' && hasSettled && alive.size >= cluster.initialStorage;
  // Those that have not spoken may hold data of a shard of this number (S19).
  if (!mayPlace || awaited.size > 0) return undefined;
  const places = placed(view);
  const slots = slotRangeOf(shard, cluster.shards);
  return places && { why: 'create', draft: { shard, slots, epoch: 1 as Epoch, ...places } };
}

/** Rule 2: everybody who is to hold the shard said that he does. */
export function activated(config: ShardConfig, view: ClusterView): Decision | undefined {
  const areDurable = config.replicas
    .filter(({ node }) => config.isr.includes(node))
    .every(({ store }) => view.reports.has(config, store));
  if (view.placement !== 'complete' || !areDurable) return undefined;
  return revised(config, 'activate', { state: 'active' });
}

/** Rule 3: nothing is lost with a member of a shard that never served. */
export function placedAnew(config: ShardConfig, view: ClusterView): Decision | undefined {
  if (!isStrayed(config, view.alive)) return undefined;
  const places = placed(view);
  return places && revised(config, 'place-anew', { ...places, epoch: nextEpoch(config) });
}

/** Whether a shard that is being created has to be placed anew: it does not count as a load. */
export function isStrayed(config: ShardConfig, alive: AliveNodes): boolean {
  const isHere = config.replicas.every((place) => lifeOf(place, alive) === 'same');
  return config.state === 'creating' && !isHere;
}

/**
 * Rule 9: a replica more, which has to catch up before it counts. One learner at a time: filling it
 * is the most expensive thing that can happen to a shard. One that is away holds nobody up.
 */
export function widened(config: ShardConfig, view: ClusterView): Decision | undefined {
  const { cluster, isSettled, alive, gone, loads } = view;
  const { replicas, learners } = config;
  const isCatchingUp = learners.some((node) => alive.has(node));
  const counted = replicas.filter(({ node }) => !gone.has(node));
  if (!isSettled || isCatchingUp || counted.length >= cluster.replicas) return undefined;
  const node = loads.placeReplica(replicas.map((place) => place.node));
  if (node === undefined) return undefined;
  return revised(config, 'add-learner', {
    learners: [...learners, node.id],
    replicas: [...replicas, placeOf(node)],
  });
}

/**
 * Rule 6: a learner that does not come forward makes room for another node, if there is one. What
 * it holds is not needed: the isr has everything. Its node keeps it all the same (S19). One whose
 * node is away has the time that rule 9 gives it.
 */
export function replaced(
  config: ShardConfig,
  { isSettled, registered, loads }: ClusterView,
  old: MemberId,
): Decision | undefined {
  const { replicas, learners } = config;
  if (!isSettled || !learners.includes(old) || !registered.has(old)) return undefined;
  const node = loads.placeReplica(replicas.map((place) => place.node));
  if (node === undefined) return undefined;
  return revised(config, 'replace-learner', {
    learners: learners.map((learner) => (learner === old ? node.id : learner)),
    replicas: replicas.map((place) => (place.node === old ? placeOf(node) : place)),
  });
}

type Places = Omit<ShardDraft, 'shard' | 'slots' | 'epoch'>;

/** New replicas, all in sync because all are empty; undefined if there is no node to take one. */
function placed({ cluster, loads }: ClusterView): Places | undefined {
  const nodes = loads.placeShard(cluster.replicas);
  const [primary] = nodes;
  if (primary === undefined) return undefined;
  return {
    state: 'creating',
    primary: primary.id,
    isr: nodes.map(({ id }) => id),
    learners: [],
    replicas: nodes.map(placeOf),
    leaseReleased: true, // No epoch before served anything.
    pending: null,
  };
}
