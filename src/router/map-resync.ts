/**
 * Keeps a router's map fresh when no leader tells it: because there is none, because it cannot be
 * reached from there, or because its leader does not know of it. Then the router reads the map from
 * ZooKeeper itself, every few seconds (rule Z7). A router that is told reads nothing.
 */
import type { Cancel, Clock } from '../ports/clock.js';
import type { Random } from '../ports/random.js';

/** Between two looks, plus jitter, so that many routers do not read at once. */
const LOOK_MS = { least: 2_000, jitter: 1_000 };

export interface MapResyncDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Whether a leader tells this router the map, or it leads itself. */
  readonly isTold: () => boolean;
  /** Reads the map into place; resolves when done or given up. */
  readonly read: () => Promise<void>;
}

export class MapResync {
  readonly #deps: MapResyncDeps;
  #cancel: Cancel = () => undefined;
  #stopped = false;

  constructor(deps: MapResyncDeps) {
    this.#deps = deps;
  }

  /** Begins to look. May be called again, in a new session. */
  start(): void {
    this.#lookLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #lookLater(): void {
    this.#cancel();
    if (this.#stopped) return;
    const { clock, random } = this.#deps;
    const delayMs = LOOK_MS.least + LOOK_MS.jitter * random.fraction();
    this.#cancel = clock.after(delayMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    if (!this.#deps.isTold()) await this.#deps.read();
    this.#lookLater();
  }
}
