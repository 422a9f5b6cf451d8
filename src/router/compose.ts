/** Wires a router: the one place where it meets its adapters. */
import { GrpcDialer } from '../grpc/dialer.js';
import { Health } from '../grpc/health.js';
import { startGrpcServer } from '../grpc/server.js';
import { statusJson } from '../model/status-json.js';
import { clusterRoot } from '../model/znodes.js';
import type { Log } from '../ports/log.js';
import type { RunningRole } from '../ports/process.js';
import { startAdminServer } from '../system/admin-http.js';
import { systemClock } from '../system/clock.js';
import { metricsPage } from '../system/metrics.js';
import { systemRandom } from '../system/random.js';
import { ZooKeeperCoordinator } from '../zookeeper/coordinator.js';
import type { RouterConfig } from './config.js';
import { metricSources } from './metric-sources.js';
import { ServiceWatch } from './service-watch.js';
import { startRouter } from './role.js';

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
  const health = new Health();
  const failed = (what: string) => (error: unknown) => log.error(what, { error: String(error) });
  const garbled = (problem: string) => log.error(problem);
  return startRouter(config, {
    clock: systemClock,
    random: systemRandom,
    log,
    coordinator,
    dialer: new GrpcDialer({ failed: failed('a stream failed'), garbled }),
    defer: setImmediate,
    health,
    listen: (handlers) =>
      startGrpcServer({
        listen: config.listen,
        health,
        ...handlers,
        failed: failed('a handler failed'),
        garbled,
      }),
    admin: async (view) => {
      const service = new ServiceWatch(systemClock, view);
      const server = await startAdminServer(config.admin, {
        notReady: () => (health.ready ? [] : ['this router has no map yet, or is stopping']),
        status: async () => statusJson(await view.status()),
        metrics: metricsPage(metricSources({ ...view, service })),
      });
      service.start();
      return {
        url: server.url,
        close: () => {
          service.stop();
          return server.close();
        },
      };
    },
  });
}
