/** A real ZooKeeper for tests, which may be killed, paused and started again on the same data. */
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startZooKeeper, type ZooKeeperProcess } from '../../src/system/zookeeper-process.js';

export class TestZooKeeper {
  readonly #folder: string;
  #server: ZooKeeperProcess;

  constructor(folder: string, server: ZooKeeperProcess) {
    this.#folder = folder;
    this.#server = server;
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
    this.#server = await startZooKeeper({ dataDir: this.#folder, port: this.port });
  }

  /** While it is down: takes its data away, as a wiped disk would. */
  async wipe(): Promise<void> {
    await rename(join(this.#folder, 'data'), join(this.#folder, 'backup'));
  }

  /** While it is down: puts the data back that `wipe` took. */
  async restore(): Promise<void> {
    await rm(join(this.#folder, 'data'), { recursive: true, force: true });
    await rename(join(this.#folder, 'backup'), join(this.#folder, 'data'));
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

export async function startTestZooKeeper(): Promise<TestZooKeeper> {
  const folder = await mkdtemp(join(tmpdir(), 'portolan-zk-'));
  return new TestZooKeeper(folder, await startZooKeeper({ dataDir: folder }));
}
