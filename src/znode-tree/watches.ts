/**
 * Who is told of what. A watcher is whoever reads from one server over one connection: its watches
 * end with the connection, and it sets them again over the next one.
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
 * A watcher with both kinds on a deleted znode hears of it once. A `standard` watch is told once; a
 * `persistent` one of every change, in both tables; a `recursive` one also of every change of what
 * is below, and never that children changed. Of several on one path the latest counts, as there.
 */
import { unreachable } from '../model/assert.js';
import type { Acl } from './acl.js';
import { parentOf, ROOT } from './paths.js';
import type { Change } from './requests.js';

/** Identifies a connection of a session; chosen by the server. */
export type Watcher = string;

export interface WatchEvent {
  readonly watcher: Watcher;
  readonly type: 'NodeCreated' | 'NodeDataChanged' | 'NodeDeleted' | 'NodeChildrenChanged';
  readonly path: string;
  /** Of the znode, as it is or was last: who may not read it is not told. Undefined: anybody is. */
  readonly acl?: Acl | undefined;
}

export type WatchKind = 'data' | 'child';

export type WatchMode = 'standard' | 'persistent' | 'recursive';

export class Watches {
  readonly #tables = { data: new WatchTable(), child: new WatchTable() };

  /** Watches set: a watcher counts once for each path and kind. */
  get size(): number {
    return this.#tables.data.size + this.#tables.child.size;
  }

  /** Who waits for znodes themselves, by path. */
  get ofZnodes(): ReadonlyMap<string, readonly Watcher[]> {
    return this.#tables.data.byPath;
  }

  /** The same watcher twice on one path counts once. */
  add(kind: WatchKind, path: string, watcher: Watcher, mode: WatchMode = 'standard'): void {
    this.#tables[kind].add(path, watcher, mode);
  }

  has(kind: WatchKind, path: string, watcher: Watcher): boolean {
    return this.#tables[kind].has(path, watcher);
  }

  /** Whether there was one. */
  remove(kind: WatchKind, path: string, watcher: Watcher): boolean {
    return this.#tables[kind].remove(path, watcher);
  }

  /** The connection is gone. */
  forget(watcher: Watcher): void {
    this.#tables.data.forget(watcher);
    this.#tables.child.forget(watcher);
  }

  /** Takes the watches that waited for this change. In the order in which they were set. */
  fire(change: Change): readonly WatchEvent[] {
    const { type, path, acl } = change;
    switch (type) {
      case 'data-changed':
        return this.#take('data', 'NodeDataChanged', path, acl);
      case 'created':
        return [...this.#take('data', 'NodeCreated', path, acl), ...this.#childrenChanged(change)];
      case 'deleted': {
        const told = this.#take('data', 'NodeDeleted', path, acl);
        const already = new Set(told.map(({ watcher }) => watcher));
        const others = this.#take('child', 'NodeDeleted', path, acl).filter(({ watcher }) => {
          return !already.has(watcher);
        });
        return [...told, ...others, ...this.#childrenChanged(change)];
      }
      case 'acl-changed':
        return [];
      default:
        return unreachable(type);
    }
  }

  #childrenChanged({ path, parentAcl }: Change): readonly WatchEvent[] {
    return this.#take('child', 'NodeChildrenChanged', parentOf(path), parentAcl);
  }

  #take(
    kind: WatchKind,
    type: WatchEvent['type'],
    path: string,
    acl: Acl | undefined,
  ): readonly WatchEvent[] {
    const table = this.#tables[kind];
    const here = table.take(path);
    const above = type === 'NodeChildrenChanged' ? [] : table.recursiveTo(path);
    const watchers = new Set([
      ...here.filter(([, mode]) => mode !== 'recursive').map(([watcher]) => watcher),
      ...above,
    ]);
    return [...watchers].map((watcher) => ({ watcher, type, path, ...(acl && { acl }) }));
  }
}

/** Watchers by path, and paths by watcher: neither end needs a search. */
class WatchTable {
  readonly #watchers = new Map<string, Map<Watcher, WatchMode>>();
  readonly #paths = new Map<Watcher, Set<string>>();
  #recursive = 0;

  get size(): number {
    return [...this.#paths.values()].reduce((sum, { size }) => sum + size, 0);
  }

  add(path: string, watcher: Watcher, mode: WatchMode): void {
    if (this.#watchers.get(path)?.get(watcher) === mode) return;
    this.remove(path, watcher);
    const watchers = this.#watchers.get(path) ?? new Map<Watcher, WatchMode>();
    this.#watchers.set(path, watchers.set(watcher, mode));
    const paths = this.#paths.get(watcher) ?? new Set();
    this.#paths.set(watcher, paths.add(path));
    if (mode === 'recursive') this.#recursive++;
  }

  get byPath(): ReadonlyMap<string, readonly Watcher[]> {
    const entries = [...this.#watchers].map(([path, watchers]) => {
      return [path, [...watchers.keys()]] as const;
    });
    return new Map(entries);
  }

  has(path: string, watcher: Watcher): boolean {
    return this.#paths.get(watcher)?.has(path) === true;
  }

  remove(path: string, watcher: Watcher): boolean {
    const watchers = this.#watchers.get(path);
    const mode = watchers?.get(watcher);
    if (watchers === undefined || mode === undefined) return false;
    if (mode === 'recursive') this.#recursive--;
    watchers.delete(watcher);
    if (watchers.size === 0) this.#watchers.delete(path);
    const paths = this.#paths.get(watcher);
    paths?.delete(path);
    if (paths?.size === 0) this.#paths.delete(watcher);
    return true;
  }

  /** All on this path; those that are told once are gone. */
  take(path: string): readonly (readonly [Watcher, WatchMode])[] {
    const watchers = [...(this.#watchers.get(path) ?? [])];
    for (const [watcher, mode] of watchers) {
      if (mode === 'standard') this.remove(path, watcher);
    }
    return watchers;
  }

  /** Those who wait for everything here, or anywhere above. */
  *recursiveTo(path: string): Generator<Watcher> {
    if (this.#recursive === 0) return;
    for (let at = path; ; at = parentOf(at)) {
      for (const [watcher, mode] of this.#watchers.get(at) ?? []) {
        if (mode === 'recursive') yield watcher;
      }
      if (at === ROOT) return;
    }
  }

  forget(watcher: Watcher): void {
    for (const path of [...(this.#paths.get(watcher) ?? [])]) this.remove(path, watcher);
  }
}
