/**
 * One step of a transaction: whether it is done, in the order in which ZooKeeper 3.8 asks
 * (`PrepRequestProcessor.pRequest2Txn`), because that order decides which of two errors a client
 * sees; and the edit, if it is.
 */
import { unreachable } from '../model/assert.js';
import { hasParent, isSpecialPath, isValidPath, parentOf, sequenceSuffix } from './paths.js';
import { ANY_VERSION, type ErrorCode, type Step, type StepResult } from './requests.js';
import type { SessionId } from './requests.js';
import type { EditStamp, ZnodeTable } from './znode-table.js';

/** Does the step, or tells why not; then nothing was edited. */
export function doStep(
  table: ZnodeTable,
  step: Step,
  stamp: EditStamp & { readonly session: SessionId },
): StepResult | ErrorCode {
  switch (step.type) {
    case 'create':
      return create(table, step, stamp);
    case 'delete':
      return remove(table, step, stamp);
    case 'set-data': {
      const refusal = refusalOfVersion(table, step);
      if (refusal !== undefined) return refusal;
      return { type: 'set-data', stat: table.setData(step.path, step.data, stamp).stat() };
    }
    case 'check':
      return refusalOfVersion(table, step) ?? { type: 'check' };
    default:
      return unreachable(step);
  }
}

function create(
  table: ZnodeTable,
  step: Step & { readonly type: 'create' },
  stamp: EditStamp & { readonly session: SessionId },
): StepResult | ErrorCode {
  if (!hasParent(step.path)) return 'bad-arguments';
  const parent = table.get(parentOf(step.path));
  if (parent === undefined) return 'no-node';
  const isSequential = step.mode.endsWith('-sequential');
  // Valid or not is asked of the whole name: a sequential one may be nothing but its number.
  const path = isSequential ? step.path + sequenceSuffix(parent.childrenCreated) : step.path;
  if (!isValidPath(path)) return 'bad-arguments';
  if (table.get(path) !== undefined) return 'node-exists';
  if (parent.owner !== undefined) return 'no-children-for-ephemerals';
  const owner = step.mode.startsWith('ephemeral') ? stamp.session : undefined;
  return { type: 'create', path, stat: table.create(path, step.data, { ...stamp, owner }).stat() };
}

function remove(
  table: ZnodeTable,
  step: Step & { readonly type: 'delete' },
  stamp: EditStamp,
): StepResult | ErrorCode {
  // That the path is valid is not asked here: an invalid one does not exist.
  if (!hasParent(step.path) || isSpecialPath(step.path)) return 'bad-arguments';
  const znode = table.get(step.path);
  if (znode === undefined) return 'no-node';
  if (!isVersion(znode.version, step.version)) return 'bad-version';
  if (znode.children.size > 0) return 'not-empty';
  table.delete(step.path, stamp);
  return { type: 'delete' };
}

function refusalOfVersion(
  table: ZnodeTable,
  { path, version }: { readonly path: string; readonly version: number },
): ErrorCode | undefined {
  if (!isValidPath(path)) return 'bad-arguments';
  const znode = table.get(path);
  if (znode === undefined) return 'no-node';
  return isVersion(znode.version, version) ? undefined : 'bad-version';
}

function isVersion(actual: number, wanted: number): boolean {
  return wanted === ANY_VERSION || wanted === actual;
}
