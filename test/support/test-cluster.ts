/**
 * A cluster of real processes on a real ZooKeeper, for tests that kill and pause them one by one.
 * Ports stay the same over restarts, as an operator's would.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterStatus } from '../../src/client/index.js';
import { connect } from '../../src/client/index.js';
import { freePorts } from '../../src/system/free-port.js';
import { PortolanProcess } from './portolan-process.js';
import { startTestZooKeeper, type TestZooKeeper } from './zookeeper-server.js';

/** One server, or an ensemble. */
type AnyZooKeeper = Pick<TestZooKeeper, 'connect' | 'stop'>;

/** Short, so that tests of expiry do not take long; still 4 ticks of the test ZooKeeper. */
export const SESSION_TIMEOUT_MS = 2_000;

/** Where a member finds ZooKeeper, and where others find the member. */
export interface Wiring {
  readonly zk: string;
  readonly advertise: string;
}

export interface ClusterShape {
  readonly routers?: number;
  readonly storage?: number;
  readonly shards?: number;
  /** Three if not given, as far as there are nodes. */
  readonly replicas?: number;
  /** More of `portolan router`. */
  readonly create?: readonly string[];
  readonly cluster?: string;
  readonly sessionTimeoutMs?: number;
  /** More flags of every storage node. */
  readonly storageFlags?: readonly string[];
  /** More of the environment of a storage node with this data directory. */
  readonly storageEnv?: (data: string) => NodeJS.ProcessEnv;
  /** Puts something between a member, which listens at that port, and all others. */
  readonly wire?: (id: string, port: number) => Promise<Wiring>;
}

export class TestCluster<Z extends AnyZooKeeper = TestZooKeeper> {
  readonly zooKeeper: Z;
  readonly name: string;
  readonly folder: string;
  readonly routers = new Map<string, PortolanProcess>();
  readonly storage = new Map<string, PortolanProcess>();
  readonly #shape: Required<ClusterShape>;
  readonly #ports = new Map<string, { grpc: number; admin: number }>();
  readonly #wirings = new Map<string, Wiring>();

  constructor(zooKeeper: Z, folder: string, shape: ClusterShape) {
    this.zooKeeper = zooKeeper;
    this.folder = folder;
    this.#shape = {
      routers: 3,
      storage: 3,
      shards: 16,
      replicas: Math.max(1, Math.min(3, shape.storage ?? 3)),
      create: [],
      cluster: 'default',
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      storageFlags: [],
      storageEnv: () => ({}),
      wire: (_, port) => {
        return Promise.resolve({ zk: zooKeeper.connect, advertise: `127.0.0.1:${port}` });
      },
      ...shape,
    };
    this.name = this.#shape.cluster;
  }

  /** Starts a ZooKeeper (unless one is given) and every process; waits until all is healthy. */
  static async start(shape: ClusterShape = {}, zooKeeper?: TestZooKeeper): Promise<TestCluster> {
    return TestCluster.startOn(zooKeeper ?? (await startTestZooKeeper()), shape);
  }

  static async startOn<Z extends AnyZooKeeper>(
    zooKeeper: Z,
    shape: ClusterShape,
  ): Promise<TestCluster<Z>> {
    const folder = await mkdtemp(join(tmpdir(), 'portolan-test-'));
    const cluster = new TestCluster(zooKeeper, folder, shape);
    for (let n = 1; n <= cluster.#shape.routers; n++) await cluster.startRouter(`r${n}`);
    for (let n = 1; n <= cluster.#shape.storage; n++) await cluster.startStorage(`s${n}`);
    if (cluster.#shape.storage > 0) await cluster.untilHealthy();
    return cluster;
  }

  async startRouter(id: string): Promise<PortolanProcess> {
    const { grpc, admin } = await this.#portsOf(id);
    const router = new PortolanProcess(id, [
      'router',
      ...(await this.#common(id, grpc)),
      ...['--admin', `127.0.0.1:${admin}`],
      ...['--shards', String(this.#shape.shards)],
      ...['--replicas', String(this.#shape.replicas)],
      ...['--initial-storage', String(Math.max(1, this.#shape.storage))],
      ...this.#shape.create,
    ]);
    this.routers.set(id, router);
    return router;
  }

  async startStorage(id: string, more: readonly string[] = []): Promise<PortolanProcess> {
    const { grpc } = await this.#portsOf(id);
    const data = join(this.folder, id);
    const common = await this.#common(id, grpc);
    const args = ['storage', ...common, '--data', data, ...this.#shape.storageFlags, ...more];
    const node = new PortolanProcess(id, args, this.#shape.storageEnv(data));
    this.storage.set(id, node);
    return node;
  }

  /** The next start of this member is at another address. */
  forgetPorts(id: string): void {
    this.#ports.delete(id);
    this.#wirings.delete(id);
  }

  addressOf(id: string): string {
    const wiring = this.#wirings.get(id);
    if (wiring === undefined) throw new Error(`${id} was never started`);
    return wiring.advertise;
  }

  adminOf(id: string): string {
    const ports = this.#ports.get(id);
    if (ports === undefined) throw new Error(`${id} was never started`);
    return `http://127.0.0.1:${ports.admin}`;
  }

  get routerAddresses(): string[] {
    return [...this.routers.keys()].map((id) => this.addressOf(id));
  }

  /**
   * The status once it satisfies the condition. One router tells it, but each that runs listens by
   * then: whoever calls one of them next is not refused because it is still starting.
   */
  async until(
    holds: (status: ClusterStatus) => boolean,
    { routers = this.routerAddresses, timeoutMs = 30_000 } = {},
  ): Promise<ClusterStatus> {
    await Promise.all([...this.routers.values()].map((router) => router.listens()));
    const client = connect(routers);
    const deadline = performance.now() + timeoutMs;
    let last: ClusterStatus | undefined;
    try {
      for (;;) {
        last = await client.status({ timeoutMs: 2_000 }).catch(() => last);
        if (last !== undefined && holds(last)) return last;
        if (performance.now() > deadline) {
          const logs = [...this.routers.values(), ...this.storage.values()].map((p) => p.tail());
          throw new Error(
            `not reached: ${holds.toString()}\n${JSON.stringify(last)}\n${logs.join('\n')}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } finally {
      await client.close();
    }
  }

  untilHealthy(): Promise<ClusterStatus> {
    return this.until((status) => status.healthy);
  }

  /** Ends everything and removes what it left. The ZooKeeper too, unless it was given. */
  async stop({ keepZooKeeper = false } = {}): Promise<void> {
    await Promise.all([...this.routers.values(), ...this.storage.values()].map((p) => p.kill()));
    if (!keepZooKeeper) await this.zooKeeper.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #common(id: string, port: number): Promise<string[]> {
    const wiring = this.#wirings.get(id) ?? (await this.#shape.wire(id, port));
    this.#wirings.set(id, wiring);
    return [
      ...['--id', id, '--zk', wiring.zk, '--cluster', this.name],
      ...['--listen', `127.0.0.1:${port}`, '--advertise', wiring.advertise],
      ...['--session-timeout-ms', String(this.#shape.sessionTimeoutMs)],
    ];
  }

  async #portsOf(id: string): Promise<{ grpc: number; admin: number }> {
    const ports = this.#ports.get(id) ?? (await twoPorts());
    this.#ports.set(id, ports);
    return ports;
  }
}

async function twoPorts(): Promise<{ grpc: number; admin: number }> {
  const [grpc, admin] = await freePorts(2);
  return { grpc: grpc!, admin: admin! };
}
