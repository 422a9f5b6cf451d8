/** Wires a router: the one place where it meets its adapters. */
import { GrpcDialer } from '../grpc/dialer.js';
import { Health } from '../grpc/health.js';
import { type GrpcServer, startGrpcServer } from '../grpc/server.js';
import { formatAddress } from '../model/address.js';
import { statusJson } from '../model/status-json.js';
import { clusterRoot } from '../model/znodes.js';
import type { Log } from '../ports/log.js';
import type { RunningRole } from '../ports/process.js';
import { type AdminServer, startAdminServer } from '../system/admin-http.js';
import { systemClock } from '../system/clock.js';
import { metricsPage } from '../system/metrics.js';
import { systemRandom } from '../system/random.js';
import { ZooKeeperCoordinator } from '../zookeeper/coordinator.js';
import type { RouterConfig } from './config.js';
import { Dispatcher } from './dispatcher.js';
import { LeaderFollower } from './follower.js';
import { Router } from './main.js';
import { MapHolder } from './map-holder.js';
import { metricSources } from './metric-sources.js';
import { RouterCounters } from './metrics.js';
import { NodeLinks } from './node-links.js';
import { StatusReader } from './status.js';

/**
 * A router that listens and looks for ZooKeeper; it is ready once it has a map.
 *
 * @throws Error for the operator: an address in use, a ZooKeeper address that is none.
 */
export async function composeRouter(config: RouterConfig, log: Log): Promise<RunningRole> {
  const coordinator = new ZooKeeperCoordinator({
    connect: config.zk,
    root: clusterRoot(config.cluster),
    sessionTimeoutMs: config.sessionTimeoutMs,
    clock: systemClock,
    random: systemRandom,
    log,
  });
  const parts = wire(config, log, coordinator);
  const server = await startGrpcServer({
    listen: config.listen,
    health: parts.health,
    kv: parts.dispatcher,
    follow: parts.follower.handler,
    status: () => parts.status.read(),
    failed: (error) => log.error('a handler failed', { error: String(error) }),
    garbled: (problem) => log.error(problem),
  });
  const admin = await startAdminServer(config.admin, {
    notReady: () => (parts.health.ready ? [] : ['this router has no map yet, or is stopping']),
    status: async () => statusJson(await parts.status.read()),
    metrics: metricsPage(metricSources({ ...parts, coordinator })),
  }).catch(async (error: unknown) => {
    await server.stop(0);
    throw error;
  });
  return new ComposedRouter(config, log, { ...parts, coordinator, server, admin });
}

type Parts = ReturnType<typeof wire>;

interface OpenParts extends Parts {
  readonly coordinator: ZooKeeperCoordinator;
  readonly server: GrpcServer;
  readonly admin: AdminServer;
}

function wire(config: RouterConfig, log: Log, coordinator: ZooKeeperCoordinator) {
  const clock = systemClock;
  const random = systemRandom;
  const dialer = new GrpcDialer({
    failed: (error) => log.error('a stream failed', { error: String(error) }),
    garbled: (problem) => log.error(problem),
  });
  const map = new MapHolder();
  const counters = new RouterCounters();
  const links = new NodeLinks({ clock, random, log, dialer, defer: setImmediate }, map);
  const dispatcher = new Dispatcher({ clock, random, map, links, counters });
  const self = { id: config.id, process: random.uuid() };
  const follower = new LeaderFollower({ map, log, self });
  const status = new StatusReader({
    cluster: config.cluster,
    self: config.id,
    map,
    unreachable: () => links.problems,
    isTold: () => follower.isTold,
    session: () => coordinator.session,
  });
  const health = new Health();
  return { clock, random, dialer, map, counters, links, dispatcher, follower, status, health };
}

class ComposedRouter implements RunningRole {
  readonly address: string;
  readonly admin: string;
  readonly ended: Promise<void>;
  readonly #config: RouterConfig;
  readonly #parts: OpenParts;
  readonly #router: Router;
  #stopped: Promise<void> | undefined;

  constructor(config: RouterConfig, log: Log, parts: OpenParts) {
    this.#config = config;
    this.#parts = parts;
    this.address = formatAddress(config.advertise ?? parts.server.address);
    this.admin = parts.admin.url;
    let fail: (reason: Error) => void = () => undefined;
    this.ended = new Promise((_, reject) => {
      fail = reject;
    });
    this.ended.catch(() => undefined); // Whoever started the role looks; until then no crash.
    const record = { id: config.id, address: this.address, admin: this.admin };
    this.#router = new Router(
      config,
      {
        ...parts,
        log,
        ready: () => {
          if (this.#stopped !== undefined || parts.health.ready) return;
          parts.health.setReady(true);
          log.info('ready', { address: this.address, admin: this.admin });
        },
        failed: fail,
      },
      record,
    );
    log.info('listening', { address: this.address, admin: this.admin });
    this.#router.start();
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    const { health, server, dispatcher, links, dialer, coordinator, admin } = this.#parts;
    health.setReady(false);
    await this.#router.withdraw();
    // Before the drain: what waits for a primary is told to go elsewhere at once.
    dispatcher.stop();
    await server.stop(this.#config.drainMs);
    links.close();
    dialer.close();
    await coordinator.close();
    await admin.close();
  }
}
