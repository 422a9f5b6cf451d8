/** Wires embedded coordination: the one place where it meets its adapters. */
import { setImmediate } from 'node:timers/promises';
import { LevelDisk } from '../leveldb/level-disk.js';
import type { Log } from '../ports/log.js';
import type { RunningRole } from '../ports/process.js';
import { systemClock } from '../system/clock.js';
import { makeDirectory } from '../system/make-directory.js';
import { systemRandom } from '../system/random.js';
import { listenTcp } from '../system/tcp-listener.js';
import type { ZooKeeperServerConfig } from './config.js';
import { startZooKeeperServer } from './main.js';

/** More clients than that are turned away. */
const CONNECTIONS_MAX = 4_096;

/** @throws Error for the operator: a data directory that cannot be used, an address in use. */
export function composeZooKeeperServer(
  config: ZooKeeperServerConfig,
  log: Log,
): Promise<RunningRole> {
  return startZooKeeperServer(config, {
    clock: systemClock,
    random: systemRandom,
    log,
    wallMs: () => Date.now(),
    // Timers come before sockets, and immediates behind them.
    afterReading: () => setImmediate(),
    openDisk: async (directory) => {
      await makeDirectory(directory).catch(() => undefined); // Opening says why not.
      return LevelDisk.open(directory);
    },
    listen: (accept) =>
      listenTcp({
        listen: config.listen,
        connectionsMax: CONNECTIONS_MAX,
        accept,
        troubled: (problem) => log.warn('cannot take a connection', { problem }),
      }),
  });
}
