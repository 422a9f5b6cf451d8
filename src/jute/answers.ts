/**
 * What a server says: `ReplyHeader` and the record that the request asked for, or an event. Each
 * function makes a whole frame.
 *
 *   header        = xid:int zxid:long err:int       err below 0: no record follows
 *   stat          = czxid:long mzxid:long ctime:long mtime:long version:int cversion:int
 *                   aversion:int ephemeralOwner:long dataLength:int numChildren:int pzxid:long
 *   create        = path:string                     create2: and stat
 *   exists, setData, setAcl = stat
 *   getData       = data:buffer stat
 *   getChildren   = children:vector(string)         getChildren2: and stat
 *   getAcl        = acl:vector(acl) stat
 *   sync          = path:string
 *   multi         = (type:int done:bool err:int result)*, then ffffffff 01 ffffffff
 *   result        = as alone, but of create2 as of create; of a step that did not happen, or of any
 *                   if one did not: err:int
 *   addWatch      = err:int
 *   getEphemerals = vector(string)
 *   getAllChildrenNumber = int
 *   whoAmI        = vector(scheme:string user:string)
 *   event         = type:int state:int path:string  behind a header with xid -1 and zxid -1
 *
 * Worked example, "there is no such znode" to request 5, when transaction 9 was the latest:
 *   00000010 00000005 0000000000000009 ffffff9b
 */
import { unreachable } from '../model/assert.js';
import type { Acl, Identity } from '../znode-tree/acl.js';
import type { Result, StepResult } from '../znode-tree/requests.js';
import type { Stat } from '../znode-tree/stat.js';
import type { WatchEvent } from '../znode-tree/watches.js';
import { ERR, ERR_OF, EVENT_TYPES, OP, SYNC_CONNECTED, XID } from './codes.js';
import { NO_SESSION } from './greeting.js';
import { JuteWriter } from './writer.js';

/** Of the request that is answered, and of the moment. */
export interface AnswerHeader {
  readonly xid: number;
  readonly zxid: number;
}

export type AnswerBody =
  | { readonly type: 'nothing' }
  | { readonly type: 'path'; readonly path: string }
  | { readonly type: 'created'; readonly path: string; readonly stat: Stat }
  | { readonly type: 'stat'; readonly stat: Stat }
  | { readonly type: 'data'; readonly data: Buffer; readonly stat: Stat }
  | { readonly type: 'names'; readonly names: readonly string[]; readonly stat?: Stat }
  | { readonly type: 'acl'; readonly acl: Acl; readonly stat: Stat }
  | { readonly type: 'multi'; readonly result: Result }
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'identities'; readonly identities: readonly Identity[] };

export function encodeAnswer(header: AnswerHeader, body: AnswerBody): Buffer {
  const expected = body.type === 'data' ? 128 + body.data.length : undefined;
  const writer = begin(header, ERR.ok, expected);
  writeBody(writer, body);
  return writer.framed();
}

export function encodeError(header: AnswerHeader, err: number): Buffer {
  return begin(header, err).framed();
}

export function encodeEvent({ type, path }: Pick<WatchEvent, 'type' | 'path'>): Buffer {
  return begin({ xid: XID.event, zxid: -1 }, ERR.ok)
    .int(EVENT_TYPES[type])
    .int(SYNC_CONNECTED)
    .string(path)
    .framed();
}

function begin({ xid, zxid }: AnswerHeader, err: number, expectedBytes?: number): JuteWriter {
  return new JuteWriter(expectedBytes).int(xid).long(zxid).int(err);
}

function writeBody(writer: JuteWriter, body: AnswerBody): void {
  switch (body.type) {
    case 'nothing':
      return;
    case 'path':
      return void writer.string(body.path);
    case 'created':
      writer.string(body.path);
      return writeStat(writer, body.stat);
    case 'stat':
      return writeStat(writer, body.stat);
    case 'data':
      writer.buffer(body.data);
      return writeStat(writer, body.stat);
    case 'names':
      writer.vector(body.names, (name) => writer.string(name));
      if (body.stat !== undefined) writeStat(writer, body.stat);
      return;
    case 'acl':
      writer.vector(body.acl, ({ perms, scheme, id }) => {
        writer.int(perms).string(scheme).string(id);
      });
      return writeStat(writer, body.stat);
    case 'multi':
      return writeMulti(writer, body.result);
    case 'int':
      return void writer.int(body.value);
    case 'identities':
      return void writer.vector(body.identities, ({ scheme, id }) => {
        writer.string(scheme).string(id);
      });
    default:
      return unreachable(body);
  }
}

function writeStat(writer: JuteWriter, stat: Stat): void {
  writer.long(stat.czxid).long(stat.mzxid).long(stat.ctimeMs).long(stat.mtimeMs);
  writer.int(stat.version).int(stat.cversion).int(stat.aversion);
  writer.longBits(stat.ephemeralOwner ?? NO_SESSION);
  writer.int(stat.dataLength).int(stat.numChildren).long(stat.pzxid);
}

function writeMulti(writer: JuteWriter, result: Result): void {
  if (result.ok) for (const step of result.steps) writeResult(writer, step);
  else {
    for (const code of result.steps) {
      const err = ERR_OF[code];
      writer.int(OP.error).bool(false).int(err).int(err);
    }
  }
  writer.int(-1).bool(true).int(-1);
}

const STEP_OPS: Readonly<Record<StepResult['type'], number>> = {
  create: OP.create,
  delete: OP.delete,
  'set-data': OP.setData,
  'set-acl': OP.setAcl,
  check: OP.check,
};

function writeResult(writer: JuteWriter, step: StepResult): void {
  writer.int(STEP_OPS[step.type]).bool(false).int(ERR.ok);
  if (step.type === 'create') writer.string(step.path);
  else if (step.type === 'set-data') writeStat(writer, step.stat);
}
