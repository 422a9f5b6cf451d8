/**
 * A whole cluster on this machine: coordination, routers and storage nodes, each a process, started
 * together and stopped in order. What dies stays dead, so that one can watch what happens, unless
 * it is asked to restart it.
 */
import { join } from 'node:path';
import { freePort } from '../system/free-port.js';
import { MemberProcess } from './member-process.js';
import { openFolder, type PlaygroundFolder } from './playground-folder.js';
import { choosePorts, type MemberPorts, type PlaygroundPorts } from './playground-ports.js';
import { unlessAborted, untilListening, untilServing } from './playground-readiness.js';
import {
  checkKind,
  embeddedProcess,
  REAL,
  RealZooKeeper,
  type RealZooKeeperEvents,
} from './playground-zookeeper.js';
import { RestartPauses } from './restart-pauses.js';
import { startedByHand } from './started-by-hand.js';
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
  /** Of a ZooKeeper that runs already; `real` = start one; undefined = embedded coordination. */
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
  /** Embedded coordination runs it. */
  readonly isEmbedded: boolean;
  readonly routers: readonly (RunningMember & { readonly admin: string })[];
  readonly storage: readonly RunningMember[];
  /** Of each shard. */
  readonly replicas: number;
  /** Id of the router that led when everything was ready. */
  readonly leader: string;
}

/** A ZooKeeper that was named has so long to answer. */
const ZOOKEEPER_MS = 4_500;

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
  readonly #restartPauses = new RestartPauses();
  readonly #lastLines = new Map<string, string>();
  #folder: PlaygroundFolder | undefined;
  #ports: PlaygroundPorts | undefined;
  #embedded: Server | undefined;
  #real: RealZooKeeper | undefined;
  #phase: 'starting' | 'ready' | 'stopping' = 'starting';
  /** Aborted, with the reason, when it will never be ready. */
  readonly #starting = new AbortController();

  constructor(options: PlaygroundOptions, events: PlaygroundEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** Resolves when the cluster serves reads and writes; rejects if that will not happen. */
  async start(): Promise<PlaygroundCluster> {
    const { signal } = this.#starting;
    const running = await unlessAborted(signal, this.#start(signal));
    this.#phase = 'ready';
    return running;
  }

  /**
   * Routers first, so that nobody is sent to a node that stops; ZooKeeper last. May be called while
   * it starts, and again with `force`.
   */
  async stop(force = false): Promise<void> {
    this.#phase = 'stopping';
    this.#starting.abort(new Error('stopped before it was ready'));
    await Promise.all(this.#routers.map(({ process }) => process.stop(force)));
    await Promise.all(this.#storage.map(({ process }) => process.stop(force)));
    await this.#real?.stop(force);
    await this.#embedded?.process.stop(force);
    await this.#tellWhatRunsOn();
    await this.#ports?.release();
    await this.#folder?.release();
  }

  async #start(signal: AbortSignal): Promise<PlaygroundCluster> {
    const { cluster, routers, storage, replicas } = this.#options;
    this.#folder = await openFolder(this.#options.data);
    const zk = await this.#findZooKeeper(this.#folder.path, signal);
    this.#events.progress(`starting ${routers} routers and ${storage} storage nodes`);
    await this.#startMembers(zk, this.#folder.path, signal);
    this.#events.progress('waiting until every shard is served');
    const addresses = this.#routers.map(({ address }) => address);
    const { leader } = await untilServing(addresses, signal);
    signal.throwIfAborted();
    return {
      cluster,
      zookeeper: { connect: zk, pid: this.#embedded?.process.pid ?? this.#real?.pid ?? null },
      isEmbedded: this.#embedded !== undefined,
      routers: this.#routers.map((member) => ({ ...running(member), admin: member.admin })),
      storage: this.#storage.map(running),
      replicas,
      leader: leader?.id ?? '',
    };
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

  async #findZooKeeper(folder: string, signal: AbortSignal): Promise<string> {
    const { zk, cluster } = this.#options;
    if (zk === undefined) return this.#startEmbedded(folder, signal);
    if (zk === REAL) return this.#startReal(folder, signal);
    await checkZooKeeper({ zk, cluster, timeoutMs: ZOOKEEPER_MS });
    return zk;
  }

  async #startEmbedded(folder: string, signal: AbortSignal): Promise<string> {
    checkKind(folder, 'embedded');
    this.#events.progress('starting embedded coordination');
    const address = `127.0.0.1:${await freePort()}`;
    signal.throwIfAborted();
    const process = embeddedProcess(folder, address, {
      line: (line) => this.#hear('zookeeper', line),
      died: (how, livedMs) => this.#onDied(process, how, livedMs),
    });
    this.#embedded = { process, address };
    process.start();
    await untilListening(address, signal, () => this.#lastWordsOf(process.id));
    return address;
  }

  async #startReal(folder: string, signal: AbortSignal): Promise<string> {
    checkKind(folder, 'real');
    this.#events.progress('starting ZooKeeper');
    signal.throwIfAborted();
    const { restart } = this.#options;
    const events: RealZooKeeperEvents = {
      died: (how) => {
        this.#events.died('zookeeper', how, undefined);
        if (!restart) this.#giveUp(`zookeeper died: ${how}`);
      },
      restarted: (pid) => this.#events.restarted('zookeeper', pid),
    };
    const pauseMs = (livedMs: number) => this.#restartPause('zookeeper', livedMs);
    this.#real = new RealZooKeeper(folder, events, restart ? pauseMs : undefined);
    return this.#real.start();
  }

  async #startMembers(zk: string, folder: string, signal: AbortSignal): Promise<void> {
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
    signal.throwIfAborted();
    for (const { process } of [...this.#routers, ...this.#storage]) process.start();
  }

  /** Its ports are chosen here, so that they stay the same over restarts. */
  #member(role: string, id: string, ports: MemberPorts, args: readonly string[]): Member {
    const { listen: address, admin } = ports;
    const listen = ['--listen', address, '--admin', admin];
    const process = new MemberProcess(id, [role, '--id', id, ...listen, ...args], {
      line: (line) => this.#hear(id, line),
      died: (how, livedMs) => this.#onDied(process, how, livedMs),
    });
    return { process, address, admin: `http://${admin}` };
  }

  #hear(id: string, line: string): void {
    this.#lastLines.set(id, line);
    this.#events.log(id, line);
  }

  #lastWordsOf(id: string): string {
    return this.#lastLines.get(id) ?? 'it said nothing';
  }

  #onDied(member: MemberProcess, how: string, livedMs: number): void {
    if (this.#phase === 'stopping') return;
    const { restart } = this.#options;
    const byHand = this.#phase === 'ready' && !restart;
    if (byHand) this.#leftDead.add(member);
    this.#events.died(member.id, how, byHand ? member.commandLine : undefined);
    if (!restart) {
      return this.#giveUp(
        `${member.id} died: ${how}. Its last words: ${this.#lastWordsOf(member.id)}`,
      );
    }
    setTimeout(
      () => {
        if (this.#phase === 'stopping') return;
        member.start();
        this.#events.restarted(member.id, member.pid);
      },
      this.#restartPause(member.id, livedMs),
    );
  }

  #restartPause(id: string, livedMs: number): number {
    return this.#options.restartAfterMs ?? this.#restartPauses.next(id, livedMs);
  }

  /** Means nothing once it is ready. */
  #giveUp(reason: string): void {
    this.#starting.abort(new Error(reason));
  }
}

function running({ process, address }: Member): RunningMember {
  return { id: process.id, pid: process.pid, address };
}
