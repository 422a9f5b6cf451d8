/**
 * Ports that were free a moment ago; whoever uses one must bear that it is taken by then. This
 * process gives none twice. All that are asked about at once are held until the last is known.
 */
import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import type { Address } from '../model/address.js';

const LOOPBACK = '127.0.0.1';

/**
 * Below what systems give to connections and to whoever asks for any port (from 32,768 on Linux):
 * one of those could be gone the moment after, or while the process that listens on it restarts.
 */
const RANGE = { from: 20_000, to: 32_000 };

const MAX_TRIES_PER_PORT = 100;

/** What this process was given may not be listened on yet. */
const given = new Set<number>();

/** So many different ports of loopback. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const held = new Map<number, Server>();
  try {
    for (let tries = 0; held.size < count; tries++) {
      if (tries === MAX_TRIES_PER_PORT * count) throw new Error(`no ${count} free ports found`);
      const port = randomInt(RANGE.from, RANGE.to);
      if (given.has(port)) continue;
      const server = await listenOn({ host: LOOPBACK, port }).catch(() => undefined);
      if (server !== undefined) held.set(port, server);
    }
    for (const port of held.keys()) given.add(port);
    return [...held.keys()];
  } finally {
    await closeAll([...held.values()]);
  }
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('no free port');
  return port;
}

/** For each address why it cannot be listened on, as the system's code; undefined if it can. */
export async function listenProblems(
  addresses: readonly Address[],
): Promise<readonly (string | undefined)[]> {
  const servers: Server[] = [];
  const problems: (string | undefined)[] = [];
  for (const address of addresses) {
    try {
      servers.push(await listenOn(address));
      problems.push(undefined);
    } catch (error) {
      problems.push((error as NodeJS.ErrnoException).code ?? 'unknown');
    }
  }
  await closeAll(servers);
  return problems;
}

/** Takes a port of loopback until it is released; undefined if it is taken already. */
export async function holdPort(port: number): Promise<(() => Promise<void>) | undefined> {
  try {
    const server = await listenOn({ host: LOOPBACK, port });
    server.unref();
    return () => closeAll([server]);
  } catch {
    return undefined;
  }
}

function listenOn({ host, port }: Address): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
}
