/**
 * All znodes by path, and the four edits that change them. An edit cannot fail: whether it may be
 * done is judged before (`steps.ts`), and a broken requirement is a bug.
 *
 * Each edit is remembered until the transaction ends, so that a multi whose later step is refused
 * leaves no trace. (ZooKeeper instead prepares on copies, `PrepRequestProcessor.rollbackPending-
 * Changes`; the outcome is the same.) What is put back may stand elsewhere among its siblings:
 * children have no order.
 *
 * The work of an edit does not depend on how many znodes there are.
 */
import { assert } from '../model/assert.js';
import { type Acl, OPEN_ACL, READ_ONLY_ACL } from './acl.js';
import { nameOf, parentOf, ROOT, SPECIAL_PATHS } from './paths.js';
import type { Change, SessionId } from './requests.js';
import { type Birth, Znode, type ZnodeFields } from './znode.js';

/** Of the transaction that edits. */
export interface EditStamp {
  readonly zxid: number;
  readonly timeMs: number;
}

export class ZnodeTable {
  readonly #znodes = new Map<string, Znode>();
  /** Paths; a session without ephemeral znodes has no entry. */
  readonly #ephemerals = new Map<SessionId, Set<string>>();
  /** Of the open transaction. */
  #changes: Change[] = [];
  #undo: (() => void)[] = [];

  /** The znodes a new ensemble has: ZooKeeper makes them without a transaction. */
  static fresh(): ZnodeTable {
    const table = new ZnodeTable();
    for (const path of SPECIAL_PATHS) {
      const birth = { zxid: 0, timeMs: 0, owner: undefined };
      const access = path === '/zookeeper/config' ? { acl: READ_ONLY_ACL, aversion: -1 } : {};
      table.#put(path, Znode.born(Buffer.alloc(0), { ...birth, ...access }));
    }
    return table;
  }

  /** Of what {@link ZnodeTable.entries} gave; parents before their children. */
  static of(entries: Iterable<readonly [string, ZnodeFields]>): ZnodeTable {
    const table = new ZnodeTable();
    for (const [path, fields] of entries) table.#put(path, new Znode(fields));
    return table;
  }

  get size(): number {
    return this.#znodes.size;
  }

  get ephemeralCount(): number {
    return [...this.#ephemerals.values()].reduce((sum, { size }) => sum + size, 0);
  }

  get dataBytes(): number {
    let bytes = 0;
    for (const [path, { data }] of this.#znodes) bytes += path.length + data.length;
    return bytes;
  }

  get(path: string): Readonly<Znode> | undefined {
    return this.#znodes.get(path);
  }

  /** Paths of the ephemeral znodes of a session, sorted: the same order in every copy. */
  ephemeralsOf(owner: SessionId): readonly string[] {
    return [...(this.#ephemerals.get(owner) ?? [])].sort();
  }

  /** Every znode, parents before their children, siblings in the order they have here. */
  *entries(): Generator<readonly [string, ZnodeFields]> {
    const waiting: string[] = [ROOT];
    for (const path of waiting) {
      const znode = this.#found(path);
      yield [path, znode.fields()];
      const prefix = path === ROOT ? path : `${path}/`;
      for (const name of znode.children) waiting.push(prefix + name);
    }
  }

  create(path: string, data: Buffer, birth: Birth): Readonly<Znode> {
    const parent = this.#found(parentOf(path));
    const { pzxid } = parent;
    const znode = Znode.born(data, birth);
    this.#put(path, znode);
    parent.childrenCreated++;
    parent.pzxid = birth.zxid;
    this.#remember({ type: 'created', path, ...listsOf(znode, parent) }, () => {
      this.#take(path);
      parent.childrenCreated--;
      parent.pzxid = pzxid;
    });
    return znode;
  }

  delete(path: string, { zxid }: EditStamp): void {
    const parent = this.#found(parentOf(path));
    const { pzxid } = parent;
    const znode = this.#take(path);
    parent.pzxid = zxid;
    this.#remember({ type: 'deleted', path, ...listsOf(znode, parent) }, () => {
      this.#put(path, znode);
      parent.pzxid = pzxid;
    });
  }

