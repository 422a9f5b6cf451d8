/**
 * Who is told of what, once. A watcher is whoever reads from one server over one connection: its
 * watches end with the connection, and it sets them again over the next one.
 *
 * There are two tables, as in ZooKeeper (`DataTree` of 3.8): what `getData` and `exists` set waits
 * for the znode itself, what `getChildren` sets for its children. Which change fires what:
 *
 * | change  | data watches of it | child watches of it | child watches of its parent |
 * |---------|--------------------|---------------------|-----------------------------|
 * | created | NodeCreated        |                     | NodeChildrenChanged         |
 * | data    | NodeDataChanged    |                     |                             |
 * | deleted | NodeDeleted        | NodeDeleted         | NodeChildrenChanged         |
 *
 * A watcher with both kinds on a deleted znode hears of it once.
 */
import { unreachable } from '../model/assert.js';
import { parentOf } from './paths.js';
import type { Change } from './requests.js';

/** Identifies a connection of a session; chosen by the server. */
export type Watcher = string;

export interface WatchEvent {
  readonly watcher: Watcher;
  readonly type: 'NodeCreated' | 'NodeDataChanged' | 'NodeDeleted' | 'NodeChildrenChanged';
  readonly path: string;
}

export type WatchKind = 'data' | 'child';

export class Watches {
  readonly #tables = { data: new WatchTable(), child: new WatchTable() };

  /** Watches set: a watcher counts once for each path and kind. */
  get size(): number {
    return this.#tables.data.size + this.#tables.child.size;
  }

  /** The same watcher twice on one path counts once. */
  add(kind: WatchKind, path: string, watcher: Watcher): void {
    this.#tables[kind].add(path, watcher);
  }

  /** The connection is gone. */
  forget(watcher: Watcher): void {
    this.#tables.data.forget(watcher);
    this.#tables.child.forget(watcher);
  }

  /** Takes the watches that waited for this change. In the order in which they were set. */
  fire({ type, path }: Change): readonly WatchEvent[] {
    switch (type) {
      case 'data-changed':
        return this.#take('data', 'NodeDataChanged', path);
      case 'created':
        return [...this.#take('data', 'NodeCreated', path), ...this.#childrenChanged(path)];
      case 'deleted': {
        const told = this.#take('data', 'NodeDeleted', path);
        const already = new Set(told.map(({ watcher }) => watcher));
        const others = this.#take('child', 'NodeDeleted', path).filter(({ watcher }) => {
          return !already.has(watcher);
        });
        return [...told, ...others, ...this.#childrenChanged(path)];
      }
      default:
        return unreachable(type);
    }
  }

  #childrenChanged(path: string): readonly WatchEvent[] {
    return this.#take('child', 'NodeChildrenChanged', parentOf(path));
  }

  #take(kind: WatchKind, type: WatchEvent['type'], path: string): readonly WatchEvent[] {
    return this.#tables[kind].take(path).map((watcher) => ({ watcher, type, path }));
  }
}

/** Watchers by path, and paths by watcher: neither end needs a search. */
class WatchTable {
  readonly #watchers = new Map<string, Set<Watcher>>();
  readonly #paths = new Map<Watcher, Set<string>>();

  get size(): number {
    return [...this.#paths.values()].reduce((sum, { size }) => sum + size, 0);
  }

  add(path: string, watcher: Watcher): void {
    link(this.#watchers, path, watcher);
    link(this.#paths, watcher, path);
  }

  take(path: string): readonly Watcher[] {
    const watchers = [...(this.#watchers.get(path) ?? [])];
    this.#watchers.delete(path);
    for (const watcher of watchers) unlink(this.#paths, watcher, path);
    return watchers;
  }

  forget(watcher: Watcher): void {
    for (const path of this.#paths.get(watcher) ?? []) unlink(this.#watchers, path, watcher);
    this.#paths.delete(watcher);
  }
}

function link(sets: Map<string, Set<string>>, from: string, to: string): void {
  const set = sets.get(from) ?? new Set();
  sets.set(from, set.add(to));
}

function unlink(sets: Map<string, Set<string>>, from: string, to: string): void {
  const set = sets.get(from);
  set?.delete(to);
  if (set?.size === 0) sets.delete(from);
}
