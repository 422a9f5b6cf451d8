/** `portolan recover`: makes the shard map again from what storage nodes hold. */
import { Command } from 'commander';
import type { PlannedShard, RecoveryPlan } from '../control/recovery-plan.js';
import { LIMITS } from '../model/limits.js';
import { CliError, EXIT } from './exit.js';
import {
  addressList,
  clusterFlag,
  countOf,
  flag,
  jsonFlag,
  leaseFlag,
  minIsrFlag,
  replaceFlag,
  timeoutFlag,
  zkFlag,
} from './flags.js';
import { print, table, tell } from './output.js';
import { zkOf } from './role-command.js';
import type { RecoverFlags } from './recover.js';

const HELP = `
For a ZooKeeper that has lost its data while storage nodes hold shards, or was set back to a backup
that is older than what they hold. Asks all storage nodes, and shows what it would write; with --yes
it writes that, in epochs above all that were ever used. Name every storage node there is: a node
that is not named counts as away. It may be interrupted and done again. Of a cluster that ZooKeeper
knows, it writes only the shards whose znodes are missing, unreadable, or older than what replicas
have promised; with --accept-loss also those whose in-sync replicas have lost their data, are
damaged, or are gone for good: what only they held is lost then. The nodes of those must have ended,
as one that still serves would go on beside the new primary. --shards, --replicas and --min-isr are
needed only if all storage nodes were started again since ZooKeeper lost the cluster.

Example:
  portolan recover --zk zk1:2181,zk2:2181,zk3:2181 --nodes s1:7100,s2:7100,s3:7100
  portolan recover --zk zk1:2181,zk2:2181,zk3:2181 --nodes s1:7100,s2:7100,s3:7100 --yes`;

export function recoverCommand(): Command {
  const command = new Command('recover')
    .description('Make the shard map again after ZooKeeper has lost it, or was set back.')
    .addOption(zkFlag())
    .addOption(clusterFlag())
    .addOption(
      flag('--nodes <list>', 'all storage nodes, HOST:PORT[,...] of their gRPC')
        .argParser(addressList)
        .makeOptionMandatory(),
    )
    .addOption(
      flag('--shards <n>', 'shards the cluster had').argParser(countOf(1, LIMITS.shardsMax)),
    )
    .addOption(flag('--replicas <n>', 'replicas each shard had').argParser(countOf(1, 7)))
    .addOption(minIsrFlag())
    .addOption(leaseFlag())
    .addOption(replaceFlag())
    .addOption(
      flag('--accept-loss', 'serve what there is of shards that may miss writes').default(false),
    )
    .addOption(flag('--yes', 'write it').default(false))
    .addOption(timeoutFlag().default(10_000))
    .addOption(jsonFlag())
    .addHelpText('after', HELP);
  return command.action(async () => run(command.opts<RecoverFlags>()));
}

async function run(flags: RecoverFlags): Promise<void> {
  const zk = zkOf(flags);
  const { makePlan, neededOf, writePlan } = await import('./recover.js');
  const { plan: whole, unreachable } = await makePlan(flags);
  const { plan, isLost } = await neededOf(whole, { ...flags, zk });
  for (const problem of unreachable) tell(`! ${problem}`);
  const losing = plan.shards.filter(({ mayLose }) => mayLose);
  const mayWrite = losing.length === 0 || flags.acceptLoss;
  if (flags.yes && mayWrite) await writePlan(plan, { ...flags, zk });
  const { cluster, shards } = plan;
  // Of a cluster that was lost at least what it is.
  const written = flags.yes && mayWrite && (isLost || shards.some(isWritable));
  print(flags.json ? JSON.stringify({ cluster, shards, unreachable, written }) : describe(plan));
  if (flags.yes && !mayWrite) {
    throw new CliError(
      EXIT.unhealthy,
      `${losing.length} shards may miss acknowledged writes: nothing was written. Start the ` +
        'nodes that do not answer, or add --accept-loss to serve what there is',
    );
  }
  tell(endOf(plan, flags.yes));
  const waiting = whole.shards.filter(({ waits }) => waits === true).length;
  if (waiting > 0 && !flags.acceptLoss) tell(waitingFor(waiting));
}

function isWritable({ config }: PlannedShard): boolean {
  return config !== undefined;
}

/** What has become of a plan that nothing keeps from being written. */
export function endOf({ shards }: RecoveryPlan, yes: boolean): string {
  if (shards.length === 0) return 'ZooKeeper knows every shard as well as the nodes do';
  const kept = shards.filter((planned) => !isWritable(planned)).length;
  if (kept === shards.length) {
    return `no shard ${yes ? 'was' : 'would be'} written: what keeps each from it is said above`;
  }
  if (!yes) return 'nothing was written; add --yes';
  const but = kept === 0 ? '' : `, but for ${kept} of these ${shards.length} shards`;
  return `written${but}: the leader goes on from here`;
}

function waitingFor(shards: number): string {
  return (
    `${shards} shards wait for replicas in sync that do not answer with their data. If those are ` +
    'gone for good: --accept-loss shows what there is without them'
  );
}

function describe({ cluster, leaderEpoch, shards }: RecoveryPlan): string {
  const rows = shards.map(({ shard, source, config, doubt }: PlannedShard) => [
    String(shard),
    source,
    config === undefined ? '-' : String(config.epoch),
    config?.primary ?? '-',
    config?.isr.join(',') ?? '-',
    (config?.learners ?? []).join(',') || '-',
    doubt,
  ]);
  const headings = ['shard', 'from', 'epoch', 'primary', 'in sync', 'learning', 'mind'];
  const { clusterUuid, replicas, minIsr, shards: all } = cluster;
  const which = shards.length === all ? `${all} shards` : `${shards.length} of ${all} shards`;
  const shape = `${which}, ${replicas} replicas, min-isr ${minIsr}`;
  const head = `cluster ${clusterUuid}: ${shape}, leaderEpoch above ${leaderEpoch}`;
  return rows.length === 0 ? head : `${head}\n${table(headings, rows)}`;
}
