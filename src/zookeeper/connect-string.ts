/**
 * Where ZooKeeper is: `HOST:PORT[,HOST:PORT…][/chroot]`, as every ZooKeeper client takes it. Hosts
 * are names or IPv4 addresses: the library cuts at the first colon, so it would look up the name
 * `[` for an IPv6 address. A name that resolves to one works.
 */
import { type Address, formatAddress, parseAddress } from '../model/address.js';

const PORT_DEFAULT = 2181;
const CHROOT = /^(?:\/[A-Za-z0-9._-]+)*$/;

export interface ConnectString {
  readonly servers: readonly Address[];
  /** Empty, or a path that begins with a slash. */
  readonly chroot: string;
}

/** Undefined if the text is none; {@link CONNECT_STRING_RULE} says what is expected. */
export function parseConnectString(text: string): ConnectString | undefined {
  const slash = text.indexOf('/');
  const hosts = slash < 0 ? text : text.slice(0, slash);
  const chroot = slash < 0 || slash === text.length - 1 ? '' : text.slice(slash);
  const servers = hosts.split(',').map((host) => {
    const server = parseAddress(host) ?? parseAddress(`${host}:${PORT_DEFAULT}`);
    return server?.host.includes(':') === true ? undefined : server;
  });
  const valid = CHROOT.test(chroot) && !/\/\.{1,2}(?:\/|$)/.test(chroot);
  if (!valid || servers.some((server) => server === undefined || server.port === 0)) {
    return undefined;
  }
  return { servers: servers.filter((server) => server !== undefined), chroot };
}

export const CONNECT_STRING_RULE =
  'HOST:PORT[,HOST:PORT...][/chroot] with names or IPv4 addresses, like zk1:2181,zk2:2181';

/** The servers alone, as the library takes them. */
export function formatServers({ servers }: ConnectString): string {
  return servers.map(formatAddress).join(',');
}
