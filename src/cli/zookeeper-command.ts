/** `portolan zookeeper`: embedded coordination in the foreground, for trying. */
import { Command } from 'commander';
import type { Address } from '../model/address.js';
import type { LogLevel } from '../ports/log.js';
import type { LogFormat } from '../system/log.js';
import { address, countOf, flag } from './flags.js';
import { checkPorts, warnOfPlaintext } from './listening.js';
import { logFlags, runRole } from './role-command.js';
import { version } from './version.js';

export interface ZooKeeperFlags {
  readonly data: string;
  readonly listen: Address;
  readonly tickMs: number;
  readonly diskReserveMb: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

const MEMBER = 'zookeeper';

const ABOUT = `
One process without a quorum, for trying and testing: while it is down nothing can change who owns
what. In production give routers and storage nodes an ensemble of three or five real ZooKeeper
servers (--zk zk1:2181,zk2:2181,zk3:2181). To move a cluster there with its data: stop everything,
start the storage nodes on the ensemble, rebuild the shard map from what they hold with
\`portolan recover\`, and start the routers last.

Examples:
  portolan zookeeper --data ./zookeeper
  portolan zookeeper --data ./zookeeper --listen 127.0.0.1:2181 --tick-ms 500
  echo srvr | nc 127.0.0.1 2181`;

export function zookeeperCommand(): Command {
  const command = new Command(MEMBER)
    .description('Run embedded coordination: a server that speaks the protocol of ZooKeeper 3.8.')
    .addOption(
      flag('--data <dir>', 'the data directory; made if it does not exist').makeOptionMandatory(),
    )
    .addOption(
      flag('--listen <address>', 'where clients call')
        .argParser(address)
        .default({ host: '127.0.0.1', port: 2181 }, '127.0.0.1:2181'),
    )
    .addOption(
      flag('--tick-ms <ms>', 'sessions last 2 to 20 ticks')
        .argParser(countOf(50, 60_000))
        .default(2_000),
    )
    .addOption(
      flag('--disk-reserve-mb <n>', 'disk kept free: below it writes are refused')
        .argParser(countOf(0, 1_000_000))
        .default(64),
    )
    .addHelpText('after', ABOUT);
  for (const option of logFlags()) command.addOption(option);
  return command.action(async () => {
    const flags = command.opts<ZooKeeperFlags>();
    const { data, listen, tickMs, diskReserveMb } = flags;
    await runRole(MEMBER, flags, async (log) => {
      await checkPorts({ '--listen': listen });
      warnOfPlaintext(log, listen);
      const { composeZooKeeperServer } = await import('../zookeeper-server/compose.js');
      const diskReserveBytes = diskReserveMb * 1024 * 1024;
      const config = { data, listen, tickMs, diskReserveBytes, version: `portolan ${version()}` };
      return composeZooKeeperServer(config, log);
    });
  });
}
