/**
 * What a command line means, without doing it: for checking the command lines that stand in files,
 * such as those of docker-compose.yml.
 */
import type { RouterConfig } from '../router/config.js';
import type { StorageConfig } from '../storage/config.js';
import { buildProgram } from './program.js';
import { type RouterFlags, routerConfigOf } from './router-command.js';
import { type StorageFlags, storageConfigOf } from './storage-command.js';

export interface ParsedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly flags: Readonly<Record<string, unknown>>;
  /** Of a role: what it would be started with. */
  readonly config: RouterConfig | StorageConfig | undefined;
}

/**
 * Parses as the command itself does, environment variables included, and prints nothing.
 *
 * @param argv Without the name of the program: `['get', 'greeting']`.
 * @throws CommanderError or CliError, as the command would.
 */
export function parseCommand(argv: readonly string[]): ParsedCommand {
  const program = buildProgram();
  let parsed: ParsedCommand | undefined;
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: () => undefined,
      writeErr: () => undefined,
    });
  }
  for (const command of program.commands) {
    command.action(() => {
      const name = command.name();
      parsed = {
        command: name,
        args: command.args,
        flags: command.opts(),
        config: configOf(name, command.opts()),
      };
    });
  }
  program.parse([...argv], { from: 'user' });
  if (parsed === undefined) throw new Error('no command ran');
  return parsed;
}

function configOf(name: string, flags: unknown): RouterConfig | StorageConfig | undefined {
  if (name === 'router') return routerConfigOf(flags as RouterFlags);
  if (name === 'storage') return storageConfigOf(flags as StorageFlags);
  return undefined;
}
