/** One znode, as it changes. Only `ZnodeTable` changes it. */
import { type Acl, OPEN_ACL } from './acl.js';
import type { SessionId } from './requests.js';
import type { Stat } from './stat.js';

export interface Birth {
  readonly zxid: number;
  readonly timeMs: number;
  readonly owner: SessionId | undefined;
  readonly acl?: Acl;
  readonly aversion?: number;
}

/** Everything about a znode but its children, which a snapshot has anyway. */
export interface ZnodeFields {
  readonly data: Buffer;
  readonly czxid: number;
  readonly ctimeMs: number;
  readonly owner: SessionId | undefined;
  readonly acl: Acl;
  readonly aversion: number;
  readonly mzxid: number;
  readonly mtimeMs: number;
  readonly pzxid: number;
  readonly version: number;
  readonly childrenCreated: number;
}

export class Znode {
  readonly czxid: number;
  readonly ctimeMs: number;
  readonly owner: SessionId | undefined;
  /** Names. */
  readonly children = new Set<string>();
  data: Buffer;
  acl: Acl;
  aversion: number;
  mzxid: number;
  mtimeMs: number;
  pzxid: number;
  version: number;
  /**
   * What ZooKeeper stores as cversion and takes sequential names from: it counts creations only.
   * Clients are told another number, see {@link Znode.stat}.
   */
  childrenCreated: number;

  constructor(fields: ZnodeFields) {
    this.czxid = fields.czxid;
    this.ctimeMs = fields.ctimeMs;
    this.owner = fields.owner;
    this.acl = fields.acl;
    this.aversion = fields.aversion;
    this.data = fields.data;
    this.mzxid = fields.mzxid;
    this.mtimeMs = fields.mtimeMs;
    this.pzxid = fields.pzxid;
    this.version = fields.version;
    this.childrenCreated = fields.childrenCreated;
  }

  static born(data: Buffer, birth: Birth): Znode {
    const { zxid, timeMs, owner, acl = OPEN_ACL, aversion = 0 } = birth;
    return new Znode({
      data,
      owner,
      acl,
      aversion,
      ...{ czxid: zxid, mzxid: zxid, pzxid: zxid, ctimeMs: timeMs, mtimeMs: timeMs },
      ...{ version: 0, childrenCreated: 0 },
    });
  }

  /**
   * As clients are told. The visible cversion counts both creations and deletions; as every child
   * that was created is either there or was deleted, it is twice the creations less those that are
   * there (`DataNode.copyStat` of ZooKeeper 3.8). So that of the root begins at -1: it was given
   * its first child without a creation.
   */
  stat(): Stat {
    return {
      czxid: this.czxid,
      mzxid: this.mzxid,
      pzxid: this.pzxid,
      ctimeMs: this.ctimeMs,
      mtimeMs: this.mtimeMs,
      version: this.version,
      cversion: this.childrenCreated * 2 - this.children.size,
      aversion: this.aversion,
      ephemeralOwner: this.owner,
      dataLength: this.data.length,
      numChildren: this.children.size,
    };
  }

  fields(): ZnodeFields {
    return {
      data: this.data,
      owner: this.owner,
      acl: this.acl,
      ...{ czxid: this.czxid, mzxid: this.mzxid, pzxid: this.pzxid },
      ...{ ctimeMs: this.ctimeMs, mtimeMs: this.mtimeMs },
      ...{ version: this.version, aversion: this.aversion },
      childrenCreated: this.childrenCreated,
    };
  }
}
