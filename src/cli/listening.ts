/**
 * Where a process listens and what others dial. Listening everywhere is no address to dial: then
 * the host's name is, as containers and most machines can be found by it.
 */
import { hostname } from 'node:os';
import { type Address, formatAddress } from '../model/address.js';
import type { Log } from '../ports/log.js';
import { listenProblems } from '../system/free-port.js';
import { CliError, EXIT } from './exit.js';

const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/;

/** What others dial; undefined = the address listened on. @throws CliError */
export function advertisedOf(listen: Address, advertise: Address | undefined): Address | undefined {
  if (advertise !== undefined) {
    const { host, port } = advertise;
    if (port > 0 && !EVERYWHERE.has(host)) return advertise;
    throw new CliError(
      EXIT.usage,
      `nobody can dial ${formatAddress(advertise)}: give --advertise a host and a port of its own`,
    );
  }
  if (!EVERYWHERE.has(listen.host)) return undefined;
  if (listen.port > 0) return { host: hostname(), port: listen.port };
  throw new CliError(
    EXIT.usage,
    `others cannot know the port of ${formatAddress(listen)}: give --listen one, or --advertise`,
  );
}

/** What the system's codes mean for the flag that named the address. */
const PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use: choose another',
  EADDRNOTAVAIL: 'is no address of this machine: give one that is',
  EACCES: 'may not be listened on by this user: choose a port from 1024 on',
  ENOTFOUND: 'has a host that nobody knows: give one that is known',
};

/**
 * Before anything is opened: a role that finds out later has touched its data for nothing. Port 0
 * is always free; a port that is taken just after this look fails the start in other words.
 *
 * @param wanted The address that each flag names.
 * @throws CliError
 */
export async function checkPorts(
  wanted: Readonly<Record<`--${string}`, Address | undefined>>,
): Promise<void> {
  const named = Object.entries(wanted).flatMap(([flag, address]) => {
    return address === undefined ? [] : [{ flag, address }];
  });
  const problems = await listenProblems(named.map(({ address }) => address));
  for (const [index, { flag, address }] of named.entries()) {
    const problem = PROBLEMS[problems[index] ?? ''];
    if (problem === undefined) continue;
    throw new CliError(EXIT.usage, `${formatAddress(address)} ${problem} with ${flag}`);
  }
}

/** Traffic is neither encrypted nor authenticated: said wherever others can reach it. */
export function warnOfPlaintext(log: Log, listen: Address): void {
  if (LOOPBACK.test(listen.host)) return;
  log.warn('listening without encryption and authentication: keep this port on a private network', {
    listen: formatAddress(listen),
  });
}
