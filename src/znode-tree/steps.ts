/**
 * One step of a transaction: whether it is done, in the order in which ZooKeeper 3.8 asks
 * (`PrepRequestProcessor.pRequest2Txn`), because that order decides which of two errors a client
 * sees; and the edit, if it is.
 */
import { unreachable } from '../model/assert.js';
import { type Acl, allows, type Identity, OPEN_ACL, PERMS, settledAcl } from './acl.js';
import { hasParent, isSpecialPath, isValidPath, parentOf, sequenceSuffix } from './paths.js';
import { ANY_VERSION, type ErrorCode, type Step, type StepResult } from './requests.js';
import type { SessionId } from './requests.js';
import type { EditStamp, ZnodeTable } from './znode-table.js';

/** Of the transaction that a step is of. */
export interface StepStamp extends EditStamp {
  readonly session: SessionId;
  /** Undefined: of one who may do anything. */
  readonly identities: readonly Identity[] | undefined;
}

/** Does the step, or tells why not; then nothing was edited. */
export function doStep(table: ZnodeTable, step: Step, stamp: StepStamp): StepResult | ErrorCode {
  switch (step.type) {
    case 'create':
      return create(table, step, stamp);
    case 'delete':
      return remove(table, step, stamp);
    case 'set-data': {
      const refusal = refusalOf(table, step, PERMS.write, stamp);
      if (refusal !== undefined) return refusal;
      return { type: 'set-data', stat: table.setData(step.path, step.data, stamp).stat() };
    }
    case 'set-acl':
      return setAcl(table, step, stamp);
    case 'check':
      return refusalOf(table, step, PERMS.read, stamp) ?? { type: 'check' };
    default:
      return unreachable(step);
  }
}

function create(
  table: ZnodeTable,
  step: Step & { readonly type: 'create' },
  stamp: StepStamp,
): StepResult | ErrorCode {
  if (!hasParent(step.path)) return 'bad-arguments';
  const acl = step.acl === undefined ? OPEN_ACL : settledAcl(step.acl, stamp.identities ?? []);
  if (acl === undefined) return 'invalid-acl';
  const parent = table.get(parentOf(step.path));
  if (parent === undefined) return 'no-node';
  if (!isAllowed(parent, PERMS.create, stamp)) return 'no-auth';
  const isSequential = step.mode.endsWith('-sequential');
  // Valid or not is asked of the whole name: a sequential one may be nothing but its number.
  const path = isSequential ? step.path + sequenceSuffix(parent.childrenCreated) : step.path;
  if (!isValidPath(path)) return 'bad-arguments';
  if (table.get(path) !== undefined) return 'node-exists';
  if (parent.owner !== undefined) return 'no-children-for-ephemerals';
  const owner = step.mode.startsWith('ephemeral') ? stamp.session : undefined;
  const { zxid, timeMs } = stamp;
  const znode = table.create(path, step.data, { zxid, timeMs, owner, acl });
  return { type: 'create', path, stat: znode.stat() };
}

function remove(
  table: ZnodeTable,
  step: Step & { readonly type: 'delete' },
  stamp: StepStamp,
): StepResult | ErrorCode {
  // That the path is valid is not asked here: an invalid one does not exist.
  if (!hasParent(step.path) || isSpecialPath(step.path)) return 'bad-arguments';
  const parent = table.get(parentOf(step.path));
  if (parent === undefined) return 'no-node';
  if (!isAllowed(parent, PERMS.delete, stamp)) return 'no-auth';
  const znode = table.get(step.path);
  if (znode === undefined) return 'no-node';
  if (!isVersion(znode.version, step.version)) return 'bad-version';
  if (znode.children.size > 0) return 'not-empty';
  table.delete(step.path, stamp);
  return { type: 'delete' };
}

function setAcl(
  table: ZnodeTable,
  step: Step & { readonly type: 'set-acl' },
  stamp: StepStamp,
): StepResult | ErrorCode {
  if (!isValidPath(step.path)) return 'bad-arguments';
  const acl = settledAcl(step.acl, stamp.identities ?? []);
  if (acl === undefined) return 'invalid-acl';
  const znode = table.get(step.path);
  if (znode === undefined) return 'no-node';
  if (!isAllowed(znode, PERMS.admin, stamp)) return 'no-auth';
  if (!isVersion(znode.aversion, step.version)) return 'bad-version';
  return { type: 'set-acl', stat: table.setAcl(step.path, acl).stat() };
}

function refusalOf(
  table: ZnodeTable,
  { path, version }: { readonly path: string; readonly version: number },
  perms: number,
  stamp: StepStamp,
): ErrorCode | undefined {
  if (!isValidPath(path)) return 'bad-arguments';
  const znode = table.get(path);
  if (znode === undefined) return 'no-node';
  if (!isAllowed(znode, perms, stamp)) return 'no-auth';
  return isVersion(znode.version, version) ? undefined : 'bad-version';
}

function isAllowed({ acl }: { readonly acl: Acl }, perms: number, stamp: StepStamp): boolean {
  return stamp.identities === undefined || allows(acl, perms, stamp.identities);
}

function isVersion(actual: number, wanted: number): boolean {
  return wanted === ANY_VERSION || wanted === actual;
}
