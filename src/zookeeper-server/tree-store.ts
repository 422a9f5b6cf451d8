/**
 * The tree on disk. What transactions changed is collected, and written as one batch with one
 * fsync; nothing that depends on it may be said before. A start reads everything.
 */
import { type Disk, type DiskBatch, UnusableDirectoryError } from '../ports/disk.js';
import type { Random } from '../ports/random.js';
import { parentOf, ROOT, SPECIAL_PATHS } from '../znode-tree/paths.js';
import type { Change, SessionId } from '../znode-tree/requests.js';
import type { Snapshot } from '../znode-tree/snapshot.js';
import { ZnodeTree } from '../znode-tree/tree.js';
import type { ZnodeFields } from '../znode-tree/znode.js';
import {
  CorruptTreeError,
  decodeMeta,
  decodeSession,
  decodeZnode,
  encodeMeta,
  encodeSession,
  encodeZnode,
  IDENTITY_KEY,
  META_KEY,
  pathOfKey,
  SESSION_KEYS,
  sessionKey,
  sessionOfKey,
  ZNODE_KEYS,
  znodeKey,
} from './tree-records.js';

const FORMAT = 1;

const WHAT = 'portolan zookeeper';

interface Identity {
  readonly format: number;
  readonly what: typeof WHAT;
  /** 64 hex digits: what passwords of sessions are made with. */
  readonly secret: string;
}

export class TreeStore {
  readonly secret: Buffer;
  readonly #disk: Disk;
  /** What differs from the disk: paths, sessions. */
  readonly #znodes = new Set<string>();
  readonly #sessions = new Set<SessionId>();
  #writtenZxid: number;

  private constructor(disk: Disk, secret: Buffer, writtenZxid: number) {
    this.#disk = disk;
    this.secret = secret;
    this.#writtenZxid = writtenZxid;
  }

  /**
   * Opens or makes the store; the snapshot is undefined if it is new.
   *
   * @throws UnusableDirectoryError if it is not one, or damaged; StorageFailure.
   */
  static async open(
    disk: Disk,
    random: Random,
  ): Promise<{ readonly store: TreeStore; readonly snapshot: Snapshot | undefined }> {
    const bytes = disk.get(IDENTITY_KEY);
    if (bytes === undefined) return { store: await make(disk, random), snapshot: undefined };
    const { secret } = identityOf(bytes);
    try {
      const snapshot = await read(disk);
      return {
        store: new TreeStore(disk, Buffer.from(secret, 'hex'), snapshot.lastZxid),
        snapshot,
      };
    } catch (error) {
      if (!(error instanceof CorruptTreeError)) throw error;
      throw new UnusableDirectoryError(`${error.message}: restore the directory from a backup`, {
        cause: error,
      });
    }
  }

  /** A new store, with what every tree begins with, in one batch: there is all of it or nothing. */
  static async fresh(disk: Disk, secret: Buffer): Promise<TreeStore> {
    const tree = new ZnodeTree();
    const store = new TreeStore(disk, secret, -1);
    for (const path of SPECIAL_PATHS) store.#znodes.add(path);
    const identity = { format: FORMAT, what: WHAT, secret: secret.toString('hex') };
    const batch = disk.batch();
    batch.put(IDENTITY_KEY, Buffer.from(JSON.stringify(identity)));
    store.#fill(batch, tree);
    await batch.writeDurably();
    return store;
  }

  /** A transaction did this; it is written with the next batch. */
  changed(changes: readonly Change[]): void {
    for (const { type, path } of changes) {
      this.#znodes.add(path);
      const isCounted = type === 'created' || type === 'deleted';
      if (isCounted && path !== ROOT) this.#znodes.add(parentOf(path));
    }
  }

  sessionChanged(session: SessionId): void {
    this.#sessions.add(session);
  }

  /**
   * Whether there is anything to write. A transaction that was refused has a number, too, which
   * its client has seen: after a restart the server must not be behind it.
   */
  isBehind(tree: ZnodeTree): boolean {
    return tree.lastZxid !== this.#writtenZxid;
  }

  /**
   * Resolves when everything is on stable storage, with the bytes that took.
   *
   * @throws StorageFailure: the tree is ahead of the disk for good.
   */
  async write(tree: ZnodeTree): Promise<number> {
    const batch = this.#disk.batch();
    const bytes = this.#fill(batch, tree);
    await batch.writeDurably();
    return bytes;
  }

  #fill(batch: DiskBatch, tree: ZnodeTree): number {
    let bytes = 0;
    const put = (key: Buffer, record: Buffer): void => {
      batch.put(key, record);
      bytes += key.length + record.length;
    };
    for (const path of this.#znodes) {
      const fields = tree.fields(path);
      if (fields === undefined) batch.remove(znodeKey(path));
      else put(znodeKey(path), encodeZnode(path, fields));
    }
    for (const session of this.#sessions) {
      const timeoutMs = tree.sessions.get(session);
      if (timeoutMs === undefined) batch.remove(sessionKey(session));
      else put(sessionKey(session), encodeSession(session, timeoutMs));
    }
    put(META_KEY, encodeMeta(tree.lastZxid));
    this.#writtenZxid = tree.lastZxid;
    this.#znodes.clear();
    this.#sessions.clear();
    return bytes;
  }
}

async function make(disk: Disk, random: Random): Promise<TreeStore> {
  const everything = disk.scan(Buffer.alloc(0), Buffer.alloc(64, 0xff));
  const { done } = await everything[Symbol.asyncIterator]().next();
  if (done !== true) {
    throw new UnusableDirectoryError('the data directory holds something else; choose another one');
  }
  return TreeStore.fresh(disk, Buffer.from(random.uuid() + random.uuid(), 'hex'));
}

function identityOf(bytes: Buffer): Identity {
  let identity: Partial<Identity> = {};
  try {
    identity = JSON.parse(bytes.toString()) as Partial<Identity>;
  } catch {
    // Said below.
  }
  const { format, what, secret } = identity;
  if (what !== WHAT || format !== FORMAT || !/^[0-9a-f]{64}$/.test(secret ?? '')) {
    throw new UnusableDirectoryError('the data directory is not one of `portolan zookeeper`');
  }
  return identity as Identity;
}

async function read(disk: Disk): Promise<Snapshot> {
  const meta = disk.get(META_KEY);
  if (meta === undefined) throw new CorruptTreeError('the record of the last transaction is gone');
  const sessions: (readonly [SessionId, number])[] = [];
  for await (const [key, record] of disk.scan(SESSION_KEYS.from, SESSION_KEYS.to)) {
    sessions.push([sessionOfKey(key), decodeSession(key, record)]);
  }
  const znodes = new Map<string, ZnodeFields>();
  for await (const [key, record] of disk.scan(ZNODE_KEYS.from, ZNODE_KEYS.to)) {
    const path = pathOfKey(key);
    if (path !== ROOT && !znodes.has(parentOf(path))) {
      throw new CorruptTreeError(`the parent of ${path} is gone`);
    }
    znodes.set(path, decodeZnode(key, record));
  }
  if (!znodes.has(ROOT)) throw new CorruptTreeError('the root is gone');
  return { lastZxid: decodeMeta(meta), sessions, znodes: [...znodes] };
}
