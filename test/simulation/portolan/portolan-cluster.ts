/**
 * A whole Portolan cluster in one simulation: every member a real role in a simulated process, with
 * its disk, its streams and its ZooKeeper session; and somebody who starts again what ended by
 * itself, as an operator's process supervisor does.
 */
import { assert } from '../../../src/model/assert.js';
import type { Uuid } from '../../../src/model/ids.js';
import { RefusedError } from '../../../src/model/refusals.js';
import { clusterRoot, ZNODES } from '../../../src/model/znodes.js';
import { StorageFailure } from '../../../src/ports/disk.js';
import type { InspectionHandler } from '../../../src/ports/network.js';
import type { RunningRole } from '../../../src/ports/process.js';
import type { RouterView } from '../../../src/router/role.js';
import type { StorageView } from '../../../src/storage/main.js';
import type { Snapshot } from '../../../src/znode-tree/snapshot.js';
import type { Cluster, ClusterMember, CoordinationFaults, HeldLease } from '../cluster.js';
import { SimDisk } from '../sim-disk.js';
import { SimNetwork } from '../sim-network.js';
import { SimProcess } from '../sim-process.js';
import type { SimCoordinator } from '../sim-zookeeper-coordinator.js';
import { SimZooKeeper } from '../sim-zookeeper.js';
import type { Simulation } from '../simulation.js';
import { CLUSTER, CLUSTER_ZNODE, type MemberOutside } from './member-process.js';
import type { SeedPlan } from './plan.js';
import { startRouterIn } from './router-process.js';
import { SimDialer } from './sim-dialer.js';
import { type LogListener, SimLog } from './sim-log.js';
import { SimRandom } from './sim-random.js';
import { startStorageIn } from './storage-process.js';

/** One life of a member. */
export interface Life {
  /** Counts the lives of all members. */
  readonly number: number;
  readonly process: SimProcess;
  readonly coordinator: SimCoordinator;
  role: RunningRole | undefined;
  /** Of a storage node that has started, what an operator asks, and whose directory it has. */
  storage: StorageView | undefined;
  inspection: InspectionHandler | undefined;
  store: Uuid | undefined;
  /** Of a router that has started. */
  router: RouterView | undefined;
}

export interface ClusterOptions {
  readonly plan: SeedPlan;
  readonly logged: LogListener;
  /** A storage node has opened its directory, and verified what an opening does. */
  readonly opened: (life: Life) => void;
  /** The data of ZooKeeper is about to be replaced by that of before, or by none. */
  readonly setBack: () => void;
}

/** Between two looks at a cluster that is being formed. */
const BEGINNINGS_MS = 2;
/** Until a member that ended by itself is started again. */
const RESTART_MS = { least: 200, most: 1_500 };
/** Paths of candidates' znodes. */
const ELECTION = new RegExp(`^${clusterRoot(CLUSTER)}${ZNODES.election}/`);
const SHARDS = clusterRoot(CLUSTER) + ZNODES.shards;
/** No two processes begin to count time at the same moment. */
const CLOCK_MS_MAX = 1e6;

export class PortolanCluster implements Cluster {
  readonly members: readonly ClusterMember[];
  readonly network: SimNetwork;
  readonly zooKeeper: SimZooKeeper;
  readonly coordination: CoordinationFaults;
  /** What ZooKeeper had while the cluster was being formed, until somebody asks. */
  readonly #beginnings: Snapshot[] = [];
  #isForming = true;
  /** What a role did that none may do. */
  failure: Error | undefined;
  readonly #simulation: Simulation;
  readonly #options: ClusterOptions;
  readonly #disks = new Map<string, SimDisk>();
  readonly #lives = new Map<string, Life>();
  /** Members that ZooKeeper cannot be reached from. */
  readonly #cutOff = new Set<string>();
  /** How often each machine was started. */
  readonly #boots = new Map<string, number>();
  #lifeCount = 0;

  constructor(simulation: Simulation, options: ClusterOptions) {
    this.#simulation = simulation;
    this.#options = options;
    const { cluster, zooKeeper, network } = options.plan;
    this.network = new SimNetwork(simulation, network);
    const prng = simulation.prng.fork('zookeeper');
    this.zooKeeper = new SimZooKeeper({
      clock: new SimProcess(simulation, { name: 'zookeeper' }).clock,
      random: () => prng.fraction(),
      lagMs: zooKeeper.lagMs,
    });
    this.coordination = this.#coordinationFaults();
    const named = (role: string, letter: string, count: number) =>
      Array.from({ length: count }, (_, index) => ({ name: `${letter}${index + 1}`, role }));
    const storage = named('storage', 's', cluster.nodes);
    this.members = [...named('router', 'r', cluster.routers), ...storage];
    for (const { name } of storage) {
      this.#disks.set(name, new SimDisk(simulation.prng.fork(`disk ${name}`)));
    }
    for (const { name } of this.members) this.start(name);
    const { script } = options.plan.faults;
    if (script?.name === 'coordination-set-back') this.#keepBeginnings();
  }

