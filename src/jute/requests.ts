/**
 * What clients ask, behind the greeting: `RequestHeader`, then the record of its type.
 *
 *   header                       = xid:int type:int
 *   create, create2              = path:string data:buffer acl:vector(acl) flags:int
 *   delete                       = path:string version:int
 *   exists, getData, getChildren,
 *   getChildren2                 = path:string watch:bool
 *   setData                      = path:string data:buffer version:int
 *   getAcl, sync                 = path:string
 *   setAcl                       = path:string acl:vector(acl) version:int
 *   check (in a multi only)      = path:string version:int
 *   multi                        = (type:int done:bool err:int record)*, the last with done = 01
 *   auth                         = type:int scheme:string auth:buffer
 *   setWatches                   = relativeZxid:long data, exist, child: vector(string)
 *   setWatches2                  = the same, then persistent, recursive: vector(string)
 *   addWatch                     = path:string mode:int      0 persistent, 1 recursive
 *   checkWatches, removeWatches  = path:string type:int      1 children, 2 data, 3 any
 *   getEphemerals                = prefix:string
 *   getAllChildrenNumber         = path:string
 *   ping, closeSession, whoAmI   = nothing
 *   acl                          = perms:int scheme:string id:string
 *   flags                        = 0 persistent, 1 ephemeral, 2 sequential, 3 both
 *
 * Worked example, `delete("/a", any version)` as the fifth request:
 *   00000005 00000002 00000002 2f61 ffffffff
 */
import type { AclEntry } from '../znode-tree/acl.js';
import type { CreateMode, Step } from '../znode-tree/requests.js';
import type { WatchedPaths } from '../znode-tree/watched-tree.js';
import type { WatchKind, WatchMode } from '../znode-tree/watches.js';
import { OP } from './codes.js';
import { JuteReader, MalformedRecordError } from './reader.js';

/** A request whose type nobody knows has no `call`. */
export interface ClientRequest {
  readonly xid: number;
  readonly op: number;
  readonly call: ClientCall | undefined;
}

export type ClientCall =
  /** `isCreate2`: the answer has the stat. */
  | { readonly type: 'step'; readonly step: Step; readonly isCreate2: boolean }
  | { readonly type: 'multi'; readonly steps: readonly Step[] }
  | {
      readonly type: 'exists' | 'get-data' | 'get-children' | 'get-children2';
      readonly path: string;
      readonly watch: boolean;
    }
  | { readonly type: 'get-acl' | 'sync' | 'get-all-children-number'; readonly path: string }
  | { readonly type: 'get-ephemerals'; readonly prefix: string }
  | { readonly type: 'set-watches'; readonly sinceZxid: number; readonly paths: WatchedPaths }
  | {
      readonly type: 'add-watch';
      readonly path: string;
      readonly mode: Exclude<WatchMode, 'standard'>;
    }
  | {
      readonly type: 'check-watches' | 'remove-watches';
      readonly path: string;
      readonly kinds: readonly WatchKind[];
    }
  | { readonly type: 'auth'; readonly scheme: string; readonly auth: Buffer }
  | { readonly type: 'ping' | 'close-session' | 'who-am-i' };

/** @throws MalformedRecordError with the xid, if that much could be read. */
export function decodeRequest(frame: Buffer): ClientRequest {
  const reader = new JuteReader(frame);
  const [xid, op] = [reader.int(), reader.int()];
  try {
    return { xid, op, call: callOf(op, reader) };
  } catch (error) {
    if (error instanceof MalformedRecordError) throw new MalformedRequestError(error.message, xid);
    throw error;
  }
}

/** A request of which only the header makes sense. */
export class MalformedRequestError extends MalformedRecordError {
  readonly xid: number;

  constructor(problem: string, xid: number) {
    super(problem);
    this.xid = xid;
  }
}

