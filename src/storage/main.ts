/**
 * The storage role: opens a data directory, serves its shards, and is a member of its cluster.
 * Everything it needs of the outside comes in through {@link StorageDeps}; `compose.ts` wires it.
 *
 * Start: open and verify the directory, listen, find ZooKeeper, register (B23: never before the
 * other two). Stop, in this order: not ready, hand over, deregister, take nothing new, finish what
 * was taken, mark the directory clean, close it, end the session. Whatever ends the node by itself,
 * a failed disk above all, rejects `ended` and leaves the directory marked unclean.
 */
import { NodeRegistration } from '../coordination/registration.js';
import { DiskGuard } from '../disk/disk-guard.js';
import { type Address, formatAddress } from '../model/address.js';
import { assert } from '../model/assert.js';
import type { Uuid } from '../model/ids.js';
import type { Clock } from '../ports/clock.js';
import type { Coordinator } from '../ports/coordinator.js';
import {
  DamagedDirectoryError,
  type Disk,
  StorageFailure,
  UnusableDirectoryError,
} from '../ports/disk.js';
import type { Log } from '../ports/log.js';
import type {
  Dialer,
  ExchangeHandler,
  FollowHandler,
  InspectionHandler,
  KvHandler,
  ReplicateHandler,
} from '../ports/network.js';
import type { RunningRole } from '../ports/process.js';
import type { Random } from '../ports/random.js';
import type { ReadMemory } from '../replication/read-cache.js';
import type { ShardReplica } from '../replication/shard-replica.js';
import type { StorageConfig } from './config.js';
import { Joining } from './joining.js';
import { leaveInTime } from './leaving.js';
import { StorageMetrics } from './metrics.js';
import { type SetAside, StorageNode } from './node.js';
import type { NodeTuning } from './replica-settings.js';
import { ReplicaStore } from './replica-store.js';
import { Store } from './store.js';

export interface StorageHandlers {
  readonly kv: KvHandler;
  readonly exchange: ExchangeHandler;
  readonly follow: FollowHandler;
  readonly replicate: ReplicateHandler;
  readonly inspection: InspectionHandler;
}

/** How long the disk may take to be closed, which for a sound one is nothing. */
const CLOSE_MS = 5_000;

/** A listener of this process; `stop` waits at most so long for calls under way. */
export interface Listener {
  readonly address: Address;
  stop(drainMs: number): Promise<void>;
}

/** What the admin port shows. */
export interface StorageView {
  readonly metrics: StorageMetrics;
  readonly reads: Pick<Readonly<ReadMemory>, 'hits' | 'misses'>;
  readonly coordinator: ReadonlyMap<string, number>;
  /** Shards by what this node does with them. */
  readonly standings: () => ReadonlyMap<string, number>;
  readonly setAside: () => SetAside;
  /** To be looked at, not touched. */
  readonly replicas: () => Iterable<ShardReplica>;
  /** Registered, and not stopping. */
  readonly isReady: () => boolean;
  readonly status: () => Readonly<Record<string, unknown>>;
}

export interface StorageDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly coordinator: Coordinator;
  readonly dialer: Dialer;
  /** Undefined: as `replica-settings.ts` has it. */
  readonly tuning?: NodeTuning;
  /** `/proc/sys/kernel/random/boot_id`, or empty where there is none. */
  readonly bootId: string;
  readonly openDisk: (directory: string) => Promise<Disk>;
  /** Why a damaged directory is needed; undefined: it may be set aside (`damaged-directory.ts`). */
  readonly whyNeeded: () => Promise<string | undefined>;
  /** Renames the directory, and makes an empty one; where it is now. */
  readonly setAside: (directory: string, why: string) => Promise<string>;
  readonly listen: (handlers: StorageHandlers) => Promise<Listener>;
  readonly health: {
    setReady(ready: boolean): void;
    setStatus(service: 'portolan.v1.KV', status: 'SERVING' | 'NOT_SERVING'): void;
  };
  /** Opens the admin port, if there is one. */
  readonly admin: (
    view: StorageView,
  ) => Promise<{ readonly url: string; close(): Promise<void> } | undefined>;
}

/**
 * Resolves when the node listens; it registers as soon as ZooKeeper and the cluster are there.
 *
 * @throws UnusableDirectoryError, or an Error for the operator if it cannot listen.
 */
export async function startStorage(config: StorageConfig, deps: StorageDeps): Promise<RunningRole> {
  const role = new StorageRole(config, deps);
  await role.start();
  return role;
}

