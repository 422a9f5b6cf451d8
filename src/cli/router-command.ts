/** `portolan router`: one router in the foreground. */
import { Command } from 'commander';
import type { Address } from '../model/address.js';
import { LIMITS } from '../model/limits.js';
import type { RouterConfig } from '../router/config.js';
import {
  address,
  advertiseFlag,
  clusterFlag,
  countOf,
  drainFlag,
  flag,
  idFlag,
  leaseFlag,
  listenFlag,
  minIsrFlag,
  minIsrFor,
  replaceFlag,
  REPLICAS_DEFAULT,
  replicasFlag,
  sessionTimeoutFlag,
  zkFlag,
} from './flags.js';
import { advertisedOf, checkPorts, warnOfPlaintext } from './listening.js';
import { CliError, EXIT } from './exit.js';
import { logFlags, memberIdOf, type RoleFlags, runRole, zkOf } from './role-command.js';

export interface RouterFlags extends RoleFlags {
  readonly cluster: string;
  readonly listen: Address;
  readonly advertise?: Address;
  readonly admin: Address;
  readonly sessionTimeoutMs: number;
  readonly shards: number;
  readonly replicas: number | undefined;
  readonly minIsr: number | undefined;
  readonly leaseMs: number;
  readonly replaceAfterMs: number;
  readonly initialStorage: number | undefined;
  readonly drainMs: number;
}

const EXAMPLES = `
Example:
  portolan router --id r1 --zk zk1:2181,zk2:2181,zk3:2181 \\
      --listen 0.0.0.0:7000 --advertise r1:7000`;

export function routerCommand(): Command {
  const command = new Command('router')
    .description('Run a router: serves every key, and leads the cluster when elected.')
    .addOption(zkFlag())
    .addOption(clusterFlag())
    .addOption(idFlag('router'))
    .addOption(listenFlag())
    .addOption(advertiseFlag())
    .addOption(
      flag('--admin <address>', 'where admin HTTP listens (/livez /readyz /status /metrics)')
        .argParser(address)
        .default({ host: '127.0.0.1', port: 0 }, '127.0.0.1:0'),
    )
    .addOption(sessionTimeoutFlag())
    .addOption(drainFlag())
    .addOption(
      flag('--shards <n>', 'shards of a cluster that does not exist yet')
        .argParser(countOf(1, LIMITS.shardsMax))
        .default(LIMITS.shardsDefault),
    )
    .addOption(replicasFlag(`${REPLICAS_DEFAULT} if not given`))
    .addOption(minIsrFlag())
    .addOption(leaseFlag())
    .addOption(replaceFlag())
    .addOption(
      flag(
        '--initial-storage <n>',
        'storage nodes to wait for before shards are placed; as many as replicas if not given',
      ).argParser(countOf(1, 1_000)),
    )
    .addHelpText('after', EXAMPLES);
  for (const option of logFlags()) command.addOption(option);
  return command.action(async () => {
    const flags = command.opts<RouterFlags>();
    const config = routerConfigOf(flags);
    await runRole(config.id, flags, async (log) => {
      await checkPorts({ '--listen': config.listen, '--admin': config.admin });
      warnOfPlaintext(log, config.listen);
      const { composeRouter } = await import('../router/compose.js');
      return composeRouter(config, log);
    });
  });
}

/** @throws CliError for what the flags alone cannot tell. */
export function routerConfigOf(flags: RouterFlags): RouterConfig {
  const { cluster, listen, advertise, admin, sessionTimeoutMs, drainMs } = flags;
  const { shards, leaseMs, replaceAfterMs, replicas = REPLICAS_DEFAULT } = flags;
  // Fewer nodes than replicas is for the operator to ask for: each shard begins with what there is.
  const { minIsr = minIsrFor(replicas), initialStorage = replicas } = flags;
  if (minIsr > replicas) {
    throw new CliError(EXIT.usage, `--min-isr ${minIsr} is more than --replicas ${replicas}`);
  }
  return {
    id: memberIdOf(flags),
    zk: zkOf(flags),
    cluster,
    listen,
    advertise: advertisedOf(listen, advertise),
    admin,
    sessionTimeoutMs,
    drainMs,
    create: { shards, replicas, minIsr, leaseMs, replaceAfterMs, initialStorage },
  };
}
