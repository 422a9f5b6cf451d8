/**
 * The cluster under test: real processes, each behind a proxy that can break its network, with a
 * proxy of its own to ZooKeeper too. Whoever ends without having been told to is noted.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ownerOf } from '../support/connection-owner.js';
import { beginFault, type DiskFault, endFault, FailingDisks } from '../support/failing-disk.js';
import type { PortolanProcess } from '../support/portolan-process.js';
import { TcpFaultProxy } from '../support/tcp-fault-proxy.js';
import { TestCluster } from '../support/test-cluster.js';
import { ZooKeeperEnsemble } from '../support/zookeeper-ensemble.js';
import type { TestZooKeeper } from '../support/zookeeper-server.js';
import type { Shape } from './schedule.js';

export interface ChaosClusterOptions extends Shape {
  /** Holds everything; made by the caller, removed by him. */
  readonly folder: string;
  readonly shards: number;
  /** Each storage node on a small disk of its own, which can be full, or fail. Needs root. */
  readonly smallDisks: boolean;
}

/** While a member was down, another program had its port. */
const PORT_TAKEN = /EADDRINUSE|is in use: choose another with/;
const PORT_TAKEN_MS = 500;

const run = promisify(execFile);

interface Link {
  /** In front of the member. */
  readonly inbound: TcpFaultProxy;
  /** Between the member and each server of ZooKeeper. */
  readonly zooKeeper: readonly TcpFaultProxy[];
}

const SMALL_DISK = '128m';
const RESERVE_MB = 16;
/** After SIGTERM: what a node needs at most to hand over, to finish and to sync, and much more. */
const STOP_MS = 60_000;

export class ChaosCluster {
  readonly cluster: TestCluster<ZooKeeperEnsemble>;
  readonly #options: ChaosClusterOptions;
  readonly #links: Map<string, Link>;
  /** Every process that was ever started, for its log. */
  readonly #started: PortolanProcess[] = [];
  /** Those that were killed or asked to end. */
  readonly #doomed = new Set<PortolanProcess>();
  /** What is wrong with the disks now, by node. */
  readonly #diskFaults = new Map<string, Set<DiskFault | 'full'>>();
  /** Those that lived with such a disk. */
  readonly #mayEnd = new Set<PortolanProcess>();
  /** The last start of each ZooKeeper server that was not killed since. */
  readonly #zooKeeperStarts = new Map<string, Promise<void>>();
  readonly #starting = new Set<string>();
  #isClosed = false;
  /** What nobody asked for: processes that ended by themselves, or would not end. */
  readonly problems: string[] = [];

  private constructor(
    cluster: TestCluster<ZooKeeperEnsemble>,
    links: Map<string, Link>,
    options: ChaosClusterOptions,
  ) {
    this.cluster = cluster;
    this.#links = links;
    this.#options = options;
    for (const id of this.zooKeepers) this.#zooKeeperStarts.set(id, Promise.resolve());
  }

  /** Starts everything; does not wait until it is well. */
  static async start(options: ChaosClusterOptions): Promise<ChaosCluster> {
    const { folder, routers, storage, shards, smallDisks } = options;
    const disks = smallDisks ? await FailingDisks.compile(folder) : undefined;
    const zooKeeper = await ZooKeeperEnsemble.start(options.zooKeeper, join(folder, 'zookeeper'));
    const links = new Map<string, Link>();
    const wire = async (id: string, port: number) => {
      const inbound = await TcpFaultProxy.start(port);
      const toZooKeeper = await Promise.all(
        zooKeeper.servers.map((server) => TcpFaultProxy.start(server.port)),
      );
      links.set(id, { inbound, zooKeeper: toZooKeeper });
      const zk = toZooKeeper.map(({ address }) => address).join(',');
      return { zk, advertise: inbound.address };
    };
    const storageFlags = ['--disk-reserve-mb', String(RESERVE_MB)];
    const storageEnv = (data: string) => disks?.env(data) ?? {};
    const shape = { routers, storage, shards, replicas: 3, storageFlags, storageEnv, wire };
    const self = new ChaosCluster(new TestCluster(zooKeeper, folder, shape), links, options);
    try {
      for (const id of self.routers) await self.start(id);
      for (const id of self.storage) {
        if (smallDisks) await self.#mount(id);
        await self.start(id);
      }
    } catch (error) {
      await self.close();
      throw error;
    }
    return self;
  }