class StorageRole implements RunningRole {
  readonly ended: Promise<void>;
  readonly #config: StorageConfig;
  readonly #deps: StorageDeps;
  readonly #metrics = new StorageMetrics();
  #end: (reason: unknown) => void = () => undefined;
  #phase: 'starting' | 'running' | 'stopping' | 'failed' = 'starting';
  #isRegistered = false;
  #parts: Parts | undefined;
  #stopped: Promise<void> | undefined;

  constructor(config: StorageConfig, deps: StorageDeps) {
    this.#config = config;
    this.#deps = deps;
    this.ended = new Promise((_, reject) => {
      this.#end = reject;
    });
    this.ended.catch(() => undefined); // Whoever started the role looks; until then no crash.
  }

  get address(): string {
    return this.#running.advertised;
  }

  get admin(): string | undefined {
    return this.#running.admin?.url;
  }

  async start(): Promise<void> {
    const disk = await this.#openDisk();
    try {
      this.#parts = await this.#open(disk);
    } catch (error) {
      await disk.close();
      throw error;
    }
    this.#phase = 'running';
    this.#parts.joining.start();
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  /** A damaged directory makes room for an empty one, if it holds nothing that others do not. */
  async #openDisk(): Promise<Disk> {
    const { openDisk, whyNeeded, setAside, log } = this.#deps;
    const { data } = this.#config;
    try {
      return await openDisk(data);
    } catch (error) {
      if (!(error instanceof DamagedDirectoryError)) throw error;
      log.error(error.message);
      const why = await whyNeeded();
      if (why !== undefined) {
        throw new UnusableDirectoryError(`${error.message}. It stays where it is: ${why}`, {
          cause: error,
        });
      }
      const aside = await setAside(data, error.message);
      log.warn('set the damaged data directory aside: its shards are learnt anew', { aside });
      return openDisk(data);
    }
  }

  async #open(disk: Disk): Promise<Parts> {
    const store = await this.#openStore(disk);
    const replicaStore = await this.#openReplicas(disk);
    const guard = this.#guard(disk);
    await guard.start();
    const process = this.#deps.random.uuid();
    const node = new StorageNode(
      {
        ...this.#deps,
        disk,
        store,
        replicaStore,
        process,
        isDiskFull: () => guard.isFull,
        failed: (error) => this.#fail(error),
      },
      this.#metrics,
    );
    let listener: Listener | undefined;
    try {
      listener = await this.#deps.listen(node);
      const advertised = formatAddress(this.#config.advertise ?? listener.address);
      const admin = await this.#deps.admin(this.#view(node, store));
      const joining = this.#joining(node, store, { address: advertised, process });
      return { disk, node, guard, listener, advertised, admin, joining };
    } catch (error) {
      guard.stop();
      await listener?.stop(0);
      throw error;
    }
  }

