/** Wires a storage node: the one place where it meets its adapters. */
import { readFile } from 'node:fs/promises';
import { GrpcDialer } from '../grpc/dialer.js';
import { Health } from '../grpc/health.js';
import { startGrpcServer } from '../grpc/server.js';
import { LevelDisk } from '../leveldb/level-disk.js';
import { setDirectoryAside } from '../leveldb/set-aside.js';
import { DURATION_BOUNDS } from '../model/call-metrics.js';
import { clusterRoot } from '../model/znodes.js';
import type { Log } from '../ports/log.js';
import { byName, type MetricSource, single } from '../ports/metrics.js';
import type { RunningRole } from '../ports/process.js';
import { startAdminServer } from '../system/admin-http.js';
import { systemClock } from '../system/clock.js';
import { makeDirectory } from '../system/make-directory.js';
import { metricsPage } from '../system/metrics.js';
import { systemRandom } from '../system/random.js';
import { ZooKeeperCoordinator } from '../zookeeper/coordinator.js';
import type { StorageConfig } from './config.js';
import { whyNeeded } from './damaged-directory.js';
import { startStorage, type StorageView } from './main.js';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/**
 * A storage node that listens and looks for ZooKeeper; it is ready once it is registered.
 *
 * @throws Error for the operator: a data directory that cannot be used, an address in use, a
 *   ZooKeeper address that is none.
 */
export async function composeStorage(config: StorageConfig, log: Log): Promise<RunningRole> {
  const connect = () =>
    new ZooKeeperCoordinator({
      connect: config.zk,
      root: clusterRoot(config.cluster),
      sessionTimeoutMs: config.sessionTimeoutMs,
      clock: systemClock,
      random: systemRandom,
      log,
    });
  const coordinator = connect();
  const health = new Health();
  const dialer = new GrpcDialer({
    failed: (error) => log.error('a handler failed', { error: String(error) }),
    garbled: (problem) => log.error(problem),
  });
  const role = await startStorage(config, {
    clock: systemClock,
    random: systemRandom,
    log,
    coordinator,
    dialer,
    health,
    bootId: await readBootId(),
    openDisk: async (directory) => {
      // Opening fails for the same reason, and says it.
      await makeDirectory(directory).catch(() => undefined);
      return LevelDisk.open(directory);
    },
    whyNeeded: () =>
      whyNeeded({ clock: systemClock, log, node: config.id, coordinator: connect() }),
    setAside: setDirectoryAside,
    listen: (handlers) =>
      startGrpcServer({
        listen: config.listen,
        health,
        kv: handlers.kv,
        exchange: handlers.exchange,
        follow: handlers.follow,
        replicate: handlers.replicate,
        inspection: handlers.inspection,
        failed: (error) => log.error('a handler failed', { error: String(error) }),
        garbled: (problem) => log.error(problem),
      }),
    admin: async (view) =>
      config.admin &&
      startAdminServer(config.admin, {
        notReady: () => (view.isReady() ? [] : ['this node is not registered, or is stopping']),
        status: view.status,
        metrics: metricsPage(metricSources(view)),
      }),
  });
  log.info('listening', { address: role.address, admin: role.admin });
  return role;
}

/** Empty where the system has none: every unclean stop then counts as one of the system. */
async function readBootId(): Promise<string> {
  try {
    return (await readFile(BOOT_ID, 'utf8')).trim();
  } catch {
    return '';
  }
}

function metricSources(view: StorageView): MetricSource[] {
  return [...labelled(view), ...plain(view)];
}

function labelled({ metrics, coordinator, standings }: StorageView): MetricSource[] {
  return [
    {
      name: 'portolan_requests_total',
      help: 'Calls that ended, by operation and outcome',
      type: 'counter',
      labelNames: ['op', 'outcome'],
      read: () => metrics.calls.counts(),
    },
    {
      name: 'portolan_request_duration_seconds',
      help: 'How long calls took, by operation',
      type: 'histogram',
      bounds: DURATION_BOUNDS,
      read: () => metrics.calls.durations(),
    },
    {
      name: 'portolan_replicas',
      help: 'Shards this node has heard of, by what it does with them',
      type: 'gauge',
      labelNames: ['standing'],
      read: byName('standing', standings),
    },
    {
      name: 'portolan_replica_events_total',
      help: 'What happened to the replicas here: serving, peer-needs-install, peer-diverged, ...',
      type: 'counter',
      labelNames: ['event'],
      read: byName('event', () => metrics.replicaEvents),
    },
    {
      name: 'portolan_zookeeper_events_total',
      help: 'What happened between this node and ZooKeeper',
      type: 'counter',
      labelNames: ['event'],
      read: byName('event', () => coordinator),
    },
  ];
}

function plain({ metrics, reads, setAside }: StorageView): MetricSource[] {
  return [
    gauge('portolan_replicas_set_aside', 'Damaged or given up, and kept', () => setAside().kept),
    counter(
      'portolan_read_hits_total',
      'Reads answered from what was read before',
      () => reads.hits,
    ),
    counter(
      'portolan_read_misses_total',
      'Reads that had to look into LevelDB',
      () => reads.misses,
    ),
    counter('portolan_rounds_total', 'Batches written', () => metrics.rounds),
    counter('portolan_round_calls_total', 'Calls in these batches', () => metrics.roundCalls),
    counter(
      'portolan_fsync_seconds_total',
      'Time spent waiting for batches to be durable',
      () => metrics.fsyncSeconds,
    ),
    gauge('portolan_fsync_seconds_max', 'The longest such wait', () => metrics.fsyncSecondsMax),
    gauge('portolan_held_calls', 'Calls held at this moment', () => metrics.queuedCalls),
    gauge('portolan_held_bytes', 'Bytes of the calls held', () => metrics.queuedBytes),
    gauge('portolan_disk_free_bytes', 'Free for the data directory', () => metrics.diskFreeBytes),
  ];
}

function counter(name: string, help: string, read: () => number): MetricSource {
  return { name, help, type: 'counter', read: single(read) };
}

function gauge(name: string, help: string, read: () => number): MetricSource {
  return { name, help, type: 'gauge', read: single(read) };
}
