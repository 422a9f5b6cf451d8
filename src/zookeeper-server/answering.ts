/**
 * What one request comes to: pure but for the tree it changes. The answer may go out when what the
 * tree knows is on disk.
 */
import { createHash } from 'node:crypto';
import { unreachable } from '../model/assert.js';
import { type AnswerBody, encodeAnswer, encodeError } from '../jute/answers.js';
import { ERR, ERR_OF } from '../jute/codes.js';
import type { ClientCall } from '../jute/requests.js';
import type { Identity } from '../znode-tree/acl.js';
import type { Request, SessionId, StepResult } from '../znode-tree/requests.js';
import type { Read, WatchedTree } from '../znode-tree/watched-tree.js';
import type { Watcher, WatchEvent } from '../znode-tree/watches.js';

/** Who asks. */
export interface Asker {
  readonly id: Watcher;
  readonly session: SessionId;
  readonly identities: readonly Identity[];
  /** False: it has proved too much already. */
  proved(identity: Identity): boolean;
}

export interface AnswerDeps {
  readonly tree: WatchedTree;
  /** Does a write, and tells whoever watches. */
  readonly write: (request: Request, asker: Asker) => ReturnType<WatchedTree['apply']>;
  /** The disk has no room: nothing is made or made larger. */
  readonly isFull: () => boolean;
  /** A watch that was set again has something to tell. */
  readonly tell: (event: WatchEvent) => void;
}

/** What goes back, and whether that is the last of it. */
export type Answered =
  | { readonly err: number; readonly ends?: boolean }
  | { readonly body: AnswerBody; readonly ends?: boolean };

/** Of a name and a password. */
const AUTH_BYTES_MAX = 900;
const NOTHING: Answered = { body: { type: 'nothing' } };

export function answer(call: ClientCall, asker: Asker, deps: AnswerDeps): Answered {
  const { tree } = deps;
  switch (call.type) {
    case 'step':
    case 'multi':
      return written(call, asker, deps);
    case 'exists':
      return ofRead(tree.exists(call.path, call.watch ? asker.id : undefined), (stat) => {
        return { type: 'stat', stat };
      });
    case 'get-data':
      return ofRead(
        tree.getData(call.path, call.watch ? asker.id : undefined, asker.identities),
        (value) => ({ type: 'data', ...value }),
      );
    case 'get-children':
    case 'get-children2':
      return ofRead(
        tree.getChildren(call.path, call.watch ? asker.id : undefined, asker.identities),
        ({ children, stat }) => {
          const names = { type: 'names', names: children } as const;
          return call.type === 'get-children' ? names : { ...names, stat };
        },
      );
    case 'get-acl':
      return ofRead(tree.getAcl(call.path, asker.identities), (value) => {
        return { type: 'acl', ...value };
      });
    case 'sync':
      return { body: { type: 'path', path: call.path } };
    case 'get-all-children-number':
      return ofRead(tree.getChildren(call.path, undefined, asker.identities), () => {
        return { type: 'int', value: numberBelow(call.path, tree) };
      });
    case 'get-ephemerals': {
      const paths = tree.tree.ephemeralsOf(asker.session);
      const names = paths.filter((path) => path.startsWith(call.prefix));
      return { body: { type: 'names', names } };
    }
    case 'set-watches':
      for (const event of tree.setWatches(asker.id, call.sinceZxid, call.paths)) deps.tell(event);
      return NOTHING;
    case 'add-watch':
      tree.addWatch(call.path, asker.id, call.mode);
      return { body: { type: 'int', value: ERR.ok } };
    case 'check-watches':
      return watched(call.kinds.map((kind) => tree.hasWatch(kind, call.path, asker.id)));
    case 'remove-watches':
      return watched(call.kinds.map((kind) => tree.removeWatch(kind, call.path, asker.id)));
    case 'auth':
      return authenticated(call, asker);
    case 'who-am-i':
      return { body: { type: 'identities', identities: asker.identities.map(shown) } };
    case 'ping':
      return NOTHING;
    case 'close-session':
      deps.write({ type: 'close-session' }, asker);
      return { ...NOTHING, ends: true };
    default:
      return unreachable(call);
  }
}

/** A whole frame. */
export function framed(xid: number, zxid: number, answered: Answered): Buffer {
  const header = { xid, zxid };
  return 'err' in answered
    ? encodeError(header, answered.err)
    : encodeAnswer(header, answered.body);
}

function written(
  call: ClientCall & { readonly type: 'step' | 'multi' },
  asker: Asker,
  deps: AnswerDeps,
): Answered {
  const steps = call.type === 'step' ? [call.step] : call.steps;
  const grows = steps.some(({ type }) => type === 'create' || type.startsWith('set'));
  if (grows && deps.isFull()) return { err: ERR.quotaExceeded };
  const request: Request = call.type === 'step' ? call.step : { type: 'multi', steps };
  const { result } = deps.write(request, asker);
  if (call.type === 'multi') return { body: { type: 'multi', result } };
  if (!result.ok) return { err: ERR_OF[result.code] };
  const [done] = result.steps;
  return { body: done === undefined ? { type: 'nothing' } : bodyOf(done, call.isCreate2) };
}

function bodyOf(step: StepResult, isCreate2: boolean): AnswerBody {
  switch (step.type) {
    case 'create':
      return isCreate2
        ? { type: 'created', path: step.path, stat: step.stat }
        : { type: 'path', path: step.path };
    case 'set-data':
    case 'set-acl':
      return { type: 'stat', stat: step.stat };
    case 'delete':
    case 'check':
      return { type: 'nothing' };
    default:
      return unreachable(step);
  }
}

function ofRead<T>(read: Read<T>, bodyOfValue: (value: T) => AnswerBody): Answered {
  return read.ok ? { body: bodyOfValue(read.value) } : { err: ERR_OF[read.code] };
}

function numberBelow(path: string, { tree }: WatchedTree): number {
  let count = 0;
  const waiting = [path];
  for (const at of waiting) {
    const names = tree.children(at) ?? [];
    count += names.length;
    for (const name of names) waiting.push(at === '/' ? `/${name}` : `${at}/${name}`);
  }
  return count;
}

function watched(found: readonly boolean[]): Answered {
  return found.includes(true) ? NOTHING : { err: ERR.noWatcher };
}

function authenticated(call: ClientCall & { readonly type: 'auth' }, asker: Asker): Answered {
  // Its address everybody has proved by calling.
  if (call.scheme === 'ip') return NOTHING;
  const isDigest = call.scheme === 'digest' && call.auth.length <= AUTH_BYTES_MAX;
  const isProved = isDigest && asker.proved({ scheme: 'digest', id: digestOf(call.auth) });
  return isProved ? NOTHING : { err: ERR.authFailed, ends: true };
}

/** `NAME:PASSWORD` as lists have it (`DigestAuthenticationProvider` of ZooKeeper). */
function digestOf(auth: Buffer): string {
  const [name = ''] = auth.toString().split(':', 1);
  return `${name}:${createHash('sha1').update(auth).digest('base64')}`;
}

/** Without what a password was turned into. */
function shown({ scheme, id }: Identity): Identity {
  return { scheme, id: scheme === 'digest' ? id.replace(/:.*/s, '') : id };
}
