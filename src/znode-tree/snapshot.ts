/** The whole state of a tree as data that nothing changes any more: a backup, or a new copy. */
import type { SessionId } from './requests.js';
import type { ZnodeFields } from './znode.js';

export interface Snapshot {
  readonly lastZxid: number;
  /** Open sessions and their timeouts in milliseconds: a restored one lives again. */
  readonly sessions: readonly (readonly [SessionId, number])[];
  /** By path, parents before their children. */
  readonly znodes: readonly (readonly [string, ZnodeFields])[];
}