  /** The newest life of each member. */
  get lives(): Iterable<Life> {
    return this.#lives.values();
  }

  get disks(): Iterable<SimDisk> {
    return this.#disks.values();
  }

  /** The newest life of a member; it may be over. */
  lifeOf(name: string): Life {
    const life = this.#lives.get(name);
    assert(life !== undefined, 'a member has a life', () => ({ name }));
    return life;
  }

  processOf(name: string): SimProcess {
    return this.lifeOf(name).process;
  }

  diskOf(name: string): SimDisk | undefined {
    return this.#disks.get(name);
  }

  leases(): readonly HeldLease[] {
    const overseers = this.members.flatMap(({ name, role }) => (role === 'router' ? name : []));
    return [...this.#lives.values()].flatMap(({ process, storage }) => {
      if (process.isDead || process.isPaused || storage === undefined) return [];
      return [...storage.replicas()].flatMap(({ config, primary }): HeldLease | [] => {
        const grantors = config?.isr.filter((node) => node !== process.name) ?? [];
        const isHeld = primary?.isServing === true && process.clock.now() < primary.leaseUntil;
        return isHeld && grantors.length > 0 ? { holder: process.name, grantors, overseers } : [];
      });
    });
  }

  kill(name: string, { isSilent }: { readonly isSilent: boolean }): void {
    this.processOf(name).kill({ isSilent });
    this.#disks.get(name)?.crash({ isPowerCut: isSilent });
    if (isSilent) this.#boots.set(name, this.#bootOf(name) + 1);
  }

  /** SIGTERM: the member ends in order, and is gone then. */
  stop(name: string): void {
    const life = this.lifeOf(name);
    life.process.soon(() => {
      if (life.role === undefined) return this.#exit(life);
      life.role.stop().then(
        () => this.#exit(life),
        (error: unknown) => this.fail(error),
      );
    });
  }

  start(name: string): void {
    const number = ++this.#lifeCount;
    const { driftMax, zooKeeper } = this.#options.plan;
    const clock = this.#simulation.prng.fork(`clock ${number}`);
    const clockMs = clock.range(0, CLOCK_MS_MAX);
    const clockRate = 1 + clock.range(-driftMax, driftMax);
    const process = new SimProcess(this.#simulation, { name, clockMs, clockRate });
    const { sessionTimeoutMs } = zooKeeper;
    const coordinator = this.zooKeeper.coordinator(clusterRoot(CLUSTER), {
      clock: process.clock,
      sessionTimeoutMs,
    });
    coordinator.setReachable(!this.#cutOff.has(name));
    const storage = { storage: undefined, inspection: undefined, store: undefined };
    const started = { role: undefined, ...storage, router: undefined };
    const life: Life = { number, process, coordinator, ...started };
    this.#lives.set(name, life);
    process.soon(() => {
      this.#run(life).catch((reason: unknown) => this.#onEnd(life, reason));
    });
  }

  /** As an operator's command does: verifies the data of every replica that a node holds. */
  scrub(name: string): void {
    const { process, storage, inspection } = this.lifeOf(name);
    process.soon(() => {
      for (const { body } of storage?.replicas() ?? []) {
        const { shard, shardUuid } = body;
        inspection?.scrub({ shard, shardUuid, at: undefined }).catch((error: unknown) => {
          if (!(error instanceof RefusedError)) this.fail(error);
        });
      }
    });
  }

  /** Kills a member if it lives, and starts it. */
  restart(name: string): void {
    if (!this.processOf(name).isDead) this.kill(name, { isSilent: false });
    this.start(name);
  }

  /** Somebody broke a promise: the run is over. */
  fail(error: unknown): void {
    this.failure ??= error instanceof Error ? error : new Error(String(error));
    this.#simulation.stop();
  }

  async #run(life: Life): Promise<void> {
    const outside = this.#outsideOf(life);
    const { plan } = this.#options;
    const { name } = life.process;
    const disk = this.#disks.get(name);
    if (disk === undefined) {
      const { shards, replicas, minIsr, leaseMs, nodes } = plan.cluster;
      const times = { leaseMs, replaceAfterMs: 0 };
      const create = { shards, replicas, minIsr, ...times, initialStorage: nodes };
      const { role, view } = await startRouterIn({ ...outside, create });
      life.router = view;
      life.role = role;
    } else {
      const { role, view, inspection } = await startStorageIn({
        ...outside,
        simulation: this.#simulation,
        disk,
        tuning: plan.cluster.tuning,
        bootId: `${name} ${this.#bootOf(name)}`,
      });
      life.storage = view;
      life.inspection = inspection;
      life.store = view.status()['store'] as Uuid;
      life.role = role;
      this.#options.opened(life);
    }
    await life.role.ended;
  }

  #outsideOf({ number, process, coordinator }: Life): MemberOutside {
    const { plan, logged } = this.#options;
    const { network } = this;
    const prng = this.#simulation.prng.fork(`life ${number}`);
    return {
      process,
      network,
      coordinator,
      random: new SimRandom(prng),
      log: new SimLog(this.#simulation, process.name, logged),
      dialer: new SimDialer(network, process),
      sessionTimeoutMs: plan.zooKeeper.sessionTimeoutMs,
      failed: (error) => this.fail(error),
    };
  }

  /** A role ended by itself: its disk failed, or it has a bug. */
  #onEnd(life: Life, reason: unknown): void {
    if (!isOfDisk(reason)) return this.fail(reason);
    this.#simulation.note(life.process.name, 'ends by itself');
    this.#exit(life);
  }

  /** The process ends, as an event of its own, and is started again after a while. */
  #exit({ number, process }: Life): void {
    const { name } = process;
    const delayMs = this.#simulation.prng
      .fork(`restart ${number}`)
      .range(RESTART_MS.least, RESTART_MS.most);
    this.#simulation.after(0, () => {
      if (!process.isDead) this.kill(name, { isSilent: false });
    });
    this.#simulation.after(delayMs, () => {
      if (this.processOf(name).isDead) this.start(name);
    });
  }

  #coordinationFaults(): CoordinationFaults {
    const { zooKeeper } = this;
    const replace = (restore: () => void) => () => {
      this.#options.setBack();
      zooKeeper.stop();
      restore();
      return () => zooKeeper.start();
    };
    const restore = (backup: Snapshot) => replace(() => zooKeeper.restore(backup));
    return {
      backUp: () => restore(zooKeeper.snapshot()),
      beginnings: () => {
        this.#isForming = false;
        return this.#beginnings.map(restore);
      },
      wipe: replace(() => zooKeeper.wipe()),
      outage: () => {
        zooKeeper.stop();
        return () => zooKeeper.start();
      },
      cut: (name) => {
        this.#setReachable(name, false);
        return () => this.#setReachable(name, true);
      },
      breakConnections: () => zooKeeper.breakConnections(),
      loseServer: (absence) => zooKeeper.loseServer(absence),
      expire: (name) => {
        const session = this.lifeOf(name).coordinator.session?.id;
        if (session === undefined || !zooKeeper.isRunning) return false;
        zooKeeper.expire(session);
        return true;
      },
      removeCandidate: (name) => {
        const session = this.lifeOf(name).coordinator.session?.id;
        if (session === undefined || !zooKeeper.isRunning) return false;
        const path = zooKeeper.tree.ephemeralsOf(session).find((each) => ELECTION.test(each));
        if (path !== undefined) zooKeeper.commit(session, { type: 'delete', path, version: 0 });
        return path !== undefined;
      },
    };
  }

  /** From when there is a cluster, whenever its shards have changed. */
  #keepBeginnings(before = ''): void {
    if (!this.#isForming) return;
    const { tree } = this.zooKeeper;
    const paths = [SHARDS, ...(tree.children(SHARDS) ?? []).map((name) => `${SHARDS}/${name}`)];
    const now = paths.map((path) => `${path} ${tree.stat(path)?.mzxid}`).join();
    const isThere = tree.data(CLUSTER_ZNODE) !== undefined;
    if (isThere && now !== before) this.#beginnings.push(this.zooKeeper.snapshot());
    this.#simulation.after(BEGINNINGS_MS, () => this.#keepBeginnings(isThere ? now : ''));
  }

  #setReachable(name: string, isReachable: boolean): void {
    if (isReachable) this.#cutOff.delete(name);
    else this.#cutOff.add(name);
    this.lifeOf(name).coordinator.setReachable(isReachable);
  }

  #bootOf(name: string): number {
    return this.#boots.get(name) ?? 0;
  }
}

/** Whether the disk refused, at any time from the opening on. */
function isOfDisk(reason: unknown): boolean {
  if (reason instanceof StorageFailure) return true;
  return reason instanceof Error && reason.cause !== undefined && isOfDisk(reason.cause);
}
