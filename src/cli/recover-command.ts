/** `portolan recover`: makes the shard map again from what storage nodes hold. */
import { Command } from 'commander';
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
import { print, tell } from './output.js';
import { adviceOn, describe, endOf, namesOf } from './recover-report.js';
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
as one that still serves would go on beside the new primary, and a router has to lead, as the nodes
hear from it whom their shards count on. --shards, --replicas and --min-isr are needed only if all
storage nodes were started again since ZooKeeper lost the cluster.

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
  const plan = await neededOf(whole, { ...flags, zk });
  for (const problem of unreachable) tell(`! ${problem}`);
  const losing = plan.shards.filter(({ mayLose }) => mayLose);
  const mayWrite = losing.length === 0 || flags.acceptLoss;
  const done = flags.yes && mayWrite ? await writePlan(plan, { ...flags, zk }) : undefined;
  const { cluster, shards } = plan;
  const written = done !== undefined && (done.hasMadeCluster || done.shards > 0);
  print(flags.json ? JSON.stringify({ cluster, shards, unreachable, written }) : describe(plan));
  if (flags.yes && !mayWrite) {
    throw new CliError(
      EXIT.unhealthy,
      `${namesOf(losing)} may miss acknowledged writes: nothing was written. Start the ` +
        'nodes that do not answer, or add --accept-loss to serve what there is',
    );
  }
  tell(endOf(plan, done?.shards));
  for (const advice of adviceOn(whole, plan, flags)) tell(advice);
}
