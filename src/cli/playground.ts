/**
 * A whole cluster on this machine: ZooKeeper, routers and storage nodes, each a process, started
 * together and stopped in order. What dies stays dead, so that one can watch what happens, unless
 * it is asked to restart it.
 */
import { join } from 'node:path';
import { type ClusterStatus, connect } from '../client/index.js';
import { freePort } from '../system/free-port.js';
import { startZooKeeper, type ZooKeeperProcess } from '../system/zookeeper-process.js';
import { MemberProcess } from './member-process.js';
import { openFolder, type PlaygroundFolder } from './playground-folder.js';

export interface PlaygroundOptions {
  readonly routers: number;
  readonly storage: number;
  readonly shards: number;
  readonly cluster: string;
  readonly sessionTimeoutMs: number;
  /** Of a ZooKeeper that runs already; undefined = start one. */
  readonly zk: string | undefined;
  /** Where data stays; undefined = a temporary folder. */
  readonly data: string | undefined;
  readonly restart: boolean;
}

export interface PlaygroundEvents {
  /** What is being done, for whoever waits. */
  progress(step: string): void;
  /** A line of a process's log. */
  log(member: string, line: string): void;
  died(member: string, how: string): void;
  restarted(member: string, pid: number): void;
}

export interface RunningMember {
  readonly id: string;
  readonly pid: number;
  readonly address: string;
}

export interface PlaygroundCluster {
  readonly cluster: string;
  readonly zookeeper: { readonly connect: string; readonly pid: number | null };
  readonly routers: readonly (RunningMember & { readonly admin: string })[];
  readonly storage: readonly RunningMember[];
}

const READY_MS = 60_000;
const POLL_MS = 50;
/** Before something that died is started again: doubles, and starts over when it lived long. */
const RESTART_MS = { first: 100, last: 5_000, livedLong: 10_000 };
const TICK_MS = 500;

interface Member {
  readonly process: MemberProcess;
  readonly address: string;
  readonly admin: string;
}

export class Playground {
  readonly #options: PlaygroundOptions;
  readonly #events: PlaygroundEvents;
  readonly #routers: Member[] = [];
  readonly #storage: Member[] = [];
  #folder: PlaygroundFolder | undefined;
  #zooKeeper: ZooKeeperProcess | undefined;
  #stopping = false;

  constructor(options: PlaygroundOptions, events: PlaygroundEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** Resolves when the cluster serves reads and writes. */
  async start(): Promise<PlaygroundCluster> {
    this.#folder = await openFolder(this.#options.data);
    const zk = this.#options.zk ?? (await this.#startZooKeeper(this.#folder.path));
    this.#events.progress(
      `starting ${this.#options.routers} routers and ${this.#options.storage} storage nodes`,
    );
    await this.#startMembers(zk, this.#folder.path);
    this.#events.progress('waiting until every shard is served');
    await this.#untilServing();
    return {
      cluster: this.#options.cluster,
      zookeeper: { connect: zk, pid: this.#zooKeeper?.pid ?? null },
      routers: this.#routers.map((member) => ({ ...running(member), admin: member.admin })),
      storage: this.#storage.map(running),
    };
  }

  /** Routers first, so that nobody is sent to a node that stops; ZooKeeper last. */
  async stop(force = false): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#routers.map(({ process }) => process.stop(force)));
    await Promise.all(this.#storage.map(({ process }) => process.stop(force)));
    await this.#zooKeeper?.stop();
    await this.#folder?.remove();
  }

  async #startZooKeeper(folder: string): Promise<string> {
    this.#events.progress('starting ZooKeeper');
    const server = await startZooKeeper({
      dataDir: join(folder, 'zookeeper'),
      tickTimeMs: TICK_MS,
    });
    this.#zooKeeper = server;
    void server.exited.then(() => {
      if (!this.#stopping) this.#events.died('zookeeper', 'it ended');
    });
    return server.connect;
  }

  async #startMembers(zk: string, folder: string): Promise<void> {
    const { routers, storage, shards, cluster, sessionTimeoutMs } = this.#options;
    const session = ['--session-timeout-ms', String(sessionTimeoutMs)];
    const common = ['--zk', zk, '--cluster', cluster, ...session];
    for (let n = 1; n <= storage; n++) {
      const data = ['--data', join(folder, `s${n}`)];
      this.#storage.push(await this.#member('storage', `s${n}`, [...common, ...data]));
    }
    const create = ['--shards', String(shards), '--initial-storage', String(storage)];
    for (let n = 1; n <= routers; n++) {
      this.#routers.push(await this.#member('router', `r${n}`, [...common, ...create]));
    }
    for (const { process } of [...this.#routers, ...this.#storage]) process.start();
  }

  /** Its ports are chosen here, so that they stay the same over restarts. */
  async #member(role: string, id: string, args: readonly string[]): Promise<Member> {
    const address = `127.0.0.1:${await freePort()}`;
    const admin = `127.0.0.1:${await freePort()}`;
    const listen = ['--listen', address, '--admin', admin];
    const process = new MemberProcess(id, [role, '--id', id, ...listen, ...args], {
      line: (line) => this.#events.log(id, line),
      died: (how) => this.#onDied(process, how),
    });
    return { process, address, admin: `http://${admin}` };
  }

  #onDied(member: MemberProcess, how: string): void {
    if (this.#stopping) return;
    this.#events.died(member.id, how);
    if (!this.#options.restart) return;
    const pauseMs = this.#restartPause(member.id);
    setTimeout(() => {
      if (this.#stopping) return;
      member.start();
      this.#events.restarted(member.id, member.pid);
    }, pauseMs);
  }

  readonly #deaths = new Map<string, { pauseMs: number; atMs: number }>();

  #restartPause(id: string): number {
    const { first, last, livedLong } = RESTART_MS;
    const before = this.#deaths.get(id);
    const atMs = performance.now();
    const soon = before !== undefined && atMs - before.atMs < livedLong;
    const pauseMs = soon ? Math.min(last, before.pauseMs * 2) : first;
    this.#deaths.set(id, { pauseMs, atMs });
    return pauseMs;
  }

  /** Every shard has a primary, and a value can be written and read through the routers. */
  async #untilServing(): Promise<void> {
    const routers = this.#routers.map(({ address }) => address);
    const client = connect(routers, { timeoutMs: 2_000 });
    const deadline = performance.now() + READY_MS;
    let status: ClusterStatus | undefined;
    try {
      for (;;) {
        status = await client.status().catch(() => undefined);
        const complete = status?.candidates.length === routers.length;
        if (status?.healthy === true && complete) break;
        if (this.#stopping) throw new Error('stopped before it was ready');
        if (performance.now() > deadline) throw notReady(status);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      await client.put('portolan-playground', 'ready');
      await client.get('portolan-playground');
      await client.delete('portolan-playground');
    } finally {
      await client.close();
    }
  }
}

function running({ process, address }: Member): RunningMember {
  return { id: process.id, pid: process.pid, address };
}

function notReady(status: ClusterStatus | undefined): Error {
  const why = status === undefined ? 'no router answers' : status.problems.join('; ');
  return new Error(`the cluster is not ready after ${READY_MS / 1000} s: ${why}`);
}
