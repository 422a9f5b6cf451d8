/**
 * The routers a client knows, and which of them to ask.
 *
 * Routers take turns. One that failed is left alone until it has said, to a probe in the background
 * and on a fresh connection, that it serves: so a hung router costs the calls that were on it their
 * attempt, and no later call anything. If all have failed they are asked nevertheless.
 */
import { RouterChannels } from '../grpc/kv-client.js';

/** First and longest pause between two probes of a router that failed. */
const PROBE_PAUSE_MS = { first: 100, last: 2_000 };
const PROBE_TIMEOUT_MS = 1_000;

export class PooledRouter {
  readonly channels: RouterChannels;
  /** Failures since it last served; 0 = in use. */
  failures = 0;
  probe: NodeJS.Timeout | undefined;

  constructor(address: string, channelsPerRouter: number) {
    this.channels = new RouterChannels(address, channelsPerRouter);
  }

  get address(): string {
    return this.channels.address;
  }
}

export class RouterPool {
  readonly #routers: readonly PooledRouter[];
  readonly #probes = new Set<RouterChannels>();
  #turn: number;
  #closed = false;

  constructor(addresses: readonly string[], channelsPerRouter: number) {
    this.#routers = addresses.map((address) => new PooledRouter(address, channelsPerRouter));
    // Many clients that start together should not all begin with the same router.
    this.#turn = Math.floor(Math.random() * addresses.length);
  }

  get size(): number {
    return this.#routers.length;
  }

  /** The next router to ask; undefined if all have been tried already. */
  next(tried: ReadonlySet<PooledRouter>): PooledRouter | undefined {
    let best: PooledRouter | undefined;
    for (let step = 0; step < this.#routers.length; step++) {
      const router = this.#routers[(this.#turn + step) % this.#routers.length];
      if (router === undefined || tried.has(router)) continue;
      if (best === undefined || router.failures < best.failures) best = router;
      if (best.failures === 0) break;
    }
    if (best !== undefined) this.#turn = this.#routers.indexOf(best) + 1;
    return best;
  }

  served(router: PooledRouter): void {
    if (router.failures === 0) return;
    router.failures = 0;
    clearTimeout(router.probe);
    router.probe = undefined;
  }

  /** It refused, vanished, hung, or is stopping. */
  failed(router: PooledRouter): void {
    if (router.probe === undefined) this.#probeLater(router);
  }

  close(): void {
    this.#closed = true;
    for (const router of this.#routers) {
      clearTimeout(router.probe);
      router.channels.close();
    }
    for (const probe of this.#probes) probe.close();
  }

  #probeLater(router: PooledRouter): void {
    if (this.#closed) return;
    const ceiling = Math.min(PROBE_PAUSE_MS.last, PROBE_PAUSE_MS.first * 2 ** router.failures++);
    const pauseMs = ceiling * (0.5 + Math.random() / 2);
    // A client that is idle does not keep its process alive.
    router.probe = setTimeout(() => void this.#probe(router), pauseMs).unref();
  }

  async #probe(router: PooledRouter): Promise<void> {
    const probe = new RouterChannels(router.address);
    this.#probes.add(probe);
    const serves = await probe.serves({
      timeoutMs: PROBE_TIMEOUT_MS,
      connectTimeoutMs: PROBE_TIMEOUT_MS,
    });
    this.#probes.delete(probe);
    probe.close();
    if (this.#closed || router.failures === 0) return;
    if (!serves) return this.#probeLater(router);
    // Its old connections may lead to a process that is gone.
    router.channels.reset();
    this.served(router);
  }
}
