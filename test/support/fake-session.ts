/**
 * A coordination service in memory with sessions on it, for tests of the recipes: a small tree of
 * znodes, where a test decides which call is refused or loses its answer, before or after it was
 * done. No time passes in it; what happens after a lost answer is the test's own business.
 */
import type {
  CallOptions,
  CoordinatorSession,
  CreateMode,
  Failed,
  FailureCode,
  MultiOp,
  MultiResult,
  Outcome,
  SessionEvents,
  SessionState,
  Znode,
  ZnodeStat,
} from '../../src/ports/coordinator.js';

/** What befalls one call. `hold`: it is not done before {@link FakeSession.release}. */
export type Fault = 'lost-before' | 'lost-after' | 'refused' | 'hold';

interface Entry {
  data: Buffer;
  version: number;
  readonly czxid: number;
  mzxid: number;
  readonly owner: string | undefined;
  sequence: number;
}

const LOST = { status: 'unknown', reason: 'the answer was lost' } as const;

export class FakeTree {
  #entries = new Map<string, Entry>();
  #zxid = 0;
  #sessions = 0;
  /** Told of each path whose data or children changed. */
  readonly watchers = new Set<(path: string) => void>();

  session(): FakeSession {
    return new FakeSession(this, (++this.#sessions).toString(16).padStart(16, '0'));
  }

  /** Makes a persistent znode as an operator would. */
  put(path: string, data: string | Buffer = ''): void {
    this.#entries.set(path, this.#entryOf(Buffer.from(data), undefined));
    this.#touched(path);
  }

  get(path: string): Znode | undefined {
    const entry = this.#entries.get(path);
    return entry && { data: entry.data, stat: statOf(entry) };
  }

  children(path: string): string[] | undefined {
    if (path !== '/' && !this.#entries.has(path)) return undefined;
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...this.#entries.keys()]
      .filter((name) => name.startsWith(prefix) && !name.slice(prefix.length).includes('/'))
      .map((name) => name.slice(prefix.length));
  }

  /** Ends a session's ephemeral znodes. */
  expire(owner: string): void {
    for (const [path, entry] of [...this.#entries]) {
      if (entry.owner !== owner) continue;
      this.#entries.delete(path);
      this.#touched(path);
    }
  }

  /** All or nothing. */
  apply(ops: readonly MultiOp[], session: string): readonly MultiResult[] | Failed {
    const before = new Map([...this.#entries].map(([path, entry]) => [path, { ...entry }]));
    this.#zxid++;
    const results: MultiResult[] = [];
    for (const [opIndex, op] of ops.entries()) {
      const result = this.#step(op, session);
      if (typeof result === 'string') {
        this.#entries = before;
        return { status: 'failed', code: result, message: result, opIndex };
      }
      results.push(result);
    }
    for (const op of ops) if (op.type !== 'check') this.#touched(op.path);
    return results;
  }

  #step(op: MultiOp, session: string): MultiResult | FailureCode {
    if (op.type === 'create') return this.#create(op, session);
    const entry = this.#entries.get(op.path);
    if (entry === undefined) return 'no-node';
    if (entry.version !== op.version) return 'bad-version';
    if (op.type === 'set') {
      Object.assign(entry, { data: op.data, version: entry.version + 1, mzxid: this.#zxid });
      return { type: 'set', stat: statOf(entry) };
    }
    if (op.type === 'remove') {
      if (this.children(op.path)!.length > 0) return 'not-empty';
      this.#entries.delete(op.path);
    }
    return { type: op.type };
  }

  #create(op: MultiOp & { type: 'create' }, session: string): MultiResult | FailureCode {
    const parentPath = parentOf(op.path);
    const parent = this.#entries.get(parentPath);
    if (parentPath !== '/' && parent === undefined) return 'no-node';
    if (parent?.owner !== undefined) return 'no-children';
    const isSequential = op.mode === 'ephemeral-sequential';
    const path = isSequential ? op.path + `${parent!.sequence++}`.padStart(10, '0') : op.path;
    if (this.#entries.has(path)) return 'node-exists';
    this.#entries.set(path, this.#entryOf(op.data, op.mode === 'persistent' ? undefined : session));
    return { type: 'create', path };
  }

  #entryOf(data: Buffer, owner: string | undefined): Entry {
    const zxid = owner === undefined ? ++this.#zxid : this.#zxid;
    return { data, version: 0, czxid: zxid, mzxid: zxid, owner, sequence: 0 };
  }

  #touched(path: string): void {
    for (const watcher of [...this.watchers]) watcher(path);
  }
}

export class FakeSession implements CoordinatorSession {
  readonly id: string;
  readonly timeoutMs = 6_000;
  state: SessionState = 'connected';
  /** Calls made so far: the next one has this number. */
  calls = 0;
  readonly faults = new Map<number, Fault>();
  /** Names of the calls, in order. */
  readonly made: string[] = [];
  readonly #tree: FakeTree;
  readonly #listeners = new Set<SessionEvents['state']>();
  #held: (() => void)[] = [];

  constructor(tree: FakeTree, id: string) {
    this.#tree = tree;
    this.id = id;
  }

  isProven(): boolean {
    return this.state === 'connected';
  }

  on<E extends keyof SessionEvents>(event: E, listener: SessionEvents[E]): () => void {
    if (event !== 'state') return () => undefined;
    const stateListener = listener as SessionEvents['state'];
    this.#listeners.add(stateListener);
    return () => this.#listeners.delete(stateListener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  become(state: SessionState): void {
    this.state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }

  /** Lets the calls go on that were held. */
  release(): void {
    for (const go of this.#held.splice(0)) go();
  }

  read(path: string, options: CallOptions = {}): Promise<Outcome<Znode | undefined>> {
    return this.#call('read', () => {
      this.#watch(options, (changed) => changed === path);
      return { status: 'ok', value: this.#tree.get(path) };
    });
  }

  children(
    path: string,
    options: CallOptions = {},
  ): Promise<Outcome<readonly string[] | undefined>> {
    return this.#call('children', () => {
      this.#watch(options, (changed) => changed === path || parentOf(changed) === path);
      return { status: 'ok', value: this.#tree.children(path) };
    });
  }

  async create(path: string, data: Buffer, mode: CreateMode): Promise<Outcome<string>> {
    const made = await this.#write('create', [{ type: 'create', path, data, mode }]);
    if (made.status !== 'ok') return made;
    return { status: 'ok', value: (made.value[0] as { path: string }).path };
  }

  async set(path: string, data: Buffer, version: number): Promise<Outcome<ZnodeStat>> {
    const set = await this.#write('set', [{ type: 'set', path, data, version }]);
    if (set.status !== 'ok') return set;
    return { status: 'ok', value: (set.value[0] as { stat: ZnodeStat }).stat };
  }

  async remove(path: string, version: number): Promise<Outcome<void>> {
    const removed = await this.#write('remove', [{ type: 'remove', path, version }]);
    return removed.status === 'ok' ? { status: 'ok', value: undefined } : removed;
  }

  multi(ops: readonly MultiOp[]): Promise<Outcome<readonly MultiResult[]>> {
    return this.#write('multi', ops);
  }

  barrier(): Promise<Outcome<void>> {
    return this.#call('barrier', () => ({ status: 'ok', value: undefined }));
  }

  close(): Promise<void> {
    this.#tree.expire(this.id);
    this.become('lost');
    return Promise.resolve();
  }

  #write(name: string, ops: readonly MultiOp[]): Promise<Outcome<readonly MultiResult[]>> {
    return this.#call(name, () => {
      const done = this.#tree.apply(ops, this.id);
      return 'status' in done ? done : { status: 'ok', value: done };
    });
  }

  async #call<T>(name: string, act: () => Outcome<T>): Promise<Outcome<T>> {
    const fault = this.faults.get(this.calls++);
    this.made.push(name);
    if (fault === 'hold') await new Promise<void>((resolve) => this.#held.push(resolve));
    else await Promise.resolve();
    const message = 'by the test';
    if (this.state === 'lost') return { status: 'failed', code: 'session-lost', message };
    if (this.state !== 'connected') return { status: 'failed', code: 'not-connected', message };
    if (fault === 'refused') return { status: 'failed', code: 'refused', message };
    if (fault === 'lost-before') return LOST;
    const outcome = act();
    return fault === 'lost-after' ? LOST : outcome;
  }

  #watch({ onMaybeChanged }: CallOptions, concerns: (path: string) => boolean): void {
    if (onMaybeChanged === undefined) return;
    const watcher = (path: string): void => {
      if (!concerns(path)) return;
      this.#tree.watchers.delete(watcher);
      queueMicrotask(onMaybeChanged);
    };
    this.#tree.watchers.add(watcher);
  }
}

function statOf({ version, czxid, mzxid, owner }: Entry): ZnodeStat {
  return { version, czxid, mzxid, owner };
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1));
}
