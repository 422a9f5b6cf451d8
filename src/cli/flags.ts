/**
 * Flags that several commands share. Every flag can also be given as an environment variable:
 * `--session-timeout-ms` as PORTOLAN_SESSION_TIMEOUT_MS.
 */
import { InvalidArgumentError, Option } from 'commander';
import { type Address, parseAddress } from '../model/address.js';
import { CLUSTER_NAME_RULE, isClusterName, isMemberId, MEMBER_ID_RULE } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import type { MemberId } from '../model/ids.js';
import { CONNECT_STRING_RULE, parseConnectString } from '../zookeeper/connect-string.js';

/**
 * A flag with its environment variable. An empty variable is none, and a flag without a value is
 * set by any text but those that say no: PORTOLAN_JSON=0 does not ask for JSON.
 */
export function flag(flags: string, description: string): Option {
  const option = new Option(flags, description);
  const variable = environmentName(option);
  const text = process.env[variable];
  const saysNo = option.isBoolean() && /^(?:0|false|no|off)$/i.test(text ?? '');
  return text === '' || saysNo ? option : option.env(variable);
}

/**
 * A count of processes. Its variable may hold something else: PORTOLAN_ROUTERS names routers for
 * the clients' commands, and counts them for the playground.
 */
export function countFlag(flags: string, description: string): Option {
  const option = new Option(flags, description).argParser(countOf(1, 50));
  const variable = environmentName(option);
  const other = process.env[variable];
  return other === undefined || /^\d+$/.test(other) ? option.env(variable) : option;
}

function environmentName(option: Option): string {
  return `PORTOLAN_${option.name().replaceAll('-', '_').toUpperCase()}`;
}

export function zkFlag(): Option {
  return flag('--zk <connect>', `ZooKeeper: ${CONNECT_STRING_RULE}`).argParser(zooKeeper);
}

export function clusterFlag(): Option {
  return flag('--cluster <name>', 'name of the cluster').argParser(clusterName).default('default');
}

/** For commands that look for a cluster: without a name the one that is found is meant. */
export function knownClusterFlag(): Option {
  return flag('--cluster <name>', 'name of the cluster, if it is not "default"') //
    .argParser(clusterName);
}

export function listenFlag(): Option {
  return flag('--listen <address>', 'where gRPC listens, HOST:PORT; port 0 = any free one')
    .argParser(address)
    .default({ host: '127.0.0.1', port: 0 }, '127.0.0.1:0');
}

export function advertiseFlag(): Option {
  return flag('--advertise <address>', 'what others dial, if not the address listened on') //
    .argParser(address);
}

export function idFlag(what: string): Option {
  return flag('--id <id>', `id of the ${what}; the host's name if not given`).argParser(memberId);
}

export function sessionTimeoutFlag(): Option {
  return flag('--session-timeout-ms <ms>', 'after which ZooKeeper takes a silent process for dead')
    .argParser(countOf(100, 600_000))
    .default(6_000);
}

/** Each write goes to all of them: more cost more than they save. */
const REPLICAS_MAX = 7;

/** What a new cluster gets: any one node may die, and everything goes on. */
export const REPLICAS_DEFAULT = 3;

export function replicasFlag(byDefault: string): Option {
  return flag('--replicas <n>', `replicas of each shard, on as many nodes; ${byDefault}`) //
    .argParser(countOf(1, REPLICAS_MAX));
}

/** With two replicas one of them may be away, and writes go on. */
export function minIsrFor(replicas: number): number {
  return replicas > 2 ? 2 : 1;
}

export function minIsrFlag(): Option {
  return flag(
    '--min-isr <n>',
    'replicas in sync without which writes are refused; 2 if not given, 1 with one or two replicas',
  ).argParser(countOf(1, REPLICAS_MAX));
}

export function leaseFlag(): Option {
  return flag('--lease-ms <ms>', 'after which a primary that is cut off is replaced')
    .argParser(countOf(LIMITS.leaseMsMin, LIMITS.leaseMsMax))
    .default(LIMITS.leaseMsDefault);
}

export function replaceFlag(): Option {
  return flag(
    '--replace-after-ms <ms>',
    'how long a storage node is away until its replicas are replaced on others; 0 = never',
  )
    .argParser(countOf(0, LIMITS.replaceAfterMsMax))
    .default(LIMITS.replaceAfterMsDefault);
}

export function drainFlag(): Option {
  return flag('--drain-ms <ms>', 'how long shutdown waits for calls under way')
    .argParser(countOf(0, 600_000))
    .default(5_000);
}

export function timeoutFlag(): Option {
  return flag('--timeout-ms <ms>', 'how long the command may take').argParser(countOf(1, 60_000));
}

export function routersFlag(): Option {
  return flag('--routers <list>', 'routers to ask, HOST:PORT[,...]').argParser(addressList);
}

export function jsonFlag(): Option {
  return flag('--json', 'print JSON').default(false);
}

/** A whole number within bounds, both included. */
export function countOf(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

export function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new InvalidArgumentError('expected HOST:PORT.');
  return parsed;
}

export function label(text: string): string {
  if (!/^[\x21-\x7e]{1,128}$/.test(text)) {
    throw new InvalidArgumentError('expected up to 128 printable characters without spaces.');
  }
  return text;
}

export function addressList(text: string): readonly string[] {
  const addresses = text.split(',');
  for (const item of addresses) address(item);
  return addresses;
}

export function zooKeeper(text: string): string {
  if (parseConnectString(text) === undefined) {
    throw new InvalidArgumentError(`expected ${CONNECT_STRING_RULE}.`);
  }
  return text;
}

function clusterName(text: string): string {
  if (!isClusterName(text)) throw new InvalidArgumentError(`expected ${CLUSTER_NAME_RULE}.`);
  return text;
}

function memberId(text: string): MemberId {
  if (!isMemberId(text)) throw new InvalidArgumentError(`expected ${MEMBER_ID_RULE}.`);
  return text;
}
