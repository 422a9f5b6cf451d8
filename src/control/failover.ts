/**
 * Who serves an active shard, and in which epoch: rules 4, 5 and 8 of `controller.ts`.
 *
 * Pure. Upholds S1, every new primary and every new life of one has an epoch above all that was
 * ever used; and S6 and S15, only a member of the isr becomes primary, in the life its place names:
 * never a learner, never another store, never a life that the configuration has not recorded yet.
 * Any member of the isr will do, because each holds every committed write (PacificA,
 * MSR-TR-2008-25, §2.3). Whether the one before has stopped is not decided here: the new primary
 * waits for its lease to run out, unless it was given back.
 */
import type { Epoch, MemberId } from '../model/ids.js';
import type { ShardConfig } from '../model/shard-config.js';
import type { ControllerEvent } from './controller-io.js';
import { type Decision, nextEpoch, revised, type Why } from './draft.js';
import { lifeOf } from './lives.js';
import { lifeOfPrimary, lostUnder, membersNow, nodesOfLife, problemOn } from './membership.js';
import type { ClusterView } from './view.js';

/** A primary will never serve again in this epoch, and holds no lease. */
export interface StepDown {
  readonly epoch: Epoch;
  /** Whom it brought up to date last; undefined = nobody in particular. */
  readonly to: MemberId | undefined;
}

/**
 * Rule 4: the same primary in a new epoch. Members of the isr that are away stay in it: whether
 * they are still needed is for the primary to find out, and to ask for (rule 6).
 */
export function renewed(config: ShardConfig, view: ClusterView): Decision | undefined {
  const life = lifeOfPrimary(config, view);
  const isUsed = view.reports.isEpochUsed(config);
  if (life !== 'new' && !(life === 'same' && isUsed)) return undefined;
  return revised(config, life === 'new' ? 'new-life' : 'epoch-used', {
    ...membersNow(config, view, lostUnder(config.primary, config, view)),
    epoch: nextEpoch(config),
    leaseReleased: false,
  });
}

/** Rule 5: another primary, because the one there is does not live or has lost its data. */
export function failedOver(config: ShardConfig, view: ClusterView): Decision | undefined {
  const life = lifeOfPrimary(config, view);
  if (life !== 'away' && life !== 'lost') return undefined;
  const primary = view.loads.choosePrimary(config.shard, eligibleFor(config, view));
  return primary && promoted(config, view, { primary, why: 'fail-over', leaseReleased: false });
}

/** Rule 5 again: another primary, because this one is damaged, and another member is not. */
export function relieved(config: ShardConfig, view: ClusterView): Decision | undefined {
  if (problemOn(config, config.primary, view) === undefined) return undefined;
  const primary = view.loads.choosePrimary(config.shard, eligibleFor(config, view));
  return primary && promoted(config, view, { primary, why: 'damaged', leaseReleased: false });
}

/** Rule 8: the primary stepped down, and the next one need not wait for its lease. */
export function handedOver(
  config: ShardConfig,
  view: ClusterView,
  { epoch, to }: StepDown,
): Decision | undefined {
  if (epoch !== config.epoch) return undefined;
  const eligible = eligibleFor(config, view);
  const among = to !== undefined && eligible.includes(to) ? [to] : eligible;
  // With nobody else it goes on itself, even if it is damaged: it is the last copy.
  const itself = lifeOfPrimary(config, view) === 'same' ? [config.primary] : [];
  const primary = view.loads.choosePrimary(config.shard, among.length > 0 ? among : itself);
  return primary && promoted(config, view, { primary, why: 'hand-over', leaseReleased: true });
}

/** Members that may become primary. */
export function eligibleFor(config: ShardConfig, view: ClusterView): readonly MemberId[] {
  return config.replicas
    .filter((place) => config.isr.includes(place.node) && lifeOf(place, view.alive) === 'same')
    .filter((place) => !view.isReplaced(place))
    .map(({ node }) => node)
    .filter((node) => problemOn(config, node, view) === undefined);
}

/** Why a shard has no sound primary although it is active, as far as an operator can help. */
export function strandings(config: ShardConfig, view: ClusterView): readonly ControllerEvent[] {
  const { shard, primary, isr } = config;
  const life = lifeOfPrimary(config, view);
  const problem = problemOn(config, primary, view);
  if (problem !== undefined) {
    return [{ type: 'last-copy-damaged', shard, node: primary, problem }];
  }
  if (life !== 'away' && life !== 'lost') return [];
  const lost = config.replicas
    .filter((place) => isr.includes(place.node) && lifeOf(place, view.alive) === 'lost')
    .map(({ node }) => ({ type: 'replica-lost', shard, node }) as const);
  return life === 'away' ? [{ type: 'no-successor', shard, primary }, ...lost] : lost;
}

interface Promotion {
  readonly primary: MemberId;
  readonly why: Why;
  readonly leaseReleased: boolean;
}

function promoted(
  config: ShardConfig,
  view: ClusterView,
  { primary, why, leaseReleased }: Promotion,
): Decision {
  return revised(config, why, {
    ...membersNow(config, view, droppedFor(primary, config, view)),
    primary,
    epoch: nextEpoch(config),
    leaseReleased,
  });
}

/**
 * Who has to catch up under a new primary. Whoever lost its data, or is damaged (S15). Members that
 * are away would only hold up its barrier, so they are dropped too, the one that led before first;
 * but not below minIsr: one that is suspected for a moment may hold what nobody else does, and
 * whether the others go on without it is for the new primary to find out and to ask for (rule 6).
 */
function droppedFor(
  primary: MemberId,
  config: ShardConfig,
  view: ClusterView,
): readonly MemberId[] {
  const lost = lostUnder(primary, config, view);
  const isAway = new Set(nodesOfLife('away', config, view));
  const stay = config.isr.filter((node) => !lost.includes(node));
  const away = [config.primary, ...stay].filter((node) => node !== primary && isAway.has(node));
  const surplus = Math.max(stay.length - view.cluster.minIsr, 0);
  return [...lost, ...[...new Set(away)].slice(0, surplus)];
}
