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

/**
 * Hand-overs asked for at a time for the sake of balance. Each is a pause for its shard, and they
 * share the nodes, ZooKeeper and the leader: measured at 64 shards, two at a time take half as long
 * again each. The next one begins as soon as the map has this one, so that they overlap anyhow.
 */
const BALANCING_MAX = 1;
/** While nodes are leaving one more for each so many shards that they lead: they do not wait. */
const LEAVING_PER_SHARDS = 24;
/** Less is no imbalance: moving a primary would only mirror it. */
const IMBALANCE_LEAST = 2;

/** Of primaries whose nodes asked to shut down, as far as somebody can take their place. */
export function handOversOfLeaving(
  configs: readonly ShardConfig[],
  underWay: number,
  view: ClusterView,
): readonly HandOver[] {
  const handOvers: HandOver[] = [];
  const led = configs.filter(({ primary }) => view.leaving.has(primary));
  const atATime = Math.ceil((led.length + underWay) / LEAVING_PER_SHARDS);
  for (const config of led) {
    if (underWay + handOvers.length >= atATime) break;
    const handOver = handOverOfLeaving(config, view);
    if (handOver !== undefined) handOvers.push(handOver);
  }
  return handOvers;
}

function handOverOfLeaving(config: ShardConfig, view: ClusterView): HandOver | undefined {
  const { leaving, loads } = view;
  if (config.state !== 'active') return undefined;
  const others = eligibleFor(config, view).filter((node) => !leaving.has(node));
  const to = loads.choosePrimary(config.shard, others);
  return to && handOver(config, to, loads);
}

/** For balance. `configs`: shards that are not changing; `underWay`: hand-overs not done yet. */
export function handOversToBalance(
  configs: readonly ShardConfig[],
  underWay: number,
  view: ClusterView,
): readonly HandOver[] {
  const { loads } = view;
  const handOvers: HandOver[] = [];
  if (!view.isSettled || underWay >= BALANCING_MAX || !isUnbalanced(loads)) return handOvers;
  const movable = new Movable(configs.filter((config) => isMovable(config, view)));
  while (underWay + handOvers.length < BALANCING_MAX) {
    const step = lastStepOf(loads, movable);
    if (step === undefined) break;
    handOvers.push(handOver(step.config, step.to, loads));
  }
  return handOvers;
}

interface Step {
  readonly config: ShardConfig;
  readonly to: MemberId;
}

/** Shards by the node that has them and the node that may take them. Each is taken once. */
class Movable {
  readonly #byPrimary = new Map<MemberId, Map<MemberId, ShardConfig[]>>();
  readonly #taken = new Set<ShardConfig>();

  constructor(configs: Iterable<ShardConfig>) {
    for (const config of configs) {
      const targets = this.#byPrimary.get(config.primary) ?? new Map<MemberId, ShardConfig[]>();
      this.#byPrimary.set(config.primary, targets);
      for (const node of config.isr) {
        if (node !== config.primary) targets.set(node, [...(targets.get(node) ?? []), config]);
      }
    }
  }

  /** Who may take a shard of this node, by name. */
  targetsOf(from: MemberId): readonly MemberId[] {
    const targets = [...(this.#byPrimary.get(from)?.keys() ?? [])].sort();
    return targets.filter((to) => this.#next(from, to) !== undefined);
  }

  take(from: MemberId, to: MemberId): Step | undefined {
    const config = this.#next(from, to);
    if (config === undefined) return undefined;
    this.#taken.add(config);
    return { config, to };
  }

  #next(from: MemberId, to: MemberId): ShardConfig | undefined {
    return this.#byPrimary
      .get(from)
      ?.get(to)
      ?.find((config) => !this.#taken.has(config));
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

/** The last step of the shortest way from the fullest node that has one; taken from `movable`. */
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
        if (loads.primariesOn(next) <= enough) return movable.take(node, next);
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
