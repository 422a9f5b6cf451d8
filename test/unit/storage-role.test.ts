/** A storage node as a process runs it: its start, its membership, its end. */
import { describe, expect, it } from 'vitest';
import { encodeClusterConfig } from '../../src/model/cluster-config.js';
import type { MemberId } from '../../src/model/ids.js';
import { decodeNodeRecord, type NodeRecord } from '../../src/model/registrations.js';
import type {
  Coordinator,
  CoordinatorHandlers,
  CoordinatorSession,
  MultiOp,
  Outcome,
} from '../../src/ports/coordinator.js';
import type { StorageConfig } from '../../src/storage/config.js';
import { DamagedDirectoryError, StorageFailure } from '../../src/ports/disk.js';
import { DiskGuard } from '../../src/disk/disk-guard.js';
import { startStorage, type StorageDeps, type StorageHandlers } from '../../src/storage/main.js';
import { StorageMetrics } from '../../src/storage/metrics.js';
import { Store } from '../../src/storage/store.js';
import { clusterOf, uuidOf } from '../support/configs.js';
import { FakeDialer } from '../support/fake-dialer.js';
import { MemoryDisk } from '../support/memory-disk.js';
import {
  CountingRandom,
  ManualClock,
  MemoryLog,
  OWNER,
  putRequest,
  settle,
} from '../support/storage-harness.js';

const CONFIG: StorageConfig = {
  id: 's1' as MemberId,
  zk: '127.0.0.1:2181',
  cluster: 'default',
  data: '/data/s1',
  listen: { host: '127.0.0.1', port: 0 },
  advertise: undefined,
  admin: undefined,
  labels: { host: '', zone: '' },
  sessionTimeoutMs: 2_000,
  diskReserveBytes: 1_000,
  drainMs: 5_000,
};

const ok = <T>(value: T): Outcome<T> => ({ status: 'ok', value });

/** One session that answers at once, and remembers what happened in which order. */
class FakeCoordinator implements Coordinator {
  readonly counters = new Map<string, number>();
  readonly happened: string[];
  handlers: CoordinatorHandlers | undefined;
  session: CoordinatorSession | undefined;
  cluster: Buffer | undefined = encodeClusterConfig(clusterOf({ shards: 4 }));
  /** What was registered last. */
  record: NodeRecord | undefined;
  #czxid = 100;

  constructor(happened: string[]) {
    this.happened = happened;
  }

  start(handlers: CoordinatorHandlers): void {
    this.handlers = handlers;
  }

