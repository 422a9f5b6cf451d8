/**
 * Who is in sync: rules 6 and 7 of `controller.ts`. The epoch stays, because the primary and its
 * life stay.
 *
 * Pure. Upholds S7: the isr only ever shrinks, but for one learner at a time that the primary
 * itself asks for. That is what makes every member electable: a write is committed when all members
 * of the isr hold it, and the primary counts a learner from the moment it asks for it (PacificA,
 * MSR-TR-2008-25, §2.4; the "maximal ISR" of KIP-966).
 *
 * The isr may shrink below minIsr, but only because its primary asks: no promotion makes it so
 * small (`failover.ts`). It is safe because of two properties. Nothing that a client was told is
 * committed below minIsr, so the last one standing has no acknowledged write that is nowhere else.
 * And one that comes back without its disk, or with one that is set back or damaged, is never
 * elected, so nobody drops what it holds for the sake of that one (the data loss of KIP-966): the
 * shard waits for its disk, or for an operator.
 *
 * Refusing to shrink instead would stop reads: the primary has no lease from a member that does not
 * answer. Keeping those that left electable, as KIP-966 does, would let two serve: the last one
 * standing reads without a lease of anybody (S14), so whoever is elected beside it could not know
 * that it has stopped. It would need a lease from ZooKeeper in place of theirs, and its reads would
 * end whenever ZooKeeper is away; and before it serves, a new primary commits what its log holds
 * beyond that (its barrier), which those that left may not have.
 */
import { unreachable } from '../model/assert.js';
import type { ChangeRequest, Lead, MembershipChange } from '../model/member-messages.js';
import type { MemberId } from '../model/ids.js';
import { replicaOn, type ShardConfig, type VersionedConfig } from '../model/shard-config.js';
import { type Decision, nextEpoch, revised, type ShardDraft } from './draft.js';
import { type Life, lifeOf, placeOf } from './lives.js';
import { replaced } from './placing.js';
import type { ClusterView } from './view.js';

/** Rule 6: what the primary asked for, if it asked knowing the configuration as it is. */
export function requested(
  { config, version }: VersionedConfig,
  view: ClusterView,
  request: ChangeRequest,
): Decision | undefined {
  const { basedOn, change } = request;
  if (!isOfEpoch(config, request) || basedOn !== version) return undefined;
  // What it asked for before it died may come after: the isr must not shrink to a dead one (S19).
  if (lifeOfPrimary(config, view) !== 'same') return undefined;
  const { isr, learners } = config;
  switch (change.type) {
    case 'shrink': {
      const { node } = change;
      if (!isr.includes(node) || node === config.primary) return undefined;
      return revised(config, 'shrink', {
        isr: without(isr, node),
        learners: [...learners, node],
      });
    }
    case 'expand':
      return expanded(config, view, change);
    case 'withdraw':
      // The same configuration at a new version: what was asked on top of the one before is void.
      return revised(config, 'withdraw', {});
    case 'replace':
      return replaced(config, view, change.node);
    case 'set-back':
    case 'epoch-used':
      return undefined; // What it knows is more than a wish: judged before.
    default:
      return unreachable(change);
  }
}

/** What the node of a replica says is wrong with it; undefined: nothing. */
export function problemOn(
  config: ShardConfig,
  node: MemberId,
  { reports }: ClusterView,
): string | undefined {
  const place = replicaOn(config, node);
  return place && reports.problemOf(config, place.store);
}

/**
 * Rule 10: replicas that are damaged leave the isr of a primary that is not, to be learnt anew. The
 * epoch is a new one, in which they have said nothing yet: what they acknowledged before does not
 * make them caught up (S16), and none of them sets its data aside before it hears of it.
 */
export function withoutDamaged(config: ShardConfig, view: ClusterView): Decision | undefined {
  const { primary, isr, epoch } = config;
  const isSound = problemOn(config, primary, view) === undefined;
  if (!isSound || lifeOfPrimary(config, view) !== 'same') return undefined;
  const areDamaged = config.replicas.some(({ node, store }) => {
    const counts = isr.includes(node) || view.reports.promisedBy(config, store) >= epoch;
    return counts && problemOn(config, node, view) !== undefined;
  });
  if (!areDamaged) return undefined;
  return revised(config, 'damaged', {
    ...membersNow(config, view, lostUnder(primary, config, view)),
    epoch: nextEpoch(config),
    leaseReleased: false,
  });
}

/**
 * Rule 12: the primary knows a later configuration of this epoch than ZooKeeper. A new epoch makes
 * both agree. Members that have left the isr since may lack what was committed (S6): only those
 * stay in it that the primary knows to have everything, even if it is away by now. Nobody leads a
 * shard that is being created, so one that was led in this epoch has been active.
 */
