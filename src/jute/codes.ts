/**
 * Numbers of ZooKeeper's protocol (`ZooDefs.OpCode`, `KeeperException.Code`, `Watcher.Event` of
 * 3.8).
 */
import type { ErrorCode, StepCode } from '../znode-tree/requests.js';
import type { WatchEvent } from '../znode-tree/watches.js';

export const OP = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getAcl: 6,
  setAcl: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  checkWatches: 17,
  removeWatches: 18,
  auth: 100,
  setWatches: 101,
  getEphemerals: 103,
  getAllChildrenNumber: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  closeSession: -11,
  /** In the answer to a multi: of a step that did not happen. */
  error: -1,
} as const;

/** Numbers of what comes without a request, or is not counted as one. */
export const XID = { event: -1, ping: -2, auth: -4, setWatches: -8 } as const;

export const ERR = {
  ok: 0,
  systemError: -1,
  runtimeInconsistency: -2,
  /** Of a client: the connection broke before the answer came. */
  connectionLoss: -4,
  marshallingError: -5,
  unimplemented: -6,
  badArguments: -8,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  noChildrenForEphemerals: -108,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  invalidCallback: -113,
  invalidAcl: -114,
  authFailed: -115,
  notReadOnly: -119,
  ephemeralOnLocalSession: -120,
  noWatcher: -121,
  quotaExceeded: -125,
  throttled: -127,
} as const;

export const ERR_OF: Readonly<Record<ErrorCode | StepCode, number>> = {
  ok: ERR.ok,
  'runtime-inconsistency': ERR.runtimeInconsistency,
  'no-node': ERR.noNode,
  'node-exists': ERR.nodeExists,
  'bad-version': ERR.badVersion,
  'not-empty': ERR.notEmpty,
  'no-children-for-ephemerals': ERR.noChildrenForEphemerals,
  'bad-arguments': ERR.badArguments,
  'no-auth': ERR.noAuth,
  'invalid-acl': ERR.invalidAcl,
  'session-expired': ERR.sessionExpired,
};

export const EVENT_TYPES: Readonly<Record<WatchEvent['type'], number>> = {
  NodeCreated: 1,
  NodeDeleted: 2,
  NodeDataChanged: 3,
  NodeChildrenChanged: 4,
};

/** The only state of a session in which a server tells of events. */
export const SYNC_CONNECTED = 3;
