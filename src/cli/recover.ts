/** What `portolan recover` asks and writes. Loaded when it is needed. */
import {
  NoPlanError,
  planRecovery,
  rebuiltFrom,
  type RecoveryPlan,
  type RecoveryWish,
  unsettled,
} from '../control/recovery-plan.js';
import {
  ClusterExistsError,
  readKnown,
  rebuildCluster,
  type Written,
} from '../coordination/rebuild.js';
import { askInventory } from '../grpc/inspection-client.js';
import type { Inventory } from '../model/inspection.js';
import type { CoordinatorSession, Outcome } from '../ports/coordinator.js';
import { systemRandom } from '../system/random.js';
import { askZooKeeper } from './ask-zookeeper.js';
import { CliError, EXIT } from './exit.js';
import { minIsrFor } from './flags.js';

export interface RecoverFlags {
  readonly zk?: string;
  readonly cluster: string;
  readonly nodes: readonly string[];
  readonly shards?: number;
  readonly replicas?: number;
  readonly minIsr?: number;
  readonly leaseMs: number;
  readonly replaceAfterMs: number;
  readonly acceptLoss: boolean;
  readonly yes: boolean;
  readonly timeoutMs: number;
  readonly json: boolean;
}

export interface MadePlan {
  readonly plan: RecoveryPlan;
  /** Nodes that did not answer, and why. */
  readonly unreachable: readonly string[];
}

/** @throws CliError if there is none. */
export async function makePlan(flags: RecoverFlags): Promise<MadePlan> {
  const unreachable: string[] = [];
  const asked = flags.nodes.map(async (address) => {
    try {
      return await askInventory(address, flags.timeoutMs);
    } catch (error) {
      unreachable.push(`${address}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  });
  const inventories = (await Promise.all(asked)).filter((one) => one !== undefined);
  checkNames(inventories);
  try {
    return { plan: planRecovery(inventories, wishOf(flags)), unreachable };
  } catch (error) {
    if (!(error instanceof NoPlanError)) throw error;
    const missing = unreachable.length === 0 ? '' : ` (not asked: ${unreachable.join('; ')})`;
    throw new CliError(EXIT.unavailable, `${error.message}${missing}`, { cause: error });
  }
}

/** The part of it that ZooKeeper needs: all, if it has lost the cluster. @throws CliError */
export async function neededOf(
  plan: RecoveryPlan,
  flags: RecoverFlags & { readonly zk: string },
): Promise<RecoveryPlan> {
  const known = await askMap(flags, 'not read', (session) => readKnown(session, plan.cluster));
  return known === undefined ? plan : unsettled(plan, known);
}

/** @throws CliError */
export async function writePlan(
  plan: RecoveryPlan,
  flags: RecoverFlags & { readonly zk: string },
): Promise<Written> {
  const records = rebuiltFrom(plan, systemRandom.nonce());
  return askMap(flags, 'not written to the end', (session) => rebuildCluster(session, records));
}

async function askMap<T>(
  flags: RecoverFlags & { readonly zk: string },
  failed: string,
  ask: (session: CoordinatorSession) => Promise<Outcome<T>>,
): Promise<T> {
  try {
    const outcome = await askZooKeeper(flags, ask);
    if (outcome.status === 'ok') return outcome.value;
    const why = outcome.status === 'failed' ? outcome.message : outcome.reason;
    throw new CliError(EXIT.unavailable, `${failed}: ${why}; do it again`);
  } catch (error) {
    if (!(error instanceof ClusterExistsError)) throw error;
    throw new CliError(EXIT.notPermitted, error.message, { cause: error });
  }
}

function wishOf(flags: RecoverFlags): RecoveryWish {
  const { shards, replicas, minIsr, leaseMs, replaceAfterMs, acceptLoss } = flags;
  if (shards === undefined || replicas === undefined) return { acceptsLoss: acceptLoss };
  const least = minIsr ?? minIsrFor(replicas);
  const times = { leaseMs, replaceAfterMs };
  const cluster = { shards, replicas, minIsr: least, ...times, initialStorage: 1 };
  return { acceptsLoss: acceptLoss, cluster };
}

/** @throws CliError if two answers are of one node: then one of them is a copy. */
function checkNames(inventories: readonly Inventory[]): void {
  const names = inventories.map(({ node }) => node);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new CliError(EXIT.usage, `two of these addresses answer as ${twice}: name each node once`);
}
