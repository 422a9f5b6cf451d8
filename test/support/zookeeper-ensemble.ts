/** Several real ZooKeeper servers that agree by majority, for tests that kill them one by one. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
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

  /** Resolves when all serve. */
  static async start(size: number): Promise<ZooKeeperEnsemble> {
    const folder = await mkdtemp(join(tmpdir(), 'portolan-zk-'));
    const ports = await freePorts(3 * size);
    const numbers = Array.from({ length: size }, (_, index) => index + 1);
    const servers = numbers.map((_, n) => `127.0.0.1:${ports[3 * n]}:${ports[3 * n + 1]}`);
    const starting = numbers.map(async (id) => {
      const dataDir = join(folder, String(id));
      await mkdir(dataDir);
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
