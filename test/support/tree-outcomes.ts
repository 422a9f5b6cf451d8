/** From the words of the znode tree to those of the coordinator port, and back. */
import { assert } from '../../src/model/assert.js';
import type {
  Failed,
  FailureCode,
  MultiOp,
  MultiResult,
  Outcome,
  ZnodeStat,
} from '../../src/ports/coordinator.js';
import type { ErrorCode, Result, Step, StepResult } from '../../src/znode-tree/requests.js';
import type { Stat } from '../../src/znode-tree/stat.js';
import type { Read } from '../../src/znode-tree/watched-tree.js';

const CODES: Readonly<Record<ErrorCode, FailureCode | undefined>> = {
  'no-node': 'no-node',
  'node-exists': 'node-exists',
  'bad-version': 'bad-version',
  'not-empty': 'not-empty',
  'no-children-for-ephemerals': 'no-children',
  'bad-arguments': 'refused',
  'no-auth': 'no-auth',
  'invalid-acl': 'refused',
  /** Says nothing about what the session did before (rule Z5). */
  'session-expired': undefined,
};

export function failed(code: FailureCode, opIndex?: number): Failed {
  const message = `the call fails: ${code}`;
  return { status: 'failed', code, message, ...(opIndex === undefined ? {} : { opIndex }) };
}

export function refused(code: ErrorCode, opIndex?: number): Outcome<never> {
  const known = CODES[code];
  return known === undefined ? { status: 'unknown', reason: code } : failed(known, opIndex);
}

export function outcomeOfRead<T>(read: Read<T>): Outcome<T> {
  return read.ok ? { status: 'ok', value: read.value } : refused(read.code);
}

/** Of a request with a single step, whose path begins with `root`. */
export function outcomeOfStep(result: Result, root: string): Outcome<MultiResult> {
  if (!result.ok) return refused(result.code);
  const [step] = result.steps;
  assert(step !== undefined, 'one result');
  return { status: 'ok', value: resultOf(step, root) };
}

/** Of a multi whose paths begin with `root`; its results are relative to it. */
export function outcomeOfMulti(result: Result, root: string): Outcome<readonly MultiResult[]> {
  if (!result.ok) {
    const culprit = result.steps.findIndex((code) => code === result.code);
    return refused(result.code, culprit);
  }
  return { status: 'ok', value: result.steps.map((step) => resultOf(step, root)) };
}

export function statOf({ version, czxid, mzxid, ephemeralOwner }: Stat): ZnodeStat {
  return { version, czxid, mzxid, owner: ephemeralOwner };
}

/** The step with its path made absolute. Data is copied, as sending does. */
export function stepOf(op: MultiOp, path: string): Step {
  switch (op.type) {
    case 'check':
      return { type: 'check', path, version: exact(op.version) };
    case 'create':
      return { type: 'create', path, data: Buffer.from(op.data), mode: op.mode };
    case 'set':
      return { type: 'set-data', path, data: Buffer.from(op.data), version: exact(op.version) };
    case 'remove':
      return { type: 'delete', path, version: exact(op.version) };
  }
}

/** To the tree a version below 0 means any; to the port it is one that no znode has (N1). */
function exact(version: number): number {
  return version < 0 ? Number.MAX_SAFE_INTEGER : version;
}

function resultOf(step: StepResult, root: string): MultiResult {
  switch (step.type) {
    case 'create':
      return { type: 'create', path: step.path.slice(root.length) };
    case 'set-data':
    case 'set-acl':
      return { type: 'set', stat: statOf(step.stat) };
    case 'delete':
      return { type: 'remove' };
    case 'check':
      return { type: 'check' };
  }
}
