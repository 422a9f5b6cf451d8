/**
 * Tells which storage nodes that shards count on are away for long, so that their replicas are
 * replaced. A leader counts from when it first saw that one is away: it does not know more.
 */
import type { MemberId } from '../model/ids.js';
import type { ShardMap } from '../model/shard-map.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import { AwaySince } from './away-since.js';

/** Looks until a node is found to be gone: how late that may be, and how often at least. */
const LOOKS = 5;
const LOOK_MS_MAX = 5_000;

export interface GoneNodesDeps {
  readonly clock: Clock;
  readonly map: ShardMap;
  readonly log: Log;
  /** Said at each look while the node is away for long. */
  readonly gone: (node: MemberId) => void;
}

export class GoneNodes {
  readonly #deps: GoneNodesDeps;
  readonly #afterMs: number;
  readonly #awaySince = new AwaySince();
  /** What the log was told. */
  #said: ReadonlySet<MemberId> = new Set();
  #cancel: Cancel = () => undefined;

  /** `afterMs`: how long a node may be away; 0 = for ever. */
  constructor(deps: GoneNodesDeps, afterMs: number) {
    this.#deps = deps;
    this.#afterMs = afterMs;
  }

  start(): void {
    if (this.#afterMs === 0) return;
    this.#cancel = this.#deps.clock.after(Math.min(LOOK_MS_MAX, this.#afterMs / LOOKS), () => {
      this.start();
      this.#look();
    });
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const { clock, map, log, gone } = this.#deps;
    const now = clock.now();
    this.#awaySince.update(map.nodes, now);
    const away = new Set<MemberId>();
    for (const { config } of map.shards.values()) {
      for (const { node } of config.replicas) if (!map.nodes.has(node)) away.add(node);
    }
    const goneFor = (node: MemberId) => now - this.#awaySince.of(node, now);
    const isGone = [...away].filter((node) => goneFor(node) >= this.#afterMs);
    for (const node of isGone) {
      const awaySeconds = Math.round(goneFor(node) / 1000);
      if (!this.#said.has(node)) {
        log.warn(`storage node ${node} is gone: its replicas are replaced`, { awaySeconds });
      }
      gone(node);
    }
    this.#said = new Set(isGone);
  }
}
