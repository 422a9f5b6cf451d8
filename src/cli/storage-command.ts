/** `portolan storage`: one storage node in the foreground. */
import { Command } from 'commander';
import type { Address } from '../model/address.js';
import type { StorageConfig } from '../storage/config.js';
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
import { advertisedOf, checkPorts, warnOfPlaintext } from './listening.js';
import { keepNodeId, nodeIdIn } from './node-id-file.js';
import { logFlags, memberIdOf, type RoleFlags, runRole, zkOf } from './role-command.js';

export interface StorageFlags extends RoleFlags {
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
    const config = storageConfigOf(flags);
    await runRole(config.id, flags, async (log) => {
      await checkPorts({ '--listen': config.listen, '--admin': config.admin });
      // Not sooner: a start that is refused leaves nothing behind.
      if (flags.id === undefined) await keepNodeId(config.data, config.id);
      warnOfPlaintext(log, config.listen);
      const { composeStorage } = await import('../storage/compose.js');
      return composeStorage(config, log);
    });
  });
}

/** @throws CliError for what the flags alone cannot tell. */
export function storageConfigOf(flags: StorageFlags): StorageConfig {
  const { cluster, data, listen, advertise, admin, host, zone } = flags;
  const { sessionTimeoutMs, diskReserveMb, drainMs } = flags;
  const zk = zkOf(flags);
  if (data === undefined) {
    throw new CliError(EXIT.usage, 'where is the data? Give --data DIR or PORTOLAN_DATA');
  }
  return {
    id: flags.id ?? nodeIdIn(data) ?? memberIdOf(flags),
    zk,
    cluster,
    data,
    listen,
    advertise: advertisedOf(listen, advertise),
    admin,
    labels: { host, zone },
    sessionTimeoutMs,
    diskReserveBytes: diskReserveMb * 1024 * 1024,
    drainMs,
  };
}