  async #openStore(disk: Disk): Promise<Store> {
    const { bootId, random, log } = this.#deps;
    const { id: node, cluster, data } = this.#config;
    let store;
    try {
      store = await Store.open(disk, { node, cluster, bootId }, random);
    } catch (error) {
      const isKnown = error instanceof StorageFailure || error instanceof UnusableDirectoryError;
      if (!isKnown) throw error;
      throw new UnusableDirectoryError(`data directory ${data}: ${error.message}`, {
        cause: error,
      });
    }
    const { identity, lastStop, generation } = store;
    const fields = { data, store: identity.store, lastStop, generation };
    if (lastStop === 'new') log.info('made a new data directory', fields);
    else if (lastStop === 'clean') log.info('opened the data directory, left clean', fields);
    else log.warn('opened the data directory after an unclean stop', fields);
    return store;
  }

  async #openReplicas(disk: Disk): Promise<ReplicaStore> {
    const store = await ReplicaStore.open(disk);
    const { log } = this.#deps;
    for (const { at, shard, shardUuid, problem } of store.damaged()) {
      const fields = { shard, shardUuid, problem };
      if (at === undefined) log.error('a replica is damaged and not used', fields);
      else log.info('a replica that was set aside is kept', { at, ...fields });
    }
    return store;
  }

  #guard(disk: Disk): DiskGuard {
    return new DiskGuard({
      ...this.#deps,
      disk,
      metrics: this.#metrics,
      refused: 'puts',
      reserveBytes: this.#config.diskReserveBytes,
      changed: (isFull) => {
        if (isFull) this.#parts?.node.makeRoom();
        this.#sayHealth();
      },
      failed: (failure) => this.#fail(failure),
    });
  }

  #joining(
    node: StorageNode,
    store: Store,
    { address, process }: { readonly address: string; readonly process: Uuid },
  ): Joining {
    const { id, labels, cluster } = this.#config;
    const failed = (reason: unknown) => this.#fail(reason);
    const { ancestry, identity } = store;
    const record = { id, address, labels, store: identity.store, process, ancestry };
    const registered = () => {
      this.#isRegistered = true;
      this.#sayHealth();
    };
    const registration = new NodeRegistration(record, { registered, failed }, this.#deps);
    return new Joining({
      ...this.#deps,
      cluster,
      clusterUuid: () => store.identity.clusterUuid,
      join: (cluster) => node.join(cluster),
      registration,
      failed,
    });
  }

  #view(node: StorageNode, store: Store): StorageView {
    const { id, cluster } = this.#config;
    const { store: uuid } = store.identity;
    return {
      metrics: this.#metrics,
      reads: node.readMemory,
      coordinator: this.#deps.coordinator.counters,
      standings: () => node.standings(),
      setAside: () => node.setAside(),
      replicas: () => node.replicas(),
      isReady: () => this.#isReady,
      status: () => ({
        id,
        cluster,
        store: uuid,
        phase: this.#phase,
        registered: this.#isRegistered,
        diskFull: this.#parts?.guard.isFull ?? false,
        leaderEpoch: store.leaderEpoch,
        damaged: node.damaged
          .filter(({ at }) => at === undefined)
          .map(({ shard, problem }) => ({ shard, problem })),
        setAside: node.setAside(),
        replicas: Object.fromEntries(node.standings()),
      }),
    };
  }

  get #running(): Parts {
    assert(this.#parts !== undefined, 'a role is handed out when it runs');
    return this.#parts;
  }

  get #isReady(): boolean {
    return this.#isRegistered && (this.#phase === 'starting' || this.#phase === 'running');
  }

  #sayHealth(): void {
    const { health } = this.#deps;
    health.setReady(this.#isReady);
    // Reads and deletes go on, so the process stays ready; the service says that it is not whole.
    if (this.#isReady && this.#parts?.guard.isFull === true) {
      health.setStatus('portolan.v1.KV', 'NOT_SERVING');
    }
  }

  #fail(reason: unknown): void {
    if (this.#phase === 'failed') return;
    this.#phase = 'failed';
    this.#sayHealth();
    this.#end(reason instanceof StorageFailure ? withAdvice(reason) : reason);
  }

  async #stop(): Promise<void> {
    const { disk, node, guard, listener, joining, admin } = this.#running;
    const { log, coordinator } = this.#deps;
    const failed = this.#phase === 'failed';
    if (!failed) this.#phase = 'stopping';
    this.#sayHealth();
    guard.stop();
    if (!failed) await this.#leave(node);
    await joining.withdraw();
    node.close();
    const drained = failed || (await this.#within(this.#config.drainMs, node.idle()));
    node.stop();
    await listener.stop(drained ? 0 : 1);
    if (!failed) {
      const marked = await this.#within(this.#config.drainMs, node.markClean());
      log.info(marked ? 'stopped clean' : 'stopped without marking the data directory clean');
    }
    // One that hangs would hold up the end of this process, and whoever is to start the next.
    if (!(await this.#within(CLOSE_MS, disk.close()))) log.warn('the disk did not close in time');
    this.#deps.dialer.close();
    await coordinator.close();
    await admin?.close();
  }

  /** Others lead its shards before it goes: their clients do not wait for a lease to run out. */
  async #leave(node: StorageNode): Promise<void> {
    const { clock, log } = this.#deps;
    if (await leaveInTime(node, clock)) return;
    log.warn('leaves although it still leads shards: nobody has taken them in time');
  }

  /** Whether it happened in time. */
  #within(ms: number, work: Promise<void>): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const cancel = this.#deps.clock.after(ms, () => resolve(false));
      work.then(() => {
        cancel();
        resolve(true);
      }, reject);
    });
  }
}

/** For the operator, who reads it last in the log of this node. */
function withAdvice(failure: StorageFailure): StorageFailure {
  const advice =
    'This node stops before it acknowledges anything else. Look at its disk and at the ' +
    "kernel's log, then start it again: it learns from other replicas what it missed";
  return new StorageFailure(`${failure.message}. ${advice}`, { cause: failure });
}

interface Parts {
  readonly disk: Disk;
  readonly node: StorageNode;
  readonly guard: DiskGuard;
  readonly listener: Listener;
  /** HOST:PORT that others dial. */
  readonly advertised: string;
  readonly admin: { readonly url: string; close(): Promise<void> } | undefined;
  readonly joining: Joining;
}
