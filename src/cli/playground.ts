/**
 * A whole cluster on this machine: ZooKeeper, routers and storage nodes, each a process, started
 * together and stopped in order. What dies stays dead, so that one can watch what happens, unless
 * it is asked to restart it.
 */
import { join } from 'node:path';
import { type Client, type ClusterStatus, connect } from '../client/index.js';
import { freePort } from '../system/free-port.js';
import { startZooKeeper, type ZooKeeperProcess } from '../system/zookeeper-process.js';
import { CliError, EXIT } from './exit.js';
import { MemberProcess } from './member-process.js';
import { openFolder, type PlaygroundFolder } from './playground-folder.js';
import { choosePorts, type MemberPorts, type PlaygroundPorts } from './playground-ports.js';
import { startedByHand } from './started-by-hand.js';
import {
  checkKind,
  REAL,
  startEmbedded,
  TICK_MS,
  ZOOKEEPER_FOLDERS,
} from './playground-zookeeper.js';
import { RestartPauses } from './restart-pauses.js';
import { checkZooKeeper } from './zookeeper-routers.js';

export interface PlaygroundOptions {
  readonly routers: number;
  readonly storage: number;
  readonly shards: number;
  readonly replicas: number;
  readonly leaseMs: number;
  readonly replaceAfterMs: number;
  readonly cluster: string;
  readonly sessionTimeoutMs: number;
  /** Of a ZooKeeper that runs already; `real` = start one; undefined = start our own server. */
  readonly zk: string | undefined;
  /** Where data stays; undefined = a temporary folder. */
  readonly data: string | undefined;
  readonly restart: boolean;
  /** Milliseconds that what died stays dead; undefined = longer each time. */
  readonly restartAfterMs: number | undefined;
}

export interface PlaygroundEvents {
  /** What is being done, for whoever waits. */
  progress(step: string): void;
  /** A line of a process's log. */
  log(member: string, line: string): void;
  /** `again` starts it by hand; undefined if nobody needs to, or can. */
  died(member: string, how: string, again: string | undefined): void;
  restarted(member: string, pid: number): void;
  /** Everything else is stopped, but this is no process of the playground's. */
  runsOn(member: string, address: string): void;
}

export interface RunningMember {
  readonly id: string;
  readonly pid: number;
  readonly address: string;
}

export interface PlaygroundCluster {
  readonly cluster: string;
  readonly zookeeper: { readonly connect: string; readonly pid: number | null };
  /** Nothing but our own small server coordinates it. */
  readonly isEmbedded: boolean;
  readonly routers: readonly (RunningMember & { readonly admin: string })[];
  readonly storage: readonly RunningMember[];
  /** Of each shard. */
  readonly replicas: number;
  /** Id of the router that led when everything was ready. */
  readonly leader: string;
}

const READY_MS = 60_000;
/** A ZooKeeper that was named has so long to answer. */
const ZOOKEEPER_MS = 4_500;
const POLL_MS = 50;
/** For one look at the status, several routers included. */
const STATUS_MS = 2_000;
const STOPPED = 'stopped before it was ready';
/** Written, read and removed before the cluster is called ready. */
const PROBE_KEY = 'portolan-playground';

interface Server {
  readonly process: MemberProcess;
  readonly address: string;
}

interface Member extends Server {
  readonly admin: string;
}

export class Playground {
  readonly #options: PlaygroundOptions;
  readonly #events: PlaygroundEvents;
  readonly #routers: Member[] = [];
  readonly #storage: Member[] = [];
  /** Died and left to whoever watches. */
  readonly #leftDead = new Set<MemberProcess>();
  readonly #restartPauses = new RestartPauses(() => performance.now());
  readonly #lastLines = new Map<string, string>();
  #folder: PlaygroundFolder | undefined;
  #ports: PlaygroundPorts | undefined;
  /** Under way or done; undefined if we started none. */
  #zooKeeper: Promise<ZooKeeperProcess> | undefined;
  #embedded: Server | undefined;
  #zooKeeperPid: number | null = null;
  #phase: 'starting' | 'ready' | 'stopping' = 'starting';
  /** Why it will never be ready, and a promise that rejects with that. */
  #hopeless: Error | undefined;
  readonly #doomed: Promise<never>;
  #doom: (reason: Error) => void = () => undefined;

