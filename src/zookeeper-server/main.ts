/**
 * The role of embedded coordination: opens its data directory, listens, and serves until it is
 * stopped. A failed disk ends it, and everything that was answered is there at its next start.
 */
import { DiskGuard } from '../disk/disk-guard.js';
import { type Address, formatAddress } from '../model/address.js';
import type { AcceptByteStream } from '../ports/byte-stream.js';
import type { Clock } from '../ports/clock.js';
import { type Disk, UnusableDirectoryError } from '../ports/disk.js';
import type { Log } from '../ports/log.js';
import type { RunningRole } from '../ports/process.js';
import type { Random } from '../ports/random.js';
import type { ZooKeeperServerConfig } from './config.js';
import { ZooKeeperServer } from './server.js';
import { TreeStore } from './tree-store.js';

export interface ZooKeeperRoleDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly wallMs: () => number;
  readonly afterReading: () => Promise<void>;
  readonly openDisk: (directory: string) => Promise<Disk>;
  readonly listen: (
    accept: AcceptByteStream,
  ) => Promise<{ readonly address: Address; close(): Promise<void> }>;
}

/**
 * Resolves when it serves.
 *
 * @throws UnusableDirectoryError, or an Error for the operator if it cannot listen.
 */
export async function startZooKeeperServer(
  config: ZooKeeperServerConfig,
  deps: ZooKeeperRoleDeps,
): Promise<RunningRole> {
  const { log } = deps;
  const disk = await deps.openDisk(config.data);
  let end: (reason: unknown) => void = () => undefined;
  const ended = new Promise<void>((_, reject) => {
    end = reject;
  });
  ended.catch(() => undefined); // Whoever started the role looks.
  const guard = new DiskGuard({
    ...deps,
    disk,
    metrics: { diskFreeBytes: 0 },
    refused: 'writes',
    reserveBytes: config.diskReserveBytes,
    changed: () => undefined,
    failed: end,
  });
  try {
    const { store, snapshot } = await openStore(disk, config.data, deps.random);
    await guard.start();
    const server = new ZooKeeperServer(
      {
        ...deps,
        store,
        ...config,
        isFull: () => guard.isFull,
        wrote: (bytes) => guard.wrote(bytes),
        failed: end,
      },
      snapshot,
    );
    const listener = await deps.listen((stream) => server.accept(stream));
    server.address = formatAddress(listener.address);
    const { address } = server;
    const znodes = snapshot?.znodes.length ?? 0;
    const sessions = snapshot?.sessions.length ?? 0;
    log.info('serves clients of ZooKeeper', { address, data: config.data, znodes, sessions });
    let stopped: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      guard.stop();
      await server.stop();
      await listener.close();
      await disk.close();
    };
    return { address, admin: undefined, ended, stop: () => (stopped ??= stop()) };
  } catch (error) {
    guard.stop();
    await disk.close();
    throw error;
  }
}

async function openStore(disk: Disk, data: string, random: Random) {
  try {
    return await TreeStore.open(disk, random);
  } catch (error) {
    if (!(error instanceof UnusableDirectoryError)) throw error;
    const { message } = error;
    throw new UnusableDirectoryError(`data directory ${data}: ${message}`, { cause: error });
  }
}
