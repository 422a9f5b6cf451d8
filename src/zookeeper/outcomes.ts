/**
 * From the protocol's error codes to the three outcomes. Only what the server is known to say
 * before it does anything is definite; a lost connection, an expired session, an error inside the
 * server or a code that we do not know says nothing (rule Z5).
 */
import type { Failed, FailureCode, Outcome, ZnodeStat } from '../ports/coordinator.js';
import { CODE, type JuteStat, type ProtocolError } from './library.js';

const DEFINITE = new Map<number, FailureCode>([
  [CODE.noNode, 'no-node'],
  [CODE.nodeExists, 'node-exists'],
  [CODE.badVersion, 'bad-version'],
  [CODE.notEmpty, 'not-empty'],
  [CODE.noChildrenForEphemerals, 'no-children'],
  [CODE.noAuth, 'no-auth'],
  [CODE.notSent, 'not-connected'],
]);

const REFUSED = new Set<number>([
  CODE.marshallingError,
  CODE.unimplemented,
  CODE.badArguments,
  CODE.invalidCallback,
  CODE.invalidAcl,
  CODE.notReadOnly,
  CODE.ephemeralOnLocalSession,
  CODE.quotaExceeded,
  CODE.throttled,
]);

export function outcomeOf(error: ProtocolError): Outcome<never> {
  const code = DEFINITE.get(error.code) ?? (REFUSED.has(error.code) ? 'refused' : undefined);
  return code === undefined
    ? { status: 'unknown', reason: error.message }
    : failed(code, error.message);
}

export function failed(code: FailureCode, message: string, opIndex?: number): Failed {
  return { status: 'failed', code, message, ...(opIndex === undefined ? {} : { opIndex }) };
}

/** The outcome of a multi that failed at one of its steps. */
export function failedStep(code: number, opIndex: number): Failed {
  return failed(DEFINITE.get(code) ?? 'refused', `ZooKeeper error ${code}`, opIndex);
}

export function statOf(stat: JuteStat): ZnodeStat {
  const owner = stat.ephemeralOwner.toString('hex');
  return {
    version: stat.version,
    czxid: Number(stat.czxid.readBigInt64BE()),
    mzxid: Number(stat.mzxid.readBigInt64BE()),
    owner: /^0+$/.test(owner) ? undefined : owner,
  };
}
