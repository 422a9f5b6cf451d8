/** What a client of a znode tree waits for: hints by path and by the kind of read that set them. */
import { unreachable } from '../../src/model/assert.js';
import type { WatchEvent } from '../../src/znode-tree/watches.js';
import type { WatchedPaths } from '../../src/znode-tree/watched-tree.js';

export type HintKind = 'data' | 'exist' | 'child';

export class Hints {
  readonly #tables: Readonly<Record<HintKind, Map<string, Set<() => void>>>> = {
    data: new Map(),
    exist: new Map(),
    child: new Map(),
  };
  #ended = false;

  /** The same hint twice for the same path and kind counts once. */
  add(kind: HintKind, path: string, hint: () => void): void {
    if (this.#ended) return queueMicrotask(hint);
    const hints = this.#tables[kind].get(path) ?? new Set();
    this.#tables[kind].set(path, hints.add(hint));
  }

  /** An event of the server; one that nothing waits for any more is ignored. */
  hear({ type, path }: Pick<WatchEvent, 'type' | 'path'>): void {
    switch (type) {
      case 'NodeCreated':
      case 'NodeDataChanged':
        return this.#fire(['data', 'exist'], path);
      case 'NodeDeleted':
        return this.#fire(['data', 'exist', 'child'], path);
      case 'NodeChildrenChanged':
        return this.#fire(['child'], path);
      default:
        return unreachable(type);
    }
  }

  /** Everything may have changed: the session with its watches is gone. */
  end(): void {
    this.#ended = true;
    for (const [kind, table] of Object.entries(this.#tables)) {
      for (const path of [...table.keys()]) this.#fire([kind as HintKind], path);
    }
  }

  /** What has to be watched again over a new connection. */
  get paths(): WatchedPaths {
    const { data, exist, child } = this.#tables;
    return { data: [...data.keys()], exist: [...exist.keys()], child: [...child.keys()] };
  }

  #fire(kinds: readonly HintKind[], path: string): void {
    for (const kind of kinds) {
      const hints = this.#tables[kind].get(path) ?? [];
      this.#tables[kind].delete(path);
      // Callers are not called from within the server's turn.
      for (const hint of hints) queueMicrotask(hint);
    }
  }
}