  /** A new session is there. */
  connect(): void {
    const stat = { version: 0, czxid: 1, mzxid: 1, owner: undefined };
    const session = {
      id: '0',
      state: 'connected',
      timeoutMs: 2_000,
      isProven: () => true,
      on: () => () => undefined,
      barrier: () => Promise.resolve(ok(undefined)),
      read: (path: string) => {
        const owner = path.startsWith('/nodes/') ? '0' : undefined;
        return Promise.resolve(
          ok(this.cluster && { data: this.cluster, stat: { ...stat, owner } }),
        );
      },
      multi: (ops: readonly MultiOp[]) => {
        this.happened.push('registered');
        for (const op of ops) {
          if (op.path !== '/nodes/s1' || !('data' in op)) continue;
          this.record = decodeNodeRecord('s1' as MemberId, op.data);
        }
        const set = { ...stat, czxid: ++this.#czxid };
        return Promise.resolve(
          ok(ops.map(({ type }) => (type === 'set' ? { type, stat: set } : { type, path: '' }))),
        );
      },
      remove: () => {
        this.happened.push('deregistered');
        return Promise.resolve(ok(undefined));
      },
    };
    this.session = session as unknown as CoordinatorSession;
    this.handlers?.session(this.session);
  }

  close(): Promise<void> {
    this.happened.push('session closed');
    return Promise.resolve();
  }
}

async function startRole(disk = new MemoryDisk(), more: Partial<StorageDeps> = {}) {
  const happened: string[] = [];
  const health = new Map<string, unknown>();
  const coordinator = new FakeCoordinator(happened);
  const clock = new ManualClock();
  const log = new MemoryLog();
  let handlers: StorageHandlers | undefined;
  const closed = disk.close.bind(disk);
  disk.close = async () => {
    happened.push('disk closed');
    await closed();
  };
  const role = await startStorage(CONFIG, {
    clock,
    log,
    coordinator,
    random: new CountingRandom(),
    dialer: new FakeDialer(),
    bootId: 'boot',
    openDisk: () => Promise.resolve(disk),
    whyNeeded: () => Promise.reject(new Error('it is not damaged')),
    setAside: () => Promise.reject(new Error('it is not damaged')),
    listen: (given) => {
      handlers = given;
      happened.push('listening');
      return Promise.resolve({
        address: { host: '127.0.0.1', port: 7001 },
        stop: () => {
          happened.push('listener stopped');
          return Promise.resolve();
        },
      });
    },
    health: {
      setReady: (ready) => {
        if (health.get('ready') !== ready) happened.push(ready ? 'ready' : 'not ready');
        health.set('ready', ready);
        health.set('kv', ready ? 'SERVING' : 'NOT_SERVING');
      },
      setStatus: (_service, status) => health.set('kv', status),
    },
    admin: () => Promise.resolve(undefined),
    ...more,
  });
  return { role, disk, happened, health, coordinator, clock, log, handlers: handlers! };
}

describe('a storage node', () => {
  it('B23 registers after it has opened its directory and listens, and is ready then', async () => {
    const { role, happened, coordinator } = await startRole();
    expect(role.address).toBe('127.0.0.1:7001');
    expect(happened).toEqual(['listening']);
    coordinator.connect();
    await settle();
    expect(happened).toEqual(['listening', 'registered', 'ready']);
  });

  it('waits for the cluster to be created before it registers', async () => {
    const { happened, coordinator, clock, log } = await startRole();
    const { cluster } = coordinator;
    coordinator.cluster = undefined;
    coordinator.connect();
    await settle();
    expect(log.has('waiting for a router to create the cluster "default"')).toBe(true);
    coordinator.cluster = cluster;
    clock.advance(1_000);
    await settle();
    expect(happened).toContain('registered');
  });

  it('registers again in a new session and stays ready meanwhile', async () => {
    const { happened, coordinator, health } = await startRole();
    coordinator.connect();
    await settle();
    coordinator.connect();
    await settle();
    expect(happened.filter((what) => what === 'registered').length).toBe(2);
    expect(happened).not.toContain('not ready');
    expect(health.get('ready')).toBe(true);
  });

  it('stops in order, and leaves the directory marked clean', async () => {
    const { role, disk, happened, coordinator, handlers } = await startRole();
    coordinator.connect();
    await settle();
    happened.length = 0;
    await Promise.all([role.stop(), role.stop()]);
    expect(happened).toEqual([
      'not ready',
      'deregistered',
      'listener stopped',
      'disk closed',
      'session closed',
    ]);
    const context = { budgetMs: 1_000, onCancel: () => undefined };
    await expect(handlers.kv.call('put', putRequest('k', 'v'), context)).rejects.toMatchObject({
      code: 'STOPPING',
    });
    const { log } = await startRole(disk.afterCrash());
    expect(log.has('left clean')).toBe(true);
  });

  it('S19 a directory of another cluster of the same name ends the node with the reason', async () => {
    const first = await startRole();
    first.coordinator.connect();
    await settle();
    const { role, happened, coordinator, health } = await startRole(first.disk.afterCrash());
    coordinator.cluster = encodeClusterConfig(clusterOf({ clusterUuid: uuidOf('other') }));
    coordinator.connect();
    await expect(role.ended).rejects.toThrow('belongs to another cluster "default"');
    expect(happened).not.toContain('registered');
    expect(health.get('ready')).toBe(false);
  });

  it('S19 nor does a node that has been in its cluster end, if another one takes its place', async () => {
    const { role, clock, happened, coordinator, log } = await startRole();
    coordinator.connect();
    await settle();
    const ours = coordinator.cluster;
    coordinator.cluster = encodeClusterConfig(clusterOf({ clusterUuid: uuidOf('other') }));
    let ended = false;
    role.ended.catch(() => (ended = true));
    coordinator.connect();
    for (let looks = 0; looks < 3; looks++) {
      await settle();
      clock.advance(200);
    }
    await settle();
    expect(ended).toBe(false);
    const said = log.lines.filter(({ message }) => message.includes('has another cluster'));
    expect(
      said.map(({ level }) => level),
      'once',
    ).toEqual(['error']);
    const before = happened.filter((what) => what === 'registered').length;
    coordinator.cluster = ours;
    clock.advance(200);
    await settle();
    expect(happened.filter((what) => what === 'registered').length).toBe(before + 1);
  });

  it('S19 it registers when its directory knows that this process had it, and not before', async () => {
    const first = await startRole();
    first.coordinator.connect();
    await settle();
    const { process } = first.coordinator.record!;
    const { disk, happened, coordinator } = await startRole(first.disk.afterCrash());
    disk.hold();
    coordinator.connect();
    await settle();
    expect(happened).not.toContain('registered');
    disk.release();
    await settle();
    expect(coordinator.record).toMatchObject({ ancestry: [process] });
    const next = await Store.open(disk.afterCrash(), OWNER, new CountingRandom());
    expect(next.ancestry).toEqual([process, coordinator.record!.process]);
  });

  it('S20 a disk that fails ends the node with the reason, and is not marked clean', async () => {
    const { role, disk, coordinator, health } = await startRole();
    disk.medium.writeFault = 'full';
    coordinator.connect();
    await expect(role.ended).rejects.toThrow(
      /no space left on device\. This node stops .* Look at its disk/,
    );
    expect(health.get('ready')).toBe(false);
    await role.stop();
    const { log } = await startRole(disk.afterCrash());
    expect(log.has('unclean stop')).toBe(true);
  });

  it('a nearly full disk is said once, in health and in the log, and so is its end', async () => {
    const { disk, coordinator, clock, health, log } = await startRole();
    coordinator.connect();
    await settle();
    disk.medium.freeBytes = 10;
    for (let second = 0; second < 3; second++) {
      clock.advance(1_000);
      await settle();
    }
    expect(health.get('ready')).toBe(true);
    expect(health.get('kv')).toBe('NOT_SERVING');
    disk.medium.freeBytes = 1e9;
    clock.advance(1_000);
    await settle();
    expect(health.get('kv')).toBe('SERVING');
    const said = log.lines.filter(({ message }) => message.includes('the disk'));
    expect(said.map(({ level }) => level)).toEqual(['error', 'info']);
  });
});

describe('a data directory that is damaged', () => {
  const damaged = () => Promise.reject(new DamagedDirectoryError('its log is missing'));

  it('S19 is not opened, and stays, if it is needed', async () => {
    const aside: string[] = [];
    const started = startRole(new MemoryDisk(), {
      openDisk: damaged,
      whyNeeded: () => Promise.resolve('shards 3 have their last copy here'),
      setAside: (directory) => {
        aside.push(directory);
        return Promise.resolve('aside');
      },
    });
    await expect(started).rejects.toThrow(
      'its log is missing. It stays where it is: shards 3 have their last copy here',
    );
    expect(aside).toEqual([]);
  });

  it('makes room for an empty one if it is not: then the node is another store', async () => {
    const aside: string[] = [];
    const disk = new MemoryDisk();
    const { log } = await startRole(disk, {
      openDisk: () => (aside.length === 0 ? damaged() : Promise.resolve(disk)),
      whyNeeded: () => Promise.resolve(undefined),
      setAside: (directory, why) => {
        aside.push(directory, why);
        return Promise.resolve('aside');
      },
    });
    expect(aside).toEqual([CONFIG.data, 'its log is missing']);
    expect(log.has('set the damaged data directory aside')).toBe(true);
    expect(log.has('made a new data directory')).toBe(true);
  });
});

describe('the disk guard', () => {
  const guardOf = (disk: MemoryDisk) => {
    const [clock, log] = [new ManualClock(), new MemoryLog()];
    const failures: Error[] = [];
    const guard = new DiskGuard({
      ...{ disk, clock, log, metrics: new StorageMetrics(), refused: 'puts', reserveBytes: 11 },
      changed: () => undefined,
      failed: (failure) => failures.push(failure),
    });
    return { guard, clock, log, failures };
  };
  const failing = (error: () => Error) => {
    const disk = new MemoryDisk();
    disk.freeBytes = () => Promise.reject(error());
    return disk;
  };

  it('knows at the start already that the disk is full', async () => {
    const disk = new MemoryDisk();
    disk.medium.freeBytes = 10;
    const { guard } = guardOf(disk);
    await guard.start();
    expect(guard.isFull).toBe(true);
    guard.stop();
  });

  it('says once that it cannot look, and goes on looking', async () => {
    const { guard, clock, log, failures } = guardOf(failing(() => new Error('EIO')));
    await guard.start();
    for (let n = 0; n < 3; n++) {
      clock.advance(1_000);
      await settle();
    }
    expect(log.lines.map(({ message }) => message)).toEqual([
      'cannot see how much of the disk is free',
    ]);
    expect(failures).toEqual([]);
    guard.stop();
  });

  it('S20 ends the node when its data directory is gone', async () => {
    const gone = new StorageFailure('gone');
    const { guard, clock, failures } = guardOf(failing(() => gone));
    await guard.start();
    clock.advance(10_000);
    await settle();
    expect(failures).toEqual([gone]);
  });
});
