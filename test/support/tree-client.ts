/** A tree as tests talk to it: one line per transaction, results in short. */
import type { ErrorCode, Request, Step } from '../../src/znode-tree/requests.js';
import type { CreateMode, StepCode, StepResult } from '../../src/znode-tree/requests.js';
import type { Stat } from '../../src/znode-tree/stat.js';
import type { WatchEvent } from '../../src/znode-tree/watches.js';
import { WatchedTree } from '../../src/znode-tree/watched-tree.js';

export const create = (path: string, mode: CreateMode = 'persistent', data = ''): Step => {
  return { type: 'create', path, data: Buffer.from(data), mode };
};
export const remove = (path: string, version = -1): Step => ({ type: 'delete', path, version });
export const set = (path: string, data = '', version = -1): Step => {
  return { type: 'set-data', path, data: Buffer.from(data), version };
};
export const check = (path: string, version = -1): Step => ({ type: 'check', path, version });

export const SESSIONS = { a: '000000000000000a', b: '000000000000000b' } as const;

/** A tree with two open sessions, `a` and `b`, which are watchers of these names too. */
export class TreeClient {
  readonly tree: WatchedTree;
  /** Every event so far, as `watcher type path`. */
  readonly events: string[] = [];
  /** Wall clock of the next transaction: one more each time. */
  timeMs = 1_000;

  constructor(tree = new WatchedTree()) {
    this.tree = tree;
    for (const session of Object.values(SESSIONS)) {
      if (!tree.tree.sessions.has(session)) this.apply(open, session);
    }
  }

  /** What was done, or the codes of a refusal. */
  apply(
    request: Request,
    session: string = SESSIONS.a,
  ): readonly StepResult[] | readonly StepCode[] {
    const { result, events } = this.tree.apply({ session, timeMs: this.timeMs++, request });
    this.heard(events);
    return result.steps;
  }

  /** The path that was made. */
  make(path: string, mode?: CreateMode, session?: string): string {
    const [done] = this.apply(create(path, mode), session);
    if (typeof done !== 'object' || done.type !== 'create') {
      throw new Error(`${path} was not made: ${JSON.stringify(done)}`);
    }
    return done.path;
  }

  /** Why a single step was refused; undefined if it was done. */
  refusal(step: Step, session?: string): ErrorCode | undefined {
    const [done] = this.apply(step, session);
    return typeof done === 'string' ? (done as ErrorCode) : undefined;
  }

  stat(path: string): Stat {
    const stat = this.tree.tree.stat(path);
    if (stat === undefined) throw new Error(`no ${path}`);
    return stat;
  }

  heard(events: readonly WatchEvent[]): void {
    this.events.push(...events.map(({ watcher, type, path }) => `${watcher} ${type} ${path}`));
  }
}

export const open: Request = { type: 'open-session', timeoutMs: 4_000 };
export const close: Request = { type: 'close-session' };
