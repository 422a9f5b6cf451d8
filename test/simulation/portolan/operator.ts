/**
 * Somebody who settles what ZooKeeper does not know any more, as `portolan recover --yes` does, with
 * its real parts: asks every storage node, plans, and writes what ZooKeeper needs.
 */
import {
  NoPlanError,
  planRecovery,
  rebuiltFrom,
  unsettled,
} from '../../../src/control/recovery-plan.js';
import { readKnown, rebuildCluster } from '../../../src/coordination/rebuild.js';
import type { Inventory } from '../../../src/model/inspection.js';
import { clusterRoot } from '../../../src/model/znodes.js';
import type { CoordinatorSession } from '../../../src/ports/coordinator.js';
import type { Prng } from '../prng.js';
import { SimProcess } from '../sim-process.js';
import type { Simulation } from '../simulation.js';
import { CLUSTER } from './member-process.js';
import type { ClusterPlan } from './plan.js';
import type { PortolanCluster } from './portolan-cluster.js';
import type { Probes } from './probes.js';
import { SimRandom } from './sim-random.js';

/** Between two questions. */
const ASK_MS = 50;
const TIMEOUT_MS = 10_000;
/** With every node there nothing is lost: then he stops to wait for who may know more. */
const DOUBTS_MAX = 3;

export class Operator {
  readonly #simulation: Simulation;
  readonly #cluster: PortolanCluster;
  readonly #shape: ClusterPlan;
  readonly #probes: Probes;
  readonly #prng: Prng;
  readonly #random: SimRandom;
  #isBusy = false;
  /** Times that writes might have been missing by what he could see, although everybody answered. */
  #doubts = 0;

  constructor(
    simulation: Simulation,
    options: {
      readonly cluster: PortolanCluster;
      readonly shape: ClusterPlan;
      readonly probes: Probes;
    },
  ) {
    this.#simulation = simulation;
    this.#cluster = options.cluster;
    this.#shape = options.shape;
    this.#probes = options.probes;
    this.#prng = simulation.prng.fork('operator');
    this.#random = new SimRandom(this.#prng.fork('nonces'));
  }

  /** Begins to, unless he is at it. */
  recover(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#simulation.note('operator', 'recovers');
    const process = new SimProcess(this.#simulation, { name: 'operator' });
    const coordinator = this.#cluster.zooKeeper.coordinator(clusterRoot(CLUSTER), {
      clock: process.clock,
    });
    const end = () => {
      if (process.isDead) return;
      void coordinator.close();
      this.#simulation.after(0, () => process.kill());
      this.#isBusy = false;
    };
    process.soon(() => {
      coordinator.start({
        session: (session) => {
          this.#recover(process, session).then(end, (error: unknown) => this.#cluster.fail(error));
        },
        unreachable: () => undefined,
      });
    });
    this.#simulation.after(TIMEOUT_MS, end);
  }

  async #recover(process: SimProcess, session: CoordinatorSession): Promise<void> {
    const inventories = await this.#ask(process);
    const { shards, replicas, minIsr, leaseMs, nodes } = this.#shape;
    const times = { leaseMs, replaceAfterMs: 0 };
    const cluster = { shards, replicas, minIsr, ...times, initialStorage: nodes };
    const acceptsLoss = this.#doubts >= DOUBTS_MAX && inventories.length === nodes;
    const whole = unlessNone(() => planRecovery(inventories, { cluster, acceptsLoss }));
    if (whole === undefined) return;
    const known = await readKnown(session, whole.cluster);
    if (known.status !== 'ok') return;
    const plan = known.value === undefined ? whole : unsettled(whole, known.value);
    const mayLose = plan.shards.some((planned) => planned.mayLose);
    if (mayLose && inventories.length === nodes) this.#doubts++;
    if (mayLose && !acceptsLoss) return;
    const written = await rebuildCluster(session, rebuiltFrom(plan, this.#random.nonce()));
    if (written.status !== 'ok' || plan.shards.length === 0) return;
    this.#doubts = 0;
    this.#probes.hit(
      `${known.value === undefined ? 'cluster' : 'shard'} recovered by its operator`,
    );
  }

  /** What each node holds that answers, one after the other. */
  async #ask(process: SimProcess): Promise<readonly Inventory[]> {
    const inventories: Inventory[] = [];
    for (const { name, role } of this.#cluster.members) {
      if (role !== 'storage') continue;
      await new Promise<void>((resolve) => {
        process.clock.after(this.#prng.range(0, ASK_MS), resolve);
      });
      const asked = this.#cluster.lifeOf(name);
      const inventory = asked.process.isDead ? undefined : asked.inspection?.inventory();
      if (inventory !== undefined) inventories.push(inventory);
    }
    return inventories;
  }
}

function unlessNone<T>(plan: () => T): T | undefined {
  try {
    return plan();
  } catch (error) {
    if (!(error instanceof NoPlanError)) throw error;
    return undefined;
  }
}
