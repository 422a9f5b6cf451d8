/**
 * What coordinates a playground, unless it is a ZooKeeper that runs already: embedded coordination,
 * or a real ZooKeeper of its own.
 *
 * Both keep their data beside that of the storage nodes, and neither reads the other's: a
 * playground whose data is kept goes on with the one it began with.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startZooKeeper, type ZooKeeperProcess } from '../system/zookeeper-process.js';
import { CliError, EXIT } from './exit.js';
import { type MemberEvents, MemberProcess } from './member-process.js';

/** Of `--zk`, instead of an address. */
export const REAL = 'real';

export const ZOOKEEPER_FOLDERS = { embedded: 'coordination', real: 'zookeeper' } as const;

export const EMBEDDED_NOTE =
  'embedded: one process without a quorum, for trying; production uses an ensemble of ZooKeeper';

/** In milliseconds: sessions last 2 to 20 of these. */
export const TICK_MS = 500;

/** @throws CliError if the data here is that of the other kind. */
export function checkKind(folder: string, wanted: keyof typeof ZOOKEEPER_FOLDERS): void {
  const other = wanted === 'real' ? 'embedded' : 'real';
  const has = (kind: typeof wanted) => existsSync(join(folder, ZOOKEEPER_FOLDERS[kind]));
  if (has(wanted) || !has(other)) return;
  const [what, advice] =
    other === 'real'
      ? ['a real ZooKeeper', `add --zk ${REAL}`]
      : ['embedded coordination', `leave --zk ${REAL} away`];
  throw new CliError(EXIT.usage, `what is in ${folder} was made with ${what}: ${advice}`);
}

/**
 * Embedded coordination, not started yet.
 *
 * @param listen HOST:PORT that is free, and stays its own over restarts.
 */
export function embeddedProcess(
  folder: string,
  listen: string,
  events: MemberEvents,
): MemberProcess {
  const data = join(folder, ZOOKEEPER_FOLDERS.embedded);
  const args = ['zookeeper', '--data', data, '--listen', listen, '--tick-ms', String(TICK_MS)];
  return new MemberProcess('zookeeper', args, events);
}

export interface RealZooKeeperEvents {
  died(how: string): void;
  restarted(pid: number): void;
}

/** A real one, which is started again when it dies, if that is wanted. */
export class RealZooKeeper {
  readonly #dataDir: string;
  readonly #events: RealZooKeeperEvents;
  readonly #pauseMs: ((livedMs: number) => number) | undefined;
  /** Under way or done. */
  #starting: Promise<ZooKeeperProcess> | undefined;
  #server: ZooKeeperProcess | undefined;
  #isStopping = false;

  /** @param pauseMs How long it stays dead; undefined: for good. */
  constructor(
    folder: string,
    events: RealZooKeeperEvents,
    pauseMs: ((livedMs: number) => number) | undefined,
  ) {
    this.#dataDir = join(folder, ZOOKEEPER_FOLDERS.real);
    this.#events = events;
    this.#pauseMs = pauseMs;
  }

  /** Of the process running now or last. */
  get pid(): number | null {
    return this.#server?.pid ?? null;
  }

  /**
   * Resolves with HOST:PORT when it serves.
   *
   * @throws MissingPrerequisiteError, or an Error with its last words.
   */
  async start(): Promise<string> {
    const { connect } = await this.#start();
    return connect;
  }

  /** `force` does not wait for a start under way: its process ends with this one. */
  async stop(force: boolean): Promise<void> {
    this.#isStopping = true;
    if (force) return this.#server?.stop();
    const server = await this.#starting?.catch(() => undefined);
    await server?.stop();
  }

  async #start(port?: number): Promise<ZooKeeperProcess> {
    const where = port === undefined ? {} : { port };
    this.#starting = startZooKeeper({ dataDir: this.#dataDir, tickTimeMs: TICK_MS, ...where });
    this.#starting.catch(() => undefined); // Whoever waits for it hears.
    const server = await this.#starting;
    const startedMs = performance.now();
    this.#server = server;
    void server.exited.then(() => {
      this.#died('it ended', server.port, performance.now() - startedMs);
    });
    return server;
  }

  #died(how: string, port: number, livedMs: number): void {
    if (this.#isStopping) return;
    this.#events.died(how);
    if (this.#pauseMs === undefined) return;
    setTimeout(() => void this.#startAgain(port), this.#pauseMs(livedMs));
  }

  async #startAgain(port: number): Promise<void> {
    if (this.#isStopping) return;
    try {
      const { pid } = await this.#start(port);
      this.#startedAgain(pid);
    } catch (error) {
      this.#died(error instanceof Error ? error.message : String(error), port, 0);
    }
  }

  /** Somebody may have stopped it meanwhile. */
  #startedAgain(pid: number): void {
    if (!this.#isStopping) this.#events.restarted(pid);
  }
}
