/** `portolan storage`: one storage node in the foreground. */
import { Command } from 'commander';
import type { Address } from '../model/address.js';
import { composeStorage } from '../storage/compose.js';
import { CliError, EXIT } from './exit.js';
import {
  address,
  advertiseFlag,
  clusterFlag,
  countOf,
  drainFlag,
  flag,
  idFlag,
  label,
  listenFlag,
  sessionTimeoutFlag,
  zkFlag,
} from './flags.js';
import { logFlags, memberIdOf, type RoleFlags, runRole, zkOf } from './role-command.js';

interface StorageFlags extends RoleFlags {
  readonly cluster: string;
  readonly data?: string;
  readonly listen: Address;
  readonly advertise?: Address;
  readonly admin?: Address;
  readonly host: string;
  readonly zone: string;
  readonly sessionTimeoutMs: number;
  readonly diskReserveMb: number;
  readonly drainMs: number;
}

const EXAMPLES = `
Example:
  portolan storage --id s1 --zk zk1:2181,zk2:2181,zk3:2181 --data /var/lib/portolan \\
      --listen 0.0.0.0:7100 --advertise s1:7100 --zone a`;

export function storageCommand(): Command {
  const command = new Command('storage')
    .description('Run a storage node: holds shards in one data directory.')
    .addOption(zkFlag())
    .addOption(clusterFlag())
    .addOption(idFlag('storage node'))
    .addOption(flag('--data <dir>', 'the data directory; made if it does not exist'))
    .addOption(listenFlag())
    .addOption(advertiseFlag())
    .addOption(
      flag('--admin <address>', 'where admin HTTP listens; nowhere if not given').argParser(
        address,
      ),
    )
    .addOption(flag('--host <label>', 'physical host, for placement').argParser(label).default(''))
    .addOption(flag('--zone <label>', 'zone, for placement').argParser(label).default(''))
    .addOption(sessionTimeoutFlag())
    .addOption(
      flag('--disk-reserve-mb <n>', 'disk kept free: below it puts are refused')
        .argParser(countOf(0, 1_000_000))
        .default(64),
    )
    .addOption(drainFlag())
    .addHelpText('after', EXAMPLES);
  for (const option of logFlags()) command.addOption(option);
  return command.action(async () => {
    const flags = command.opts<StorageFlags>();
    const id = memberIdOf(flags);
    const zk = zkOf(flags);
    const { cluster, data, listen, host, zone, sessionTimeoutMs, drainMs } = flags;
    if (data === undefined) {
      throw new CliError(EXIT.usage, 'where is the data? Give --data DIR or PORTOLAN_DATA');
    }
    const config = { id, zk, cluster, data, listen, sessionTimeoutMs, drainMs };
    await runRole(id, flags, (log) => {
      return composeStorage(
        {
          ...config,
          advertise: flags.advertise,
          admin: flags.admin,
          labels: { host, zone },
          diskReserveBytes: flags.diskReserveMb * 1024 * 1024,
        },
        log,
      );
    });
  });
}
