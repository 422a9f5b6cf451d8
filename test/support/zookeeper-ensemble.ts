/** Real ZooKeeper servers that agree by majority, or just one, for tests that kill them one by one. */
import { mkdtempSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../src/system/free-port.js';
import { roleOf } from '../../src/system/zookeeper-process.js';
import { TestZooKeeper } from './zookeeper-server.js';

const LOOK_EVERY_MS = 20;

export class ZooKeeperEnsemble {
  readonly servers: readonly TestZooKeeper[];
  readonly #folder: string;

  private constructor(folder: string, servers: readonly TestZooKeeper[]) {
    this.#folder = folder;
    this.servers = servers;
  }

  /** Resolves when all serve. The folder is theirs alone. */
  static async start(
    size: number,
    folder = mkdtempSync(join(tmpdir(), 'portolan-zk-')),
  ): Promise<ZooKeeperEnsemble> {
    const ports = await freePorts(3 * size);
    const numbers = Array.from({ length: size }, (_, index) => index + 1);
    const servers = numbers.map((_, n) => `127.0.0.1:${ports[3 * n]}:${ports[3 * n + 1]}`);
    const starting = numbers.map(async (id) => {
      const dataDir = join(folder, String(id));
      await mkdir(dataDir, { recursive: true });
      return TestZooKeeper.start({ dataDir, port: ports[3 * id - 1]!, ensemble: { id, servers } });
    });
    return new ZooKeeperEnsemble(folder, await Promise.all(starting));
  }

  /** All servers, as `--zk` takes them. */
  get connect(): string {
    return this.servers.map(({ connect }) => connect).join(',');
  }

  /** The server that leads the others, once there is one. */
  async leader(): Promise<TestZooKeeper> {
    for (;;) {
      for (const server of this.servers) {
        if ((await roleOf(server.port)) === 'leader') return server;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
    await rm(this.#folder, { recursive: true });
  }
}
