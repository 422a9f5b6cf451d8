/**
 * Where a process listens and what others dial. Listening everywhere is no address to dial: then
 * the host's name is, as containers and most machines can be found by it.
 */
import { hostname } from 'node:os';
import { type Address, formatAddress } from '../model/address.js';
import type { Log } from '../ports/log.js';
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

/** Traffic is neither encrypted nor authenticated: said wherever others can reach it. */
export function warnOfPlaintext(log: Log, listen: Address): void {
  if (LOOPBACK.test(listen.host)) return;
  log.warn('listening without encryption and authentication: keep this port on a private network', {
    listen: formatAddress(listen),
  });
}