  constructor(options: PlaygroundOptions, events: PlaygroundEvents) {
    this.#options = options;
    this.#events = events;
    this.#doomed = new Promise((_, reject) => {
      this.#doom = reject;
    });
    this.#doomed.catch(() => undefined); // Whoever waits for something hears.
  }

  /** Resolves when the cluster serves reads and writes; rejects if that will not happen. */
  async start(): Promise<PlaygroundCluster> {
    const { cluster, routers, storage, replicas } = this.#options;
    this.#folder = await openFolder(this.#options.data);
    const zk = await this.#findZooKeeper(this.#folder.path);
    this.#events.progress(`starting ${routers} routers and ${storage} storage nodes`);
    await this.#startMembers(zk, this.#folder.path);
    this.#events.progress('waiting until every shard is served');
    const { leader } = await this.#untilServing();
    this.#expectToGoOn();
    this.#phase = 'ready';
    return {
      cluster,
      zookeeper: { connect: zk, pid: this.#zooKeeperPid },
      isEmbedded: this.#embedded !== undefined,
      routers: this.#routers.map((member) => ({ ...running(member), admin: member.admin })),
      storage: this.#storage.map(running),
      replicas,
      leader: leader?.id ?? '',
    };
  }

  /**
   * Routers first, so that nobody is sent to a node that stops; ZooKeeper last. May be called while
   * it starts, and again with `force`.
   */
  async stop(force = false): Promise<void> {
    this.#phase = 'stopping';
    this.#doom(new Error(STOPPED));
    await Promise.all(this.#routers.map(({ process }) => process.stop(force)));
    await Promise.all(this.#storage.map(({ process }) => process.stop(force)));
    const server = await this.#zooKeeper?.catch(() => undefined);
    await server?.stop();
    await this.#embedded?.process.stop(force);
    await this.#tellWhatRunsOn();
    await this.#ports?.release();
    await this.#folder?.release();
  }

  async #tellWhatRunsOn(): Promise<void> {
    const embedded = this.#embedded === undefined ? [] : [this.#embedded];
    const servers = [...this.#routers, ...this.#storage, ...embedded];
    const dead = servers.filter(({ process }) => this.#leftDead.has(process));
    for (const { process, address } of await startedByHand(dead)) {
      // Once, although it may be asked to stop a second time meanwhile.
      if (this.#leftDead.delete(process)) this.#events.runsOn(process.id, address);
    }
  }

  async #findZooKeeper(folder: string): Promise<string> {
    const { zk, cluster } = this.#options;
    if (zk === undefined) return this.#startEmbedded(folder);
    if (zk === REAL) return this.#startZooKeeper(folder);
    await checkZooKeeper({ zk, cluster, timeoutMs: ZOOKEEPER_MS });
    return zk;
  }

  async #startEmbedded(folder: string): Promise<string> {
    checkKind(folder, 'embedded');
    this.#events.progress('starting ZooKeeper (embedded)');
    const connect = `127.0.0.1:${await freePort()}`;
    this.#expectToGoOn();
    const { process, serving } = startEmbedded(folder, connect, {
      line: (line) => this.#hear('zookeeper', line),
      died: (how) => this.#onDied(process, how),
    });
    this.#embedded = { process, address: connect };
    await this.#untilServed(serving);
    this.#zooKeeperPid = process.pid;
    return connect;
  }

  async #startZooKeeper(folder: string): Promise<string> {
    checkKind(folder, 'real');
    this.#events.progress('starting ZooKeeper');
    const dataDir = join(folder, ZOOKEEPER_FOLDERS.real);
    this.#zooKeeper = startZooKeeper({ dataDir, tickTimeMs: TICK_MS });
    const server = await this.#zooKeeper;
    this.#zooKeeperPid = server.pid;
    void server.exited.then(() => {
      if (this.#phase !== 'stopping') this.#events.died('zookeeper', 'it ended', undefined);
    });
    return server.connect;
  }

  async #startMembers(zk: string, folder: string): Promise<void> {
    const { routers, storage, cluster, sessionTimeoutMs } = this.#options;
    const { shards, replicas, leaseMs, replaceAfterMs } = this.#options;
    const session = ['--session-timeout-ms', String(sessionTimeoutMs)];
    const common = ['--zk', zk, '--cluster', cluster, ...session];
    const tell = (step: string) => this.#events.progress(step);
    this.#ports = await choosePorts({ routers, storage }, tell);
    for (const [index, ports] of this.#ports.storage.entries()) {
      const id = `s${index + 1}`;
      const data = ['--data', join(folder, id)];
      this.#storage.push(this.#member('storage', id, ports, [...common, ...data]));
    }
    const counts = {
      ...{ shards, replicas, 'initial-storage': storage },
      ...{ 'lease-ms': leaseMs, 'replace-after-ms': replaceAfterMs },
    };
    const create = Object.entries(counts).flatMap(([name, count]) => [`--${name}`, String(count)]);
    for (const [index, ports] of this.#ports.routers.entries()) {
      this.#routers.push(this.#member('router', `r${index + 1}`, ports, [...common, ...create]));
    }
    this.#expectToGoOn();
    for (const { process } of [...this.#routers, ...this.#storage]) process.start();
  }

  /** Its ports are chosen here, so that they stay the same over restarts. */
  #member(role: string, id: string, ports: MemberPorts, args: readonly string[]): Member {
    const { listen: address, admin } = ports;
    const listen = ['--listen', address, '--admin', admin];
    const process = new MemberProcess(id, [role, '--id', id, ...listen, ...args], {
      line: (line) => this.#hear(id, line),
      died: (how) => this.#onDied(process, how),
    });
    return { process, address, admin: `http://${admin}` };
  }

  #hear(id: string, line: string): void {
    this.#lastLines.set(id, line);
    this.#events.log(id, line);
  }

  #onDied(member: MemberProcess, how: string): void {
    if (this.#phase === 'stopping') return;
    const byHand = this.#phase === 'ready' && !this.#options.restart;
    if (byHand) this.#leftDead.add(member);
    this.#events.died(member.id, how, byHand ? member.commandLine : undefined);
    if (!this.#options.restart) {
      const lastLine = this.#lastLines.get(member.id) ?? 'it said nothing';
      return this.#giveUp(new Error(`${member.id} died: ${how}. Its last words: ${lastLine}`));
    }
    const pauseMs = this.#options.restartAfterMs ?? this.#restartPauses.next(member.id);
    setTimeout(() => {
      if (this.#phase === 'stopping') return;
      member.start();
      this.#events.restarted(member.id, member.pid);
    }, pauseMs);
  }

  #giveUp(reason: Error): void {
    this.#hopeless ??= reason;
    this.#doom(reason);
  }

  /** @throws Error if it will not serve, or does not in a minute. */
  async #untilServed(serving: Promise<void>): Promise<void> {
    const late = new Error(`ZooKeeper (embedded) does not serve after ${READY_MS / 1000} s`);
    const timer = setTimeout(() => this.#giveUp(late), READY_MS);
    try {
      await Promise.race([serving, this.#doomed]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** @throws Error if there is no point in waiting any longer. */
  #expectToGoOn(): void {
    if (this.#phase === 'stopping') throw new Error(STOPPED);
    if (this.#hopeless !== undefined) throw this.#hopeless;
  }

  /** Every shard has a primary, and a value can be written and read through the routers. */
  async #untilServing(): Promise<ClusterStatus> {
    const routers = this.#routers.map(({ address }) => address);
    const client = connect(routers, { timeoutMs: STATUS_MS });
    const deadline = performance.now() + READY_MS;
    try {
      let status = await statusOf(client);
      while (status?.healthy !== true || status.candidates.length < routers.length) {
        this.#expectToGoOn();
        if (performance.now() > deadline) throw notReady(status);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        status = await statusOf(client);
      }
      // A node that was killed just before is believed alive until its session ends: be patient.
      const patient = { timeoutMs: READY_MS };
      await client.put(PROBE_KEY, 'ready', patient);
      await client.get(PROBE_KEY, patient);
      await client.delete(PROBE_KEY, patient);
      return status;
    } finally {
      await client.close();
    }
  }
}

/** Undefined if no router answers. */
function statusOf(client: Client): Promise<ClusterStatus | undefined> {
  return client.status().catch(() => undefined);
}

function running({ process, address }: Member): RunningMember {
  return { id: process.id, pid: process.pid, address };
}

function notReady(status: ClusterStatus | undefined): Error {
  const why = status === undefined ? 'no router answers' : status.problems.join('; ');
  return new CliError(
    EXIT.unavailable,
    `the cluster is not ready after ${READY_MS / 1000} s: ${why}`,
  );
}
