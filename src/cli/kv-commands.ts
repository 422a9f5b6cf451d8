/** `portolan get`, `put` and `del`. */
import { Command } from 'commander';
import { ENCODINGS, type Encoding, keyBytesOf, textOf, valueBytesOf } from './bytes.js';
import { type ClientFlags, withClient } from './client-call.js';
import { CliError, EXIT } from './exit.js';
import {
  countOf,
  flag,
  jsonFlag,
  knownClusterFlag,
  routersFlag,
  timeoutFlag,
  zkFlag,
} from './flags.js';
import { print } from './output.js';

interface KvFlags extends ClientFlags {
  readonly keyEncoding: Encoding;
  readonly valueEncoding: Encoding;
  readonly ifVersion?: number;
  readonly ifAbsent?: boolean;
}

const VERSION_MAX = Number.MAX_SAFE_INTEGER;
const KEY_HELP = 'taken literally, @ and - too; write -- before one that begins with -';

function kvCommand(name: string, description: string, examples: string): Command {
  return new Command(name)
    .description(description)
    .addOption(routersFlag())
    .addOption(zkFlag())
    .addOption(knownClusterFlag())
    .addOption(timeoutFlag().default(5_000))
    .addOption(jsonFlag())
    .addOption(flag('--key-encoding <encoding>', 'of <key>').choices(ENCODINGS).default('utf8'))
    .addOption(flag('--value-encoding <encoding>', 'of values').choices(ENCODINGS).default('utf8'))
    .addHelpText('after', examples);
}

export function getCommand(): Command {
  const command = kvCommand(
    'get',
    'Print the value of a key. Exit status 3 if there is none.',
    '\nExamples:\n  portolan get greeting\n  portolan get greeting --json',
  ).argument('<key>', KEY_HELP);
  return command.action(async (key: string) => {
    const flags = command.opts<KvFlags>();
    const keyBytes = keyBytesOf(key, flags.keyEncoding);
    const found = await withClient(flags, (client) => client.get(keyBytes));
    if (found === undefined) throw new CliError(EXIT.notFound, `no such key: ${key}`);
    const { value, version } = found;
    if (flags.json) {
      print(JSON.stringify({ key, ...textOf(value, flags.valueEncoding), version }));
    } else if (process.stdout.isTTY || flags.valueEncoding !== 'utf8') {
      print(textOf(value, flags.valueEncoding).value);
    } else {
      process.stdout.write(value); // Bytes into a pipe stay bytes.
    }
  });
}

export function putCommand(): Command {
  const command = kvCommand(
    'put',
    'Store a value. Exit status 6 if its condition does not hold.',
    '\nExamples:\n  portolan put greeting hello\n  portolan put photo @portrait.png\n' +
      '  date | portolan put now -\n  portolan put greeting hello --if-absent',
  )
    .argument('<key>', KEY_HELP)
    .argument('<value>', 'text, - for stdin, @FILE for a file, @@TEXT for @TEXT')
    .addOption(
      flag('--if-version <n>', 'only if this is the version of the key now') //
        .argParser(countOf(0, VERSION_MAX)),
    )
    .addOption(flag('--if-absent', 'only if there is no such key').conflicts('ifVersion'));
  return command.action(async (key: string, value: string) => {
    const flags = command.opts<KvFlags>();
    const { ifVersion, ifAbsent } = flags;
    const condition = {
      ...(ifVersion === undefined ? {} : { ifVersion }),
      ...(ifAbsent === true ? { ifAbsent } : {}),
    };
    const keyBytes = keyBytesOf(key, flags.keyEncoding);
    const valueBytes = valueBytesOf(value, flags.valueEncoding);
    const written = await withClient(flags, (client) =>
      client.put(keyBytes, valueBytes, condition),
    );
    report(flags, key, written, `stored, version ${written.version}`);
  });
}

export function delCommand(): Command {
  const command = kvCommand(
    'del',
    'Remove a key. Removing one that does not exist is no error.',
    '\nExample:\n  portolan del greeting',
  )
    .argument('<key>', KEY_HELP)
    .addOption(
      flag('--if-version <n>', 'only if this is the version of the key now') //
        .argParser(countOf(1, VERSION_MAX)),
    );
  return command.action(async (key: string) => {
    const flags = command.opts<KvFlags>();
    const condition = flags.ifVersion === undefined ? {} : { ifVersion: flags.ifVersion };
    const keyBytes = keyBytesOf(key, flags.keyEncoding);
    const deleted = await withClient(flags, (client) => client.delete(keyBytes, condition));
    const { version } = deleted;
    report(flags, key, deleted, version === 0 ? 'was not there' : `removed, version ${version}`);
  });
}

function report(
  flags: KvFlags,
  key: string,
  { applied, version }: { applied: boolean; version: number },
  done: string,
): void {
  if (flags.json) print(JSON.stringify({ key, applied, version }));
  else if (applied) print(done);
  if (applied) return;
  const now = version === 0 ? 'there is no such key' : `its version is ${version}`;
  throw new CliError(EXIT.conditionFailed, `not done: ${now}`);
}
