/** Host and port of a listener: `HOST:PORT`, or `[IPv6]:PORT`. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/;

/** The address in the text, or undefined if it is none. Port 0 means "any free port". */
export function parseAddress(text: string): Address | undefined {
  const match = ADDRESS.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port <= 65_535)) return undefined;
  return { host, port };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export function isAddressText(text: unknown): text is string {
  return typeof text === 'string' && text.length <= 300 && parseAddress(text) !== undefined;
}