function callOf(op: number, reader: JuteReader): ClientCall | undefined {
  switch (op) {
    case OP.create:
    case OP.create2:
    case OP.delete:
    case OP.setData:
    case OP.setAcl:
      return { type: 'step', step: stepOf(op, reader), isCreate2: op === OP.create2 };
    case OP.multi:
      return { type: 'multi', steps: stepsOf(reader) };
    case OP.exists:
      return { type: 'exists', ...readOf(reader) };
    case OP.getData:
      return { type: 'get-data', ...readOf(reader) };
    case OP.getChildren:
      return { type: 'get-children', ...readOf(reader) };
    case OP.getChildren2:
      return { type: 'get-children2', ...readOf(reader) };
    case OP.getAcl:
      return { type: 'get-acl', path: reader.string() };
    case OP.sync:
      return { type: 'sync', path: reader.string() };
    case OP.getAllChildrenNumber:
      return { type: 'get-all-children-number', path: reader.string() };
    case OP.getEphemerals:
      return { type: 'get-ephemerals', prefix: reader.string() };
    case OP.setWatches:
    case OP.setWatches2:
      return watchesOf(reader, op === OP.setWatches2);
    case OP.addWatch:
      return { type: 'add-watch', path: reader.string(), mode: modeOf(reader.int()) };
    case OP.checkWatches:
      return { type: 'check-watches', path: reader.string(), kinds: kindsOf(reader.int()) };
    case OP.removeWatches:
      return { type: 'remove-watches', path: reader.string(), kinds: kindsOf(reader.int()) };
    case OP.auth:
      reader.int();
      return { type: 'auth', scheme: reader.string(), auth: reader.buffer() };
    case OP.ping:
      return { type: 'ping' };
    case OP.closeSession:
      return { type: 'close-session' };
    case OP.whoAmI:
      return { type: 'who-am-i' };
    default:
      return undefined;
  }
}

function readOf(reader: JuteReader): { readonly path: string; readonly watch: boolean } {
  return { path: reader.string(), watch: reader.bool() };
}

function stepOf(op: number, reader: JuteReader): Step {
  const path = reader.string();
  switch (op) {
    case OP.create:
    case OP.create2: {
      // A copy: the tree keeps it, and not the whole frame that it came in.
      const data = Buffer.from(reader.buffer());
      const acl = reader.vector(() => aclEntryOf(reader));
      return { type: 'create', path, data, acl, mode: createModeOf(reader.int()) };
    }
    case OP.delete:
      return { type: 'delete', path, version: reader.int() };
    case OP.setData: {
      const data = Buffer.from(reader.buffer());
      return { type: 'set-data', path, data, version: reader.int() };
    }
    case OP.setAcl: {
      const acl = reader.vector(() => aclEntryOf(reader));
      return { type: 'set-acl', path, acl, version: reader.int() };
    }
    case OP.check:
      return { type: 'check', path, version: reader.int() };
    default:
      throw new MalformedRecordError(`a step of type ${op}`);
  }
}

function stepsOf(reader: JuteReader): Step[] {
  const steps: Step[] = [];
  for (;;) {
    const [type, isLast] = [reader.int(), reader.bool()];
    reader.int();
    if (isLast) return steps;
    if (type === OP.setAcl) throw new MalformedRecordError('a step that sets an access list');
    steps.push(stepOf(type, reader));
  }
}

function aclEntryOf(reader: JuteReader): AclEntry {
  return { perms: reader.int(), scheme: reader.string(), id: reader.string() };
}

const CREATE_MODES: readonly CreateMode[] = [
  'persistent',
  'ephemeral',
  'persistent-sequential',
  'ephemeral-sequential',
];

function createModeOf(flags: number): CreateMode {
  const mode = CREATE_MODES[flags];
  if (mode === undefined) throw new MalformedRecordError(`znodes of kind ${flags} are not known`);
  return mode;
}

function watchesOf(reader: JuteReader, isSecond: boolean): ClientCall {
  const strings = () => reader.vector(() => reader.string());
  const sinceZxid = reader.long();
  const paths = { data: strings(), exist: strings(), child: strings() };
  if (!isSecond) return { type: 'set-watches', sinceZxid, paths };
  const more = { persistent: strings(), recursive: strings() };
  return { type: 'set-watches', sinceZxid, paths: { ...paths, ...more } };
}

function modeOf(mode: number): Exclude<WatchMode, 'standard'> {
  if (mode === 0) return 'persistent';
  if (mode === 1) return 'recursive';
  throw new MalformedRecordError(`a watch of mode ${mode}`);
}

function kindsOf(type: number): readonly WatchKind[] {
  if (type === 1) return ['child'];
  if (type === 2) return ['data'];
  if (type === 3) return ['child', 'data'];
  throw new MalformedRecordError(`watches of type ${type}`);
}
