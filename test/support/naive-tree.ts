/**
 * ZooKeeper's tree once more, as dumb as can be: an array of rows, every question answered by
 * looking at all of them, a copy of everything before each transaction. To compare with.
 */
import type { Request, SessionId, Step } from '../../src/znode-tree/requests.js';
import type { Stat } from '../../src/znode-tree/stat.js';

interface Row {
  readonly path: string;
  readonly data: Buffer;
  readonly owner: SessionId | undefined;
  readonly births: number;
  readonly stat: Pick<Stat, 'czxid' | 'mzxid' | 'pzxid' | 'ctimeMs' | 'mtimeMs' | 'version'>;
}

interface NaiveWatch {
  readonly kind: 'data' | 'child';
  readonly path: string;
  readonly watcher: string;
}

const upper = (path: string) => path.replace(/\/[^/]*$/, '') || '/';

export class NaiveTree {
  zxid = 0;
  rows: readonly Row[] = ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'].map(
    (path) => {
      const stat = { czxid: 0, mzxid: 0, pzxid: 0, ctimeMs: 0, mtimeMs: 0, version: 0 };
      return { path, data: Buffer.alloc(0), owner: undefined, births: 0, stat };
    },
  );
  sessions: readonly SessionId[] = [];
  watches: readonly NaiveWatch[] = [];
  /** `watcher type path`, since the last look. */
  events: string[] = [];

  apply(session: SessionId, timeMs: number, request: Request): readonly string[] {
    const zxid = ++this.zxid;
    if (request.type === 'open-session') {
      this.sessions = [...this.sessions, session];
      return [];
    }
    if (request.type === 'close-session') {
      this.sessions = this.sessions.filter((id) => id !== session);
      const owned = this.rows.filter(({ owner }) => owner === session).map(({ path }) => path);
      for (const path of owned.sort()) this.#drop(path, zxid);
      return [];
    }
    const { rows, watches, events } = this;
    this.events = [...events];
    const steps = request.type === 'multi' ? request.steps : [request];
    const done: string[] = [];
    for (const step of steps) {
      const code = this.sessions.includes(session)
        ? this.#step(step, { session, timeMs, zxid })
        : 'session-expired';
      if (code.startsWith('/') || code === 'done') {
        done.push(code);
        continue;
      }
      Object.assign(this, { rows, watches, events });
      const before = done.map(() => 'ok');
      return steps.map((_, n) => before[n] ?? (n === done.length ? code : 'runtime-inconsistency'));
    }
    return done;
  }

  find(path: string): Row | undefined {
    return this.rows.find((row) => row.path === path);
  }

  childrenOf(path: string): string[] {
    const below = this.rows.filter((row) => row.path !== '/' && upper(row.path) === path);
    return below.map((row) => row.path.slice(row.path.lastIndexOf('/') + 1)).sort();
  }

  stat(path: string): Stat | undefined {
    const row = this.find(path);
    if (row === undefined) return undefined;
    const numChildren = this.childrenOf(path).length;
    return {
      ...row.stat,
      cversion: 2 * row.births - numChildren,
      aversion: path === '/zookeeper/config' ? -1 : 0,
      ephemeralOwner: row.owner,
      dataLength: row.data.length,
      numChildren,
    };
  }

  watch(kind: NaiveWatch['kind'], path: string, watcher: string): void {
    const others = this.watches.filter((watch) => {
      return watch.kind !== kind || watch.path !== path || watch.watcher !== watcher;
    });
    if (others.length === this.watches.length) this.watches = [...others, { kind, path, watcher }];
  }

  forget(watcher: string): void {
    this.watches = this.watches.filter((watch) => watch.watcher !== watcher);
  }

  /** The path that was made, `done`, or a code. */
  #step(step: Step, by: { session: SessionId; timeMs: number; zxid: number }): string {
    const parent = this.find(upper(step.path));
    const row = this.find(step.path);
    const wrongVersion = 'version' in step && ![-1, row?.stat.version].includes(step.version);
    const isValid = /^(?:\/|(?:\/[^/]+)+)$/.test(step.path);
    switch (step.type) {
      case 'set-acl':
        throw new Error('the naive tree has no access lists');
      case 'check':
      case 'set-data':
        if (!isValid) return 'bad-arguments';
        if (row === undefined) return 'no-node';
        if (wrongVersion) return 'bad-version';
        if (step.type === 'check') return 'done';
        this.#change({
          ...row,
          data: step.data,
          stat: { ...row.stat, mzxid: by.zxid, mtimeMs: by.timeMs, version: row.stat.version + 1 },
        });
        this.#fire('data', step.path, 'NodeDataChanged');
        return 'done';
      case 'delete':
        if (step.path === '/' || step.path.startsWith('/zookeeper')) return 'bad-arguments';
        if (row === undefined) return 'no-node';
        if (wrongVersion) return 'bad-version';
        if (this.childrenOf(step.path).length > 0) return 'not-empty';
        this.#drop(step.path, by.zxid);
        return 'done';
      case 'create': {
        if (parent === undefined) return 'no-node';
        const suffix = String(parent.births).padStart(10, '0');
        const path = step.path + (step.mode.includes('sequential') ? suffix : '');
        if (path.length > 1 && path.endsWith('/')) return 'bad-arguments';
        if (this.find(path) !== undefined) return 'node-exists';
        if (parent.owner !== undefined) return 'no-children-for-ephemerals';
        const { zxid, timeMs } = by;
        const owner = step.mode.includes('ephemeral') ? by.session : undefined;
        const zxids = { czxid: zxid, mzxid: zxid, pzxid: zxid };
        const stat = { ...zxids, ctimeMs: timeMs, mtimeMs: timeMs, version: 0 };
        this.rows = [...this.rows, { path, data: step.data, owner, births: 0, stat }];
        this.#change({
          ...parent,
          births: parent.births + 1,
          stat: { ...parent.stat, pzxid: zxid },
        });
        this.#fire('data', path, 'NodeCreated');
        this.#fire('child', parent.path, 'NodeChildrenChanged');
        return path;
      }
    }
  }

  #drop(path: string, zxid: number): void {
    this.rows = this.rows.filter((row) => row.path !== path);
    const parent = this.find(upper(path))!;
    this.#change({ ...parent, stat: { ...parent.stat, pzxid: zxid } });
    const told = this.#fire('data', path, 'NodeDeleted');
    this.#fire('child', path, 'NodeDeleted', told);
    this.#fire('child', parent.path, 'NodeChildrenChanged');
  }

  #change(row: Row): void {
    this.rows = this.rows.map((each) => (each.path === row.path ? row : each));
  }

  #fire(kind: string, path: string, type: string, told: readonly string[] = []): string[] {
    const fired = this.watches.filter((watch) => watch.kind === kind && watch.path === path);
    this.watches = this.watches.filter((watch) => !fired.includes(watch));
    const watchers = fired.map(({ watcher }) => watcher);
    const news = watchers.filter((watcher) => !told.includes(watcher));
    this.events.push(...news.map((watcher) => `${watcher} ${type} ${path}`));
    return watchers;
  }
}