  get routers(): readonly string[] {
    return numbered('r', this.#options.routers);
  }

  get storage(): readonly string[] {
    return numbered('s', this.#options.storage);
  }

  get zooKeepers(): readonly string[] {
    return numbered('z', this.#options.zooKeeper);
  }

  linkOf(id: string): Link {
    return this.#links.get(id)!;
  }

  /**
   * Cuts these members off from the others and from ZooKeeper, for both sides; among themselves they
   * hear each other, and clients hear all.
   */
  split(group: readonly string[]): void {
    for (const id of [...this.routers, ...this.storage]) {
      const { inbound, zooKeeper } = this.linkOf(id);
      const isInside = group.includes(id);
      if (isInside) for (const proxy of zooKeeper) proxy.blackHole('toServer', 'toClient');
      inbound.cutOff((clientPort) => {
        const source = this.#memberAt({ port: clientPort, connectedTo: inbound.port });
        return source !== undefined && group.includes(source) !== isInside;
      });
    }
  }

  /** If it does not run. Several faults may end at the same moment. */
  async start(id: string): Promise<void> {
    if (this.#isClosed || this.#isRunning(id) || this.#starting.has(id)) return;
    this.#starting.add(id);
    try {
      await this.#spawn(id);
    } finally {
      this.#starting.delete(id);
    }
  }

  /** kill -9. */
  async kill(id: string): Promise<void> {
    const process = this.processOf(id);
    this.#doomed.add(process);
    await process.kill();
  }

  /** SIGTERM; does not wait. One that is paused hears it when it goes on. */
  terminate(id: string): PortolanProcess {
    const process = this.processOf(id);
    this.#doomed.add(process);
    process.signal('SIGTERM');
    return process;
  }

  /** Once it has ended as it was asked to. */
  async ended(process: PortolanProcess): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), STOP_MS);
    });
    const how = await Promise.race([process.exited, late]);
    clearTimeout(timer);
    if (how !== 'late' || this.#isClosed) return;
    const what = `${process.name} did not end within ${STOP_MS} ms of SIGTERM`;
    this.problems.push(`${what}:\n${process.tail()}`);
    await process.kill();
  }

  processOf(id: string): PortolanProcess {
    const { routers, storage } = this.cluster;
    return (id.startsWith('r') ? routers : storage).get(id)!;
  }

  zooKeeperOf(id: string): TestZooKeeper {
    return this.cluster.zooKeeper.servers[this.zooKeepers.indexOf(id)]!;
  }

  async killZooKeeper(id: string): Promise<void> {
    await this.#zooKeeperStarts.get(id);
    this.#zooKeeperStarts.delete(id);
    await this.zooKeeperOf(id).kill();
  }

