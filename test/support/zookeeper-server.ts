/** A real ZooKeeper for tests, which may be killed, paused and started again on the same data. */
import { cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  startZooKeeper,
  type ZooKeeperProcess,
  type ZooKeeperProcessOptions,
} from '../../src/system/zookeeper-process.js';

export class TestZooKeeper {
  readonly #options: ZooKeeperProcessOptions;
  #server: ZooKeeperProcess;

  private constructor(options: ZooKeeperProcessOptions, server: ZooKeeperProcess) {
    this.#options = options;
    this.#server = server;
  }

  static async start(options: ZooKeeperProcessOptions): Promise<TestZooKeeper> {
    return new TestZooKeeper(options, await startZooKeeper(options));
  }

  get connect(): string {
    return this.#server.connect;
  }

  get port(): number {
    return this.#server.port;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#server.child.kill('SIGCONT');
    this.#server.child.kill('SIGKILL');
    await this.#server.exited;
  }

  /** On the same port, with the data it had. */
  async restart(): Promise<void> {
    await removeHeadlessLogs(join(this.#folder, 'data', 'version-2'));
    this.#server = await startZooKeeper({ ...this.#options, port: this.port });
  }

  get #folder(): string {
    return this.#options.dataDir;
  }

  /** While it is down: keeps a copy of its data. */
  async backUp(): Promise<void> {
    await cp(join(this.#folder, 'data'), join(this.#folder, 'backup'), { recursive: true });
  }

  /** While it is down: its data is gone. */
  async wipe(): Promise<void> {
    await rm(join(this.#folder, 'data'), { recursive: true });
  }

  /** While it is down: its data is what the backup holds. */
  async restore(): Promise<void> {
    await rm(join(this.#folder, 'data'), { recursive: true, force: true });
    await cp(join(this.#folder, 'backup'), join(this.#folder, 'data'), { recursive: true });
  }

  pause(): void {
    this.#server.child.kill('SIGSTOP');
  }

  resume(): void {
    this.#server.child.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Magic number, version and database id: transactions follow. */
const LOG_HEADER_BYTES = 16;

/**
 * What an operator does by hand: a server that is killed just when it begins a log does not start
 * on it again (an EOFException, ZOOKEEPER-1621), although nothing can be in it.
 */
export async function removeHeadlessLogs(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    if (!name.startsWith('log.') || (await stat(path)).size >= LOG_HEADER_BYTES) continue;
    await rm(path);
  }
}

export async function startTestZooKeeper(
  options: Omit<ZooKeeperProcessOptions, 'dataDir'> = {},
): Promise<TestZooKeeper> {
  const dataDir = await mkdtemp(join(tmpdir(), 'portolan-zk-'));
  return TestZooKeeper.start({ ...options, dataDir });
}
