/** The requests of the protocol that we send, as the library's records. */
import { assert } from '../model/assert.js';
import type { CreateMode, MultiOp } from '../ports/coordinator.js';
import { jute, type WatchKind } from './library.js';

/** Flags of the protocol. */
const MODES: Readonly<Record<CreateMode, number>> = {
  persistent: 0,
  ephemeral: 1,
  'ephemeral-sequential': 3,
};

/** A request ready to be queued, and how many bytes it takes on the wire. */
export interface Request {
  readonly request: object;
  readonly bytes: number;
}

/** Access lists as the library's records; the same for every znode of a session. */
export type Acl = readonly { toRecord(): object }[];

function requestOf(op: string, payload: object | null): Request {
  const header = new jute.protocol.RequestHeader();
  header.type = opCode(op);
  const request = new jute.Request(header, payload);
  return { request, bytes: request.toBuffer().length };
}

function opCode(op: string): number {
  const code = jute.OP_CODES[op];
  assert(code !== undefined, 'known operation', () => ({ op }));
  return code;
}

const READS = {
  data: ['GET_DATA', jute.protocol.GetDataRequest],
  exists: ['EXISTS', jute.protocol.ExistsRequest],
  children: ['GET_CHILDREN2', jute.protocol.GetChildren2Request],
} as const;

export function readRequest(kind: WatchKind, path: string, watch: boolean): Request {
  const [op, Payload] = READS[kind];
  return requestOf(op, Object.assign(new Payload(), { path, watch }));
}

export function createRequest(path: string, data: Buffer, mode: CreateMode, acl: Acl): Request {
  const payload = new jute.protocol.CreateRequest();
  const records = acl.map((entry) => entry.toRecord());
  return requestOf(
    'CREATE',
    Object.assign(payload, { path, data, acl: records, flags: MODES[mode] }),
  );
}

export function setRequest(path: string, data: Buffer, version: number): Request {
  return requestOf(
    'SET_DATA',
    Object.assign(new jute.protocol.SetDataRequest(), { path, data, version: exact(version) }),
  );
}

export function removeRequest(path: string, version: number): Request {
  const payload = { path, version: exact(version) };
  return requestOf('DELETE', Object.assign(new jute.protocol.DeleteRequest(), payload));
}

export function multiRequest(ops: readonly MultiOp[], acl: Acl): Request {
  const steps = ops.map((op) => {
    switch (op.type) {
      case 'check':
        return { type: opCode('CHECK'), path: op.path, version: exact(op.version) };
      case 'create': {
        const { path, data } = op;
        return { type: opCode('CREATE'), path, data, acls: acl, mode: MODES[op.mode] };
      }
      case 'set':
        return {
          type: opCode('SET_DATA'),
          path: op.path,
          data: op.data,
          version: exact(op.version),
        };
      case 'remove':
        return { type: opCode('DELETE'), path: op.path, version: exact(op.version) };
    }
  });
  return requestOf('MULTI', new jute.TransactionRequest(steps));
}

/** To ZooKeeper a negative version means any, which the port does not have (N1). */
function exact(version: number): number {
  assert(Number.isInteger(version) && version >= 0, 'versions are exact', () => ({ version }));
  return version;
}

/** A multi that changes nothing: one check, of any version, of a znode that exists. */
export function barrierRequest(path: string): Request {
  const check = { type: opCode('CHECK'), path, version: -1 };
  return requestOf('MULTI', new jute.TransactionRequest([check]));
}