  setData(path: string, data: Buffer, { zxid, timeMs }: EditStamp): Readonly<Znode> {
    const znode = this.#found(path);
    const before = znode.fields();
    znode.data = data;
    znode.version++;
    znode.mzxid = zxid;
    znode.mtimeMs = timeMs;
    this.#remember({ type: 'data-changed', path, ...listsOf(znode) }, () => {
      znode.data = before.data;
      znode.version = before.version;
      znode.mzxid = before.mzxid;
      znode.mtimeMs = before.mtimeMs;
    });
    return znode;
  }

  setAcl(path: string, acl: Acl): Readonly<Znode> {
    const znode = this.#found(path);
    const before = znode.acl;
    znode.acl = acl;
    znode.aversion++;
    this.#remember({ type: 'acl-changed', path }, () => {
      znode.acl = before;
      znode.aversion--;
    });
    return znode;
  }

  /** Ends the transaction: its edits stay. In the order in which they were made. */
  keep(): readonly Change[] {
    const changes = this.#changes;
    this.#changes = [];
    this.#undo = [];
    return changes;
  }

  /** Ends the transaction: its edits were never made. */
  revert(): void {
    for (const undo of this.#undo.toReversed()) undo();
    this.keep();
  }

  /** For tests: everything that must hold between transactions. */
  assertInvariants(): void {
    assert(this.#undo.length === 0, 'no transaction is open');
    for (const [path, { owner, children }] of this.#znodes) {
      const isListed = path === ROOT || this.#found(parentOf(path)).children.has(nameOf(path));
      assert(isListed, 'parents list their children', () => ({ path }));
      assert(owner === undefined || children.size === 0, 'ephemerals are leaves', () => ({ path }));
      const isHeld = owner === undefined || this.#ephemerals.get(owner)?.has(path) === true;
      assert(isHeld, 'sessions list their ephemerals', () => ({ path }));
    }
    const listed = [...this.#znodes.values()].reduce((sum, { children }) => sum + children.size, 1);
    assert(listed === this.#znodes.size, 'every child exists');
    const owned = [...this.#znodes.values()].filter(({ owner }) => owner !== undefined).length;
    const held = [...this.#ephemerals.values()].reduce((sum, { size }) => sum + size, 0);
    assert(held === owned, 'every ephemeral of a session exists', () => ({ held, owned }));
  }

  #remember(change: Change, undo: () => void): void {
    this.#changes.push(change);
    this.#undo.push(undo);
  }

  #put(path: string, znode: Znode): void {
    assert(!this.#znodes.has(path), 'no znode is overwritten', () => ({ path }));
    if (path !== ROOT) this.#found(parentOf(path)).children.add(nameOf(path));
    this.#znodes.set(path, znode);
    if (znode.owner === undefined) return;
    const paths = this.#ephemerals.get(znode.owner) ?? new Set();
    this.#ephemerals.set(znode.owner, paths.add(path));
  }

  #take(path: string): Znode {
    const znode = this.#found(path);
    assert(znode.children.size === 0, 'only leaves are deleted', () => ({ path }));
    this.#znodes.delete(path);
    this.#found(parentOf(path)).children.delete(nameOf(path));
    if (znode.owner === undefined) return znode;
    const paths = this.#ephemerals.get(znode.owner);
    paths?.delete(path);
    if (paths?.size === 0) this.#ephemerals.delete(znode.owner);
    return znode;
  }

  #found(path: string): Znode {
    const znode = this.#znodes.get(path);
    assert(znode !== undefined, 'the znode exists', () => ({ path }));
    return znode;
  }
}

/** Left out where anybody may know: that is what nearly all changes are. */
function listsOf({ acl }: Znode, parent?: Znode): Pick<Change, 'acl' | 'parentAcl'> {
  return {
    ...(acl === OPEN_ACL ? {} : { acl }),
    ...(parent === undefined || parent.acl === OPEN_ACL ? {} : { parentAcl: parent.acl }),
  };
}
