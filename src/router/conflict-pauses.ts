/**
 * How long a leader waits before it looks again at shards that somebody else wrote meanwhile. The
 * first time not at all: the next look tells what there is. But a ZooKeeper server that lags shows
 * the old state again and again, and whoever asks it at once keeps it busy: then the pause grows.
 */
import type { ShardId } from '../model/ids.js';
import type { Clock } from '../ports/clock.js';

/** The second pause and the longest: doubles in between. */
const PAUSE_MS = { second: 50, last: 2_000 };

export class ConflictPauses {
  readonly #clock: Clock;
  /** Conflicts of each shard since it was written. */
  readonly #counts = new Map<ShardId, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** These met a conflict, together. Resolves when it is time to look at them again. */
  async pause(shards: readonly ShardId[]): Promise<void> {
    const counts = shards.map((shard) => this.#counts.get(shard) ?? 0);
    for (const [index, shard] of shards.entries())
      this.#counts.set(shard, (counts[index] ?? 0) + 1);
    const most = Math.max(...counts);
    if (most === 0) return;
    const pauseMs = Math.min(PAUSE_MS.last, PAUSE_MS.second * 2 ** (most - 1));
    await new Promise<void>((resolve) => void this.#clock.after(pauseMs, resolve));
  }

  written(shards: readonly ShardId[]): void {
    for (const shard of shards) this.#counts.delete(shard);
  }
}
