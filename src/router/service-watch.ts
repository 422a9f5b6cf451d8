/**
 * How many shards are not served or lack replicas, and for how long, as this router sees it: what
 * an operator's alarms and graphs of a failover are made of. Looked at often, because a failover
 * takes a fraction of a second.
 */
import { whyUnsafe, whyUnserved } from '../control/shard-health.js';
import type { MemberId, ShardId } from '../model/ids.js';
import type { ShardMap } from '../model/shard-map.js';
import type { Cancel, Clock } from '../ports/clock.js';

/** Between two looks: how exact the time without a primary is. */
const LOOK_MS = 100;

export interface WatchedService {
  readonly map: { readonly map: ShardMap };
  /** Nodes that this router cannot connect to, and why. */
  readonly links: { readonly problems: ReadonlyMap<MemberId, string> };
}

export class ServiceWatch {
  /** Shards without a primary that serves them, at the last look. */
  unserved = 0;
  /** Shards that are served with fewer replicas in sync than they should have. */
  underReplicated = 0;
  /** Seconds without a primary, summed over all shards that had one before; only grows. */
  unservedSeconds = 0;
  readonly #clock: Clock;
  readonly #service: WatchedService;
  /** Of those that are not served: shards that were served at some time. */
  #interrupted = 0;
  #lookedAt: number;
  #cancel: Cancel = () => undefined;

  constructor(clock: Clock, service: WatchedService) {
    this.#clock = clock;
    this.#service = service;
    this.#lookedAt = clock.now();
  }

  start(): void {
    this.#cancel = this.#clock.after(LOOK_MS, () => {
      this.#look();
      this.start();
    });
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const { map } = this.#service.map;
    const { problems } = this.#service.links;
    const now = this.#clock.now();
    this.unservedSeconds += (this.#interrupted * (now - this.#lookedAt)) / 1000;
    this.#lookedAt = now;
    this.unserved = 0;
    this.underReplicated = 0;
    this.#interrupted = 0;
    for (let shard = 0; shard < map.shardCount; shard++) {
      const config = map.config(shard as ShardId);
      if (whyUnserved(map, config, problems) !== undefined) {
        this.unserved++;
        if (config?.state === 'active') this.#interrupted++;
      } else if (whyUnsafe(map, config, problems) !== undefined) this.underReplicated++;
    }
  }
}
