/**
 * Which primaries should be handed over, and to whom: the asking half of rule 8 of `controller.ts`.
 *
 * Pure. A hand-over is only asked for; nothing is written before the primary has stepped down, so a
 * shard whose primary cannot step down is served on.
 *
 * Balancing moves a primary along the shortest way from a node that has too many to one that has at
 * least two less. A shard can only go to a member of its isr, so with many nodes the way may lead
 * over others, each passing one on. The last step is made first: every single step, should the
 * others fail, leaves the cluster no less balanced than it was, so the balancing comes to an end.
 */
import type { MemberId } from '../model/ids.js';
import type { ShardConfig } from '../model/shard-config.js';
import type { HandOver } from './controller-io.js';
import { eligibleFor } from './failover.js';
import { lifeOf } from './lives.js';
import type { Loads } from './loads.js';
import type { ClusterView } from './view.js';

/** Less is no imbalance: moving a primary would only mirror it. */
const IMBALANCE_LEAST = 2;
/**
 * Hand-overs under way at a time because nodes are leaving: one for each so many shards that these
 * lead, because they do not wait for ever. Each is a pause for its shard, and they share the nodes,
 * ZooKeeper and the leader: several at a time are over sooner, but no single one is.
 */
const LEAVING_PER_SHARDS = 24;

/** What was asked for before. */
export interface AskedBefore {
  /** Hand-overs that have to be done before more are asked for. */
  readonly underWay: number;
  /** To whom one failed a moment ago. */
  readonly doubtful: ReadonlySet<MemberId>;
}

/**
 * Of primaries whose nodes asked to shut down, as far as somebody can take their place. `configs`:
 * shards that are not changing, in the order in which they should be tried.
 */
export function handOversOfLeaving(
  configs: readonly ShardConfig[],
  { underWay, doubtful }: AskedBefore,
  view: ClusterView,
): readonly HandOver[] {
  const handOvers: HandOver[] = [];
  const led = configs.filter(({ primary, state }) => {
    return state === 'active' && view.leaving.has(primary);
  });
  const atATime = Math.ceil((led.length + underWay) / LEAVING_PER_SHARDS);
  for (const config of led) {
    if (underWay + handOvers.length >= atATime) break;
    const handOver = handOverOfLeaving(config, doubtful, view);
    if (handOver !== undefined) handOvers.push(handOver);
  }
  return handOvers;
}

function handOverOfLeaving(
  config: ShardConfig,
  doubtful: AskedBefore['doubtful'],
  view: ClusterView,
): HandOver | undefined {
  const { leaving, loads } = view;
  const others = eligibleFor(config, view).filter((node) => !leaving.has(node));
  const trusted = others.filter((node) => !doubtful.has(node));
  const to = loads.choosePrimary(config.shard, trusted.length > 0 ? trusted : others);
  return to && handOver(config, to, loads);
}

/** For balance, one at a time: nothing waits for it. `configs`: as above. */
export function handOverToBalance(
  configs: readonly ShardConfig[],
  { underWay, doubtful }: AskedBefore,
  view: ClusterView,
): HandOver | undefined {
  const { loads } = view;
  if (!view.isSettled || underWay > 0 || !isUnbalanced(loads)) return undefined;
  const movable = new Movable(
    configs.filter((config) => isMovable(config, view)),
    doubtful,
  );
  const step = lastStepOf(loads, movable);
  return step && handOver(step.config, step.to, loads);
}

interface Step {
  readonly config: ShardConfig;
  readonly to: MemberId;
}

/** For each node and each that may take a primary from it, the first shard that can go there. */
class Movable {
  readonly #byPrimary = new Map<MemberId, Map<MemberId, ShardConfig>>();

  constructor(configs: Iterable<ShardConfig>, doubtful: AskedBefore['doubtful']) {
    for (const config of configs) {
      const targets = this.#byPrimary.get(config.primary) ?? new Map<MemberId, ShardConfig>();
      this.#byPrimary.set(config.primary, targets);
      for (const node of config.isr) {
        const isTarget = node !== config.primary && !doubtful.has(node);
        if (isTarget && !targets.has(node)) targets.set(node, config);
      }
    }
  }

  /** Who may take a shard of this node, by name. */
  targetsOf(from: MemberId): readonly MemberId[] {
    return [...(this.#byPrimary.get(from)?.keys() ?? [])].sort();
  }

  step(from: MemberId, to: MemberId): Step | undefined {
    const config = this.#byPrimary.get(from)?.get(to);
    return config && { config, to };
  }
}

/** Every replica is in sync and alive, and none is about to leave. */
function isMovable({ state, learners, replicas }: ShardConfig, view: ClusterView): boolean {
  const { alive, leaving } = view;
  return (
    state === 'active' &&
    learners.length === 0 &&
    replicas.every((place) => lifeOf(place, alive) === 'same' && !leaving.has(place.node))
  );
}

function isUnbalanced(loads: Loads): boolean {
  const counts = loads.open.map((node) => loads.primariesOn(node));
  return Math.max(...counts) - Math.min(...counts) >= IMBALANCE_LEAST;
}

/** The last step of the shortest way from the fullest node that has one. */
function lastStepOf(loads: Loads, movable: Movable): Step | undefined {
  // Stable: ties by name.
  const emptiestFirst = (nodes: readonly MemberId[]) => {
    return [...nodes].sort((left, right) => loads.primariesOn(left) - loads.primariesOn(right));
  };
  for (const source of emptiestFirst(loads.open).reverse()) {
    const enough = loads.primariesOn(source) - IMBALANCE_LEAST;
    const cameFrom = new Map<MemberId, MemberId>([[source, source]]);
    for (const node of cameFrom.keys()) {
      for (const next of emptiestFirst(movable.targetsOf(node))) {
        if (cameFrom.has(next)) continue;
        cameFrom.set(next, node); // Grows while it is walked through: breadth first.
        if (loads.primariesOn(next) <= enough) return movable.step(node, next);
      }
    }
  }
  return undefined;
}

function handOver(config: ShardConfig, to: MemberId, loads: Loads): HandOver {
  loads.carry({ ...config, primary: to });
  const { shard, shardUuid, epoch, primary } = config;
  return { shard, shardUuid, epoch, from: primary, to };
}
