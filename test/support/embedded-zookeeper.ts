/** The coordination server in this process, on a free port and a disk of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningRole } from '../../src/ports/process.js';
import { composeZooKeeperServer } from '../../src/zookeeper-server/compose.js';
import { MemoryLog } from './storage-harness.js';

export interface EmbeddedOptions {
  readonly tickMs?: number;
  readonly port?: number;
}

export class EmbeddedZooKeeper {
  readonly log = new MemoryLog();
  readonly #folder: string;
  readonly #tickMs: number;
  #role: RunningRole;

  private constructor(folder: string, tickMs: number, role: RunningRole) {
    this.#folder = folder;
    this.#tickMs = tickMs;
    this.#role = role;
  }

  static async start({ tickMs = 500, port = 0 }: EmbeddedOptions = {}): Promise<EmbeddedZooKeeper> {
    const folder = await mkdtemp(join(tmpdir(), 'portolan-embedded-'));
    const log = new MemoryLog();
    const role = await start(folder, tickMs, port, log);
    return new EmbeddedZooKeeper(folder, tickMs, role);
  }

  get connect(): string {
    return this.#role.address;
  }

  /** Stops in order, and starts again on the same port and data. */
  async restart(): Promise<void> {
    const port = Number(this.connect.split(':').at(-1));
    await this.#role.stop();
    this.#role = await start(this.#folder, this.#tickMs, port, this.log);
  }

  async stop(): Promise<void> {
    await this.#role.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function start(folder: string, tickMs: number, port: number, log: MemoryLog): Promise<RunningRole> {
  const listen = { host: '127.0.0.1', port };
  const data = join(folder, 'data');
  return composeZooKeeperServer(
    { listen, data, tickMs, diskReserveBytes: 0, version: 'test' },
    log,
  );
}