  /** If it does not run. Resolves when it serves. */
  async startZooKeeper(id: string): Promise<void> {
    if (this.#isClosed) return;
    const start = this.#zooKeeperStarts.get(id) ?? this.zooKeeperOf(id).restart();
    this.#zooKeeperStarts.set(id, start);
    await start;
  }

  /** Hardly a byte is free on its disk from now on. It may end of that. */
  async fillDisk(id: string): Promise<void> {
    this.#diskFails(id, 'full');
    for (;;) {
      const { blocks, bfree, bsize } = await statfs(this.#dataOf(id));
      // Refused if it has become more meanwhile.
      if (await this.#resizeDisk(id, String((blocks - bfree) * bsize))) return;
    }
  }

  /** Starts it again if it ended. */
  async freeDisk(id: string): Promise<void> {
    await this.#resizeDisk(id, SMALL_DISK);
    await this.#diskWorks(id, 'full');
  }

  /** Calls of its disk fail from now on. It may end of that. */
  async failDisk(id: string, fault: DiskFault): Promise<void> {
    this.#diskFails(id, fault);
    await beginFault(this.#dataOf(id), fault);
  }

  /** Starts it again if it ended. */
  async mendDisk(id: string, fault: DiskFault): Promise<void> {
    await endFault(this.#dataOf(id), fault);
    await this.#diskWorks(id, fault);
  }

  /** Everything that every process wrote, in the order of their starts. */
  logs(): ReadonlyMap<string, readonly string[]> {
    const logs = new Map<string, string[]>();
    for (const { name, pid, lines } of this.#started) {
      const log = logs.get(name) ?? [];
      logs.set(name, log);
      log.push(`--- pid ${pid}`, ...lines);
    }
    return logs;
  }

  /** Kills every process; what they wrote stays. */
  async end(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#started.map((process) => process.kill()));
    await Promise.allSettled(this.#zooKeeperStarts.values());
    await Promise.all(this.cluster.zooKeeper.servers.map((server) => server.kill()));
    await Promise.all(
      [...this.#links.values()].flatMap(({ inbound, zooKeeper }) => {
        return [inbound, ...zooKeeper].map((proxy) => proxy.close());
      }),
    );
  }

  /** Ends everything that still runs, and removes the small disks. */
  async close(): Promise<void> {
    await this.end();
    for (const id of this.storage) this.#unmount(id);
  }

  async #spawn(id: string): Promise<void> {
    const { cluster } = this;
    const isRouter = id.startsWith('r');
    const process = await (isRouter ? cluster.startRouter(id) : cluster.startStorage(id));
    this.#started.push(process);
    if (this.#isDiskBroken(id)) this.#mayEnd.add(process);
    void process.exited.then((how) => {
      if (this.#isClosed || this.#doomed.has(process)) return;
      if (PORT_TAKEN.test(process.tail())) {
        setTimeout(() => void this.start(id), PORT_TAKEN_MS);
        return;
      }
      if (this.#mayEnd.has(process)) {
        if (!this.#isDiskBroken(id)) void this.start(id);
        return;
      }
      this.problems.push(`${id} ended by itself (${how}):\n${process.tail()}`);
    });
  }

  #memberAt(connection: Parameters<typeof ownerOf>[0]): string | undefined {
    const members = new Map(
      [...this.routers, ...this.storage].map((id) => [this.processOf(id).pid, id]),
    );
    return members.get(ownerOf(connection, members.keys()) ?? -1);
  }

  #isRunning(id: string): boolean {
    const { routers, storage } = this.cluster;
    return (id.startsWith('r') ? routers : storage).get(id)?.isRunning === true;
  }

  #isDiskBroken(id: string): boolean {
    return (this.#diskFaults.get(id)?.size ?? 0) > 0;
  }

  #diskFails(id: string, fault: DiskFault | 'full'): void {
    const faults = this.#diskFaults.get(id) ?? new Set();
    this.#diskFaults.set(id, faults.add(fault));
    this.#mayEnd.add(this.processOf(id));
  }

  /** Unless something else is wrong with it. */
  async #diskWorks(id: string, fault: DiskFault | 'full'): Promise<void> {
    this.#diskFaults.get(id)?.delete(fault);
    if (!this.#isDiskBroken(id)) await this.start(id);
  }

  #dataOf(id: string): string {
    return join(this.#options.folder, id);
  }

  async #resizeDisk(id: string, size: string): Promise<boolean> {
    if (this.#isClosed) return true;
    const options = `remount,size=${size}`;
    return run('mount', ['-o', options, this.#dataOf(id)]).then(
      () => true,
      () => false,
    );
  }

  async #mount(id: string): Promise<void> {
    const data = this.#dataOf(id);
    await mkdir(data);
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_DISK}`, 'portolan-chaos', data]);
  }

  #unmount(id: string): void {
    if (!this.#options.smallDisks) return;
    execFileSync('umount', ['--lazy', this.#dataOf(id)]);
  }
}

function numbered(letter: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
}
