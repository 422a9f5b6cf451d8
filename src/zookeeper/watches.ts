/**
 * Who is to be told that a znode may have changed. The library holds one listener per path and
 * kind; this table holds any number of hints behind it, each told once.
 */
import type { ConnectionManager, WatchKind } from './library.js';

type Registrar = Pick<
  ConnectionManager,
  'registerDataWatcher' | 'registerExistenceWatcher' | 'registerChildWatcher'
>;

/** After a reconnect the library sets all watches in one packet, which must stay below 1 MiB. */
const WATCHES_MAX = 5_000;
const WATCHED_BYTES_MAX = 512 * 1024;

export class Watches {
  readonly #hints = new Map<string, Set<() => void>>();
  #pathBytes = 0;
  #ended = false;

  get isFull(): boolean {
    return this.#hints.size >= WATCHES_MAX || this.#pathBytes >= WATCHED_BYTES_MAX;
  }

  /** Adds a hint to the watch that the server has just set. The same one twice counts once. */
  add(registrar: Registrar, kind: WatchKind, path: string, hint: () => void): void {
    if (this.#ended) return queueMicrotask(hint);
    const key = `${kind}:${path}`;
    const hints = this.#hints.get(key);
    if (hints !== undefined) {
      hints.add(hint);
      return;
    }
    this.#hints.set(key, new Set([hint]));
    this.#pathBytes += Buffer.byteLength(key);
    register(registrar, kind, path, () => this.#fire(key));
  }

  /** Everything watched may have changed: the session with its watches is gone, for good. */
  end(): void {
    this.#ended = true;
    for (const key of [...this.#hints.keys()]) this.#fire(key);
  }

  #fire(key: string): void {
    const hints = this.#hints.get(key);
    if (hints === undefined) return;
    this.#hints.delete(key);
    this.#pathBytes -= Buffer.byteLength(key);
    // Not on the library's stack, which is in the middle of parsing.
    queueMicrotask(() => hints.forEach((hint) => hint()));
  }
}

function register(registrar: Registrar, kind: WatchKind, path: string, fire: () => void): void {
  switch (kind) {
    case 'data':
      return registrar.registerDataWatcher(path, fire);
    case 'exists':
      return registrar.registerExistenceWatcher(path, fire);
    case 'children':
      return registrar.registerChildWatcher(path, fire);
  }
}
