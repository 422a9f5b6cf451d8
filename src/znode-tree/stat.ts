/**
 * What ZooKeeper tells about a znode besides its data. See "ZooKeeper Stat Structure" in the
 * Programmer's Guide of ZooKeeper 3.8.
 */
import type { SessionId } from './requests.js';

export interface Stat {
  /** Transaction that created the znode. */
  readonly czxid: number;
  /** Transaction that changed its data last. */
  readonly mzxid: number;
  /** Transaction that created or deleted a child last; that of its own creation before. */
  readonly pzxid: number;
  /** Milliseconds since 1970 of czxid and of mzxid. */
  readonly ctimeMs: number;
  readonly mtimeMs: number;
  /** Changes of the data. */
  readonly version: number;
  /** Children that came and children that went. */
  readonly cversion: number;
  /** Changes of the access list. That of `/zookeeper/config` begins at -1. */
  readonly aversion: number;
  /** Undefined for a persistent znode, where ZooKeeper has 0. */
  readonly ephemeralOwner: SessionId | undefined;
  /** Bytes. */
  readonly dataLength: number;
  readonly numChildren: number;
}
