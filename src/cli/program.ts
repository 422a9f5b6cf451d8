/** The command `portolan`: its sub-commands, and what is common to all. */
import { Command } from 'commander';
import { doctorCommand } from './doctor-command.js';
import { flag } from './flags.js';
import { healthCommand } from './health-command.js';
import { delCommand, getCommand, putCommand } from './kv-commands.js';
import { playgroundCommand } from './playground-command.js';
import { recoverCommand } from './recover-command.js';
import { routerCommand } from './router-command.js';
import { scrubCommand } from './scrub-command.js';
import { statusCommand } from './status-command.js';
import { storageCommand } from './storage-command.js';
import { version } from './version.js';
import { zookeeperCommand } from './zookeeper-command.js';

const EXIT_CODES = `
Exit status: 0 ok, 1 unexpected, 2 usage, 3 not found, 4 unavailable or deadline,
  5 cluster unhealthy, 6 condition failed, 7 not permitted, 130/143 ended by a signal.
Every flag can be an environment variable: --timeout-ms is PORTOLAN_TIMEOUT_MS.`;

export function buildProgram(): Command {
  const program = new Command('portolan')
    .description('A sharded key-value store: LevelDB shards, ZooKeeper coordination, gRPC access.')
    .version(version(), '--version')
    .addOption(flag('--debug', 'show where an error came from').default(false))
    .showSuggestionAfterError(true)
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText('after', EXIT_CODES);
  const commands = [
    playgroundCommand(),
    routerCommand(),
    storageCommand(),
    getCommand(),
    putCommand(),
    delCommand(),
    statusCommand(),
    healthCommand(),
    scrubCommand(),
    recoverCommand(),
    zookeeperCommand(),
    doctorCommand(),
  ];
  for (const command of commands) program.addCommand(command.copyInheritedSettings(program));
  return program;
}