export function corrected(
  { config, version }: VersionedConfig,
  { version: ledBy, nonce, inSync }: Lead,
): Decision | undefined {
  // The same one, or a later one than the primary has heard of.
  const isKnown = ledBy < version || (ledBy === version && nonce === config.nonce);
  if (isKnown && config.state === 'active') return undefined;
  const isr = config.isr.filter((node) => node === config.primary || inSync.includes(node));
  const dropped = config.isr.filter((node) => !isr.includes(node));
  return revised(config, 'set-back', {
    state: 'active',
    isr,
    learners: [...config.learners, ...dropped],
    epoch: nextEpoch(config),
    leaseReleased: false,
  });
}

/** The learner that caught up may have lost its disk since, and be back (KIP-903, S16). */
function expanded(
  config: ShardConfig,
  view: ClusterView,
  { node, store, incarnation }: MembershipChange & { readonly type: 'expand' },
): Decision | undefined {
  const { isr, learners } = config;
  const place = replicaOn(config, node);
  const isThatOne = place?.store === store && place.incarnation === incarnation;
  const isSound = isThatOne && problemOn(config, node, view) === undefined;
  if (!learners.includes(node) || !isSound || lifeOf(place, view.alive) !== 'same') {
    return undefined;
  }
  return revised(config, 'expand', { isr: [...isr, node], learners: without(learners, node) });
}

/**
 * Rule 7: members that came back. In a new life a member has its data, and goes on as what it was.
 * Without its data it has to catch up, from its primary. While the shard has no primary it is left
 * alone: its old disk may be the last one that holds everything, and may yet be brought back (S19).
 */
export function takenBack(config: ShardConfig, view: ClusterView): Decision | undefined {
  const hasPrimary = lifeOfPrimary(config, view) === 'same';
  const areBack = config.replicas.some((place) => {
    const life = lifeOf(place, view.alive);
    return life === 'new' || (life === 'lost' && hasPrimary);
  });
  if (!areBack) return undefined;
  const dropped = hasPrimary ? lostUnder(config.primary, config, view) : [];
  return revised(config, 'members-came-back', membersNow(config, view, dropped));
}

/**
 * The members as they are now: places in new lives are updated, and those in `dropped` leave the
 * isr and have to catch up (S15). A replica that lost its data gets its new place only if it is
 * dropped, even if it is a learner.
 */
export function membersNow(
  config: ShardConfig,
  { alive }: ClusterView,
  dropped: readonly MemberId[],
): Pick<ShardDraft, 'isr' | 'learners' | 'replicas'> {
  const isDropped = (node: MemberId) => dropped.includes(node);
  const replicas = config.replicas.map((place) => {
    const life = lifeOf(place, alive);
    const node = alive.get(place.node);
    const isUpdated = life === 'new' || (life === 'lost' && isDropped(place.node));
    return isUpdated && node !== undefined ? placeOf(node) : place;
  });
  return {
    isr: config.isr.filter((node) => !isDropped(node)),
    learners: [...config.learners, ...config.isr.filter(isDropped)],
    replicas,
  };
}

/**
 * Replicas that have to be learnt anew under this primary: those without their data, and those that
 * are damaged while it is not. If it is, too, none of them is known to be worse.
 */
export function lostUnder(
  primary: MemberId,
  config: ShardConfig,
  view: ClusterView,
): readonly MemberId[] {
  const lost = nodesOfLife('lost', config, view);
  if (problemOn(config, primary, view) !== undefined) return lost;
  const nodes = config.replicas.map(({ node }) => node);
  const damaged = nodes.filter((node) => problemOn(config, node, view) !== undefined);
  return [...new Set([...lost, ...damaged])];
}

/** Replicas of this life, members and learners. */
export function nodesOfLife(
  life: Life,
  { replicas }: ShardConfig,
  { alive }: ClusterView,
): readonly MemberId[] {
  return replicas.filter((place) => lifeOf(place, alive) === life).map(({ node }) => node);
}

export function lifeOfPrimary(config: ShardConfig, { alive }: ClusterView): Life {
  const place = replicaOn(config, config.primary);
  return place === undefined ? 'away' : lifeOf(place, alive); // The decoder refused one without.
}

function isOfEpoch({ shardUuid, epoch }: ShardConfig, request: ChangeRequest): boolean {
  return request.shardUuid === shardUuid && request.epoch === epoch;
}

function without(members: readonly MemberId[], node: MemberId): readonly MemberId[] {
  return members.filter((member) => member !== node);
}
