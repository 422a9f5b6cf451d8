/**
 * One server's copy of the tree with the watches of those who read from it: transactions and reads
 * in, results and events out. The server sends the events of a transaction before the answer to it
 * and before anything read later; then nobody sees new data before hearing that it changed
 * (ZooKeeper 3.8, Programmer's Guide, "What ZooKeeper Guarantees about Watches").
 */
import { type Acl, allows, type Identity, maskedAcl, PERMS } from './acl.js';
import type { Applied, ErrorCode, Transaction } from './requests.js';
import type { Snapshot } from './snapshot.js';
import type { Stat } from './stat.js';
import { ZnodeTree } from './tree.js';
import {
  type WatchEvent,
  type WatchKind,
  type WatchMode,
  type Watcher,
  Watches,
} from './watches.js';

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: ErrorCode };

/** Everything a client waits for, by path, with the kind of read that it came from. */
export interface WatchedPaths {
  readonly data: readonly string[];
  readonly exist: readonly string[];
  readonly child: readonly string[];
  readonly persistent?: readonly string[];
  readonly recursive?: readonly string[];
}

export class WatchedTree {
  readonly #tree: ZnodeTree;
  readonly #watches = new Watches();

  constructor(snapshot?: Snapshot) {
    this.#tree = new ZnodeTree(snapshot);
  }

  get tree(): ZnodeTree {
    return this.#tree;
  }

  /** Who waits for znodes themselves, by path. */
  get watchersOfZnodes(): ReadonlyMap<string, readonly Watcher[]> {
    return this.#watches.ofZnodes;
  }

  /** Watches set. */
  get watchCount(): number {
    return this.#watches.size;
  }

  apply(transaction: Transaction): Applied & { readonly events: readonly WatchEvent[] } {
    const applied = this.#tree.apply(transaction);
    const events = applied.changes.flatMap((change) => this.#watches.fire(change));
    return { ...applied, events };
  }

  /**
   * A znode that is not there is not watched.
   *
   * @param identities Of who asks. Undefined: somebody who may read everything.
   */
  getData(
    path: string,
    watcher?: Watcher,
    identities?: readonly Identity[],
  ): Read<{ readonly data: Buffer; readonly stat: Stat }> {
    const [data, stat] = [this.#tree.data(path), this.#tree.stat(path)];
    if (data === undefined || stat === undefined) return { ok: false, code: 'no-node' };
    if (!this.#mayDo(path, PERMS.read, identities)) return { ok: false, code: 'no-auth' };
    if (watcher !== undefined) this.#watches.add('data', path, watcher);
    return { ok: true, value: { data, stat } };
  }

  /** Alone among the reads, this one watches also a znode that is not there. */
  exists(path: string, watcher?: Watcher): Read<Stat> {
    if (path.includes('\0')) return { ok: false, code: 'bad-arguments' };
    if (watcher !== undefined) this.#watches.add('data', path, watcher);
    const stat = this.#tree.stat(path);
    return stat === undefined ? { ok: false, code: 'no-node' } : { ok: true, value: stat };
  }

  /** A znode that is not there is not watched. Names in no particular order. */
  getChildren(
    path: string,
    watcher?: Watcher,
    identities?: readonly Identity[],
  ): Read<{ readonly children: readonly string[]; readonly stat: Stat }> {
    const [children, stat] = [this.#tree.children(path), this.#tree.stat(path)];
    if (children === undefined || stat === undefined) return { ok: false, code: 'no-node' };
    if (!this.#mayDo(path, PERMS.read, identities)) return { ok: false, code: 'no-auth' };
    if (watcher !== undefined) this.#watches.add('child', path, watcher);
    return { ok: true, value: { children, stat } };
  }

  /** Those who may not change it see only the names in it. */
  getAcl(
    path: string,
    identities?: readonly Identity[],
  ): Read<{ readonly acl: Acl; readonly stat: Stat }> {
    const [acl, stat] = [this.#tree.acl(path), this.#tree.stat(path)];
    if (acl === undefined || stat === undefined) return { ok: false, code: 'no-node' };
    if (!this.#mayDo(path, PERMS.read | PERMS.admin, identities)) {
      return { ok: false, code: 'no-auth' };
    }
    const isShown = this.#mayDo(path, PERMS.admin, identities);
    return { ok: true, value: { acl: isShown ? acl : maskedAcl(acl), stat } };
  }

  /** Is told of every change from now on, whether the znode is there or not. */
  addWatch(path: string, watcher: Watcher, mode: Exclude<WatchMode, 'standard'>): void {
    this.#watches.add('data', path, watcher, mode);
    this.#watches.add('child', path, watcher, mode);
  }

  hasWatch(kind: WatchKind, path: string, watcher: Watcher): boolean {
    return this.#watches.has(kind, path, watcher);
  }

  /** Whether there was one. */
  removeWatch(kind: WatchKind, path: string, watcher: Watcher): boolean {
    return this.#watches.remove(kind, path, watcher);
  }

  /**
   * What a client sends first over a new connection: what it waits for, and the latest zxid it has
   * heard of. Whatever changed since is told at once, the rest is watched from here on
   * (`DataTree.setWatches`).
   *
   * Does not notice a znode that came and went meanwhile, if it was to come: nothing is left of it.
   */
  setWatches(
    watcher: Watcher,
    sinceZxid: number,
    { data, exist, child, persistent = [], recursive = [] }: WatchedPaths,
  ): readonly WatchEvent[] {
    const events: WatchEvent[] = [];
    const tell = (type: WatchEvent['type'], path: string) => events.push({ watcher, type, path });
    for (const path of data) {
      const stat = this.#tree.stat(path);
      if (stat === undefined) tell('NodeDeleted', path);
      else if (stat.mzxid > sinceZxid) tell('NodeDataChanged', path);
      else this.#watches.add('data', path, watcher);
    }
    for (const path of exist) {
      if (this.#tree.stat(path) !== undefined) tell('NodeCreated', path);
      else this.#watches.add('data', path, watcher);
    }
    for (const path of child) {
      const stat = this.#tree.stat(path);
      if (stat === undefined) tell('NodeDeleted', path);
      else if (stat.pzxid > sinceZxid) tell('NodeChildrenChanged', path);
      else this.#watches.add('child', path, watcher);
    }
    for (const path of persistent) this.addWatch(path, watcher, 'persistent');
    for (const path of recursive) this.addWatch(path, watcher, 'recursive');
    return events;
  }

  /** The connection is gone, and its watches with it. */
  forget(watcher: Watcher): void {
    this.#watches.forget(watcher);
  }

  #mayDo(path: string, perms: number, identities: readonly Identity[] | undefined): boolean {
    return identities === undefined || allows(this.#tree.acl(path) ?? [], perms, identities);
  }
}
