/**
 * The router as a process runs it: its parts, the order in which it starts, and the one in which it
 * stops. Everything it needs of the outside comes in through {@link RouterRoleDeps}; `compose.ts`
 * wires it.
 */
import { type Address, formatAddress } from '../model/address.js';
import type { ClusterStatus } from '../model/status.js';
import type { Clock } from '../ports/clock.js';
import type { Coordinator } from '../ports/coordinator.js';
import type { Log } from '../ports/log.js';
import type { Dialer, FollowHandler, KvHandler } from '../ports/network.js';
import type { RunningRole } from '../ports/process.js';
import type { Random } from '../ports/random.js';
import type { RouterConfig } from './config.js';
import { Dispatcher } from './dispatcher.js';
import { LeaderFollower } from './follower.js';
import { Router } from './main.js';
import { MapHolder } from './map-holder.js';
import { RouterCounters } from './metrics.js';
import type { LinkDeps } from './node-link.js';
import { NodeLinks } from './node-links.js';
import { StatusReader } from './status.js';

export interface RouterHandlers {
  readonly kv: KvHandler;
  readonly follow: FollowHandler;
  readonly status: () => Promise<ClusterStatus>;
}

/** A listener of this process; `stop` waits at most so long for calls under way. */
export interface RouterListener {
  readonly address: Address;
  stop(drainMs: number): Promise<void>;
}

/** What the admin port shows. */
export interface RouterView {
  readonly map: MapHolder;
  readonly counters: RouterCounters;
  readonly links: NodeLinks;
  readonly follower: LeaderFollower;
  readonly coordinator: Pick<Coordinator, 'counters'>;
  readonly status: () => Promise<ClusterStatus>;
}

export interface RouterRoleDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly coordinator: Coordinator;
  readonly dialer: Dialer;
  /** Runs a task after the work of this turn of the event loop. */
  readonly defer: LinkDeps['defer'];
  readonly listen: (handlers: RouterHandlers) => Promise<RouterListener>;
  readonly health: { readonly ready: boolean; setReady(ready: boolean): void };
  readonly admin: (view: RouterView) => Promise<{ readonly url: string; close(): Promise<void> }>;
}

/**
 * Resolves when the router listens; it is ready once it has a map.
 *
 * @throws Error for the operator if it cannot listen.
 */
export async function startRouter(
  config: RouterConfig,
  deps: RouterRoleDeps,
): Promise<RunningRole> {
  const parts = wire(config, deps);
  const { dispatcher: kv, follower, status } = parts;
  const view = { ...parts, coordinator: deps.coordinator, status: () => status.read() };
  const listener = await deps.listen({ kv, follow: follower.handler, status: view.status });
  const admin = await deps.admin(view).catch(async (error: unknown) => {
    await listener.stop(0);
    throw error;
  });
  return new RouterRole(config, deps, { ...parts, listener, admin });
}

type Parts = ReturnType<typeof wire>;

interface OpenParts extends Parts {
  readonly listener: RouterListener;
  readonly admin: { readonly url: string; close(): Promise<void> };
}

function wire(config: RouterConfig, { clock, random, log, ...deps }: RouterRoleDeps) {
  const map = new MapHolder();
  const counters = new RouterCounters();
  const links = new NodeLinks({ clock, random, log, ...deps }, map);
  const dispatcher = new Dispatcher({ clock, random, map, links, counters });
  const self = { id: config.id, process: random.uuid() };
  const follower = new LeaderFollower({ map, log, self });
  const status = new StatusReader({
    cluster: config.cluster,
    self: config.id,
    map,
    now: () => clock.now(),
    unreachable: () => links.problems,
    isTold: () => follower.isTold,
    clusterUuid: () => follower.clusterUuid,
    session: () => deps.coordinator.session,
  });
  return { map, counters, links, dispatcher, follower, status };
}

class RouterRole implements RunningRole {
  readonly address: string;
  readonly admin: string;
  readonly ended: Promise<void>;
  readonly #config: RouterConfig;
  readonly #deps: RouterRoleDeps;
  readonly #parts: OpenParts;
  readonly #router: Router;
  #stopped: Promise<void> | undefined;

  constructor(config: RouterConfig, deps: RouterRoleDeps, parts: OpenParts) {
    this.#config = config;
    this.#deps = deps;
    this.#parts = parts;
    this.address = formatAddress(config.advertise ?? parts.listener.address);
    this.admin = parts.admin.url;
    let fail: (reason: Error) => void = () => undefined;
    this.ended = new Promise((_, reject) => {
      fail = reject;
    });
    this.ended.catch(() => undefined); // Whoever started the role looks; until then no crash.
    const { health, log } = deps;
    const record = { id: config.id, address: this.address, admin: this.admin };
    this.#router = new Router(
      config,
      {
        ...deps,
        ...parts,
        ready: () => {
          if (this.#stopped !== undefined || health.ready) return;
          health.setReady(true);
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
    const { health, dialer, coordinator } = this.#deps;
    const { listener, dispatcher, links, admin } = this.#parts;
    health.setReady(false);
    await this.#router.withdraw();
    // Before the drain: what waits for a primary is told to go elsewhere at once.
    dispatcher.stop();
    await listener.stop(this.#config.drainMs);
    links.close();
    dialer.close();
    await coordinator.close();
    await admin.close();
  }
}
