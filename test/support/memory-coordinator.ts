/**
 * A coordination service in memory, which can be told to lose answers: for tests of the recipes
 * above the port. It passes the same conformance suite as ZooKeeper, so it is not kinder.
 *
 * Every call takes effect at once and is answered a moment later; there is one server, no lag.
 */
import { assert } from '../../src/model/assert.js';
import { LIMITS } from '../../src/model/limits.js';
import type {
  CallOptions,
  Coordinator,
  CoordinatorHandlers,
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

const SESSION_TIMEOUT_MS = 4_000;
const NO_DATA = Buffer.alloc(0);

type Call = 'read' | 'children' | 'create' | 'set' | 'remove' | 'multi' | 'barrier';
/** What becomes of a call: `before` it takes effect the connection breaks, or `after`. */
type Fault = 'before' | 'after' | 'not-connected';

class StepFailed extends Error {
  readonly code: FailureCode;
  constructor(code: FailureCode) {
    super(`the step fails: ${code}`);
    this.code = code;
  }
}

/** The tree all sessions share. Paths are absolute: root and path. */
export class MemoryService {
  #znodes = new Map<string, Znode>([['', znode(NO_DATA, 0, undefined)]]);
  #zxid = 0;
  #sequence = 0;
  #sessionIds = 0x1000;
  readonly #sessions = new Set<MemorySession>();

  /** A new session on the tree below `root`, which is made. */
  connect(root = ''): MemorySession {
    for (let at = root.indexOf('/', 1); root !== ''; at = root.indexOf('/', at + 1)) {
      const path = at < 0 ? root : root.slice(0, at);
      if (!this.#znodes.has(path)) this.#znodes.set(path, znode(NO_DATA, ++this.#zxid, undefined));
      if (at < 0) break;
    }
    const session = new MemorySession(
      this,
      root,
      (++this.#sessionIds).toString(16).padStart(16, '0'),
    );
    this.#sessions.add(session);
    return session;
  }

  get(path: string): Znode | undefined {
    return this.#znodes.get(path);
  }

  childrenOf(path: string): string[] {
    const prefix = `${path}/`;
    return [...this.#znodes.keys()]
      .filter((at) => at.startsWith(prefix) && !at.includes('/', prefix.length))
      .map((at) => at.slice(prefix.length));
  }

  /** All steps or none. @throws StepFailed with the index of the step */
  commit(steps: readonly MultiOp[], owner: string): MultiResult[] | (Failed & { opIndex: number }) {
    const before = this.#znodes;
    this.#znodes = new Map(before);
    this.#zxid++;
    const touched: string[] = [];
    const results: MultiResult[] = [];
    for (const [index, step] of steps.entries()) {
      try {
        results.push(this.#apply(step, owner, touched));
      } catch (error) {
        if (!(error instanceof StepFailed)) throw error;
        this.#znodes = before;
        return { status: 'failed', code: error.code, message: error.message, opIndex: index };
      }
    }
    for (const key of touched) for (const session of this.#sessions) session.fire(key);
    return results;
  }

  /** Ends a session; its ephemeral znodes vanish. */
  forget(session: MemorySession): void {
    this.#sessions.delete(session);
    for (const [path, { stat }] of this.#znodes) {
      if (stat.owner !== session.id) continue;
      this.commit([{ type: 'remove', path, version: stat.version }], session.id);
    }
  }

  #apply(step: MultiOp, owner: string, touched: string[]): MultiResult {
    if (step.type === 'create') return this.#create(step, owner, touched);
    const found = this.#znodes.get(step.path);
    if (found === undefined) throw new StepFailed('no-node');
    if (found.stat.version !== step.version) throw new StepFailed('bad-version');
    switch (step.type) {
      case 'check':
        return { type: 'check' };
      case 'set': {
        const stat = { ...found.stat, version: step.version + 1, mzxid: this.#zxid };
        this.#znodes.set(step.path, { data: Buffer.from(step.data), stat });
        touched.push(`data:${step.path}`);
        return { type: 'set', stat };
      }
      case 'remove':
        if (this.childrenOf(step.path).length > 0) throw new StepFailed('not-empty');
        this.#znodes.delete(step.path);
        touched.push(`data:${step.path}`, `children:${step.path}`, `children:${above(step.path)}`);
        return { type: 'remove' };
    }
  }

  #create(step: MultiOp & { type: 'create' }, owner: string, touched: string[]): MultiResult {
    const sequence =
      step.mode === 'ephemeral-sequential' ? `${++this.#sequence}`.padStart(10, '0') : '';
    const path = step.path + sequence;
    const parent = this.#znodes.get(above(path));
    if (parent === undefined) throw new StepFailed('no-node');
    if (parent.stat.owner !== undefined) throw new StepFailed('no-children');
    if (this.#znodes.has(path)) throw new StepFailed('node-exists');
    const lasting = step.mode === 'persistent';
    this.#znodes.set(path, znode(step.data, this.#zxid, lasting ? undefined : owner));
    touched.push(`exists:${path}`, `children:${above(path)}`);
    return { type: 'create', path };
  }
}

export class MemorySession implements CoordinatorSession {
  readonly id: string;
  readonly timeoutMs = SESSION_TIMEOUT_MS;
  /** Every call so far, in order. */
  readonly calls: Call[] = [];
  readonly #service: MemoryService;
  readonly #root: string;
  readonly #faults: { readonly call: Call; readonly fault: Fault; readonly then: () => void }[] =
    [];
  readonly #hints = new Map<string, Set<() => void>>();
  readonly #listeners = { state: new Set<never>(), proven: new Set<never>() } as unknown as {
    readonly [E in keyof SessionEvents]: Set<SessionEvents[E]>;
  };
  #state: SessionState = 'connected';
  #isDoubted = false;

  constructor(service: MemoryService, root: string, id: string) {
    this.#service = service;
    this.#root = root;
    this.id = id;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The next call of this kind that has no fault yet meets this one; then `then` happens. */
  fault(call: Call, fault: Fault, then: () => void = () => undefined): void {
    this.#faults.push({ call, fault, then });
  }

  suspend(): void {
    this.#become('suspended');
  }

  resume(): void {
    this.#become('connected');
  }

  /** The service ends the session; the client hears of it only with `lost`. */
  expire(): void {
    this.#service.forget(this);
    this.#become('lost');
  }

  /** No answer for long: the session may be over, but its connection stands. */
  doubt(): void {
    this.#isDoubted = true;
    for (const listener of [...this.#listeners.proven]) listener(false);
  }

  /** An answer came after all. */
  trust(): void {
    this.#isDoubted = false;
    for (const listener of [...this.#listeners.proven]) listener(true);
  }

  isProven(): boolean {
    return this.#state === 'connected' && !this.#isDoubted;
  }

  on<E extends keyof SessionEvents>(event: E, listener: SessionEvents[E]): () => void {
    this.#listeners[event].add(listener);
    return () => this.#listeners[event].delete(listener);
  }

  /** For the service: what a watch waits for happened. */
  fire(key: string): void {
    const hints = this.#hints.get(key) ?? [];
    this.#hints.delete(key);
    for (const hint of hints) queueMicrotask(hint);
  }

  async read(path: string, options: CallOptions = {}): Promise<Outcome<Znode | undefined>> {
    const full = this.#absolute(path);
    return this.#call('read', 0, () => {
      const found = this.#service.get(full);
      this.#watch(found === undefined ? `exists:${full}` : `data:${full}`, options);
      return { status: 'ok', value: found && { ...found, data: Buffer.from(found.data) } };
    });
  }

  async children(
    path: string,
    options: CallOptions = {},
  ): Promise<Outcome<readonly string[] | undefined>> {
    const full = this.#absolute(path);
    return this.#call('children', 0, () => {
      const exists = this.#service.get(full) !== undefined;
      this.#watch(`${exists ? 'children' : 'exists'}:${full}`, options);
      return { status: 'ok', value: exists ? this.#service.childrenOf(full) : undefined };
    });
  }

  async create(path: string, data: Buffer, mode: CreateMode): Promise<Outcome<string>> {
    const created = await this.#commit('create', [{ type: 'create', path, data, mode }]);
    return only(created, 'create', ({ path: made }) => made);
  }

  async set(path: string, data: Buffer, version: number): Promise<Outcome<ZnodeStat>> {
    const set = await this.#commit('set', [{ type: 'set', path, data, version }]);
    return only(set, 'set', ({ stat }) => stat);
  }

  async remove(path: string, version: number): Promise<Outcome<void>> {
    const removed = await this.#commit('remove', [{ type: 'remove', path, version }]);
    return removed.status === 'ok' ? { status: 'ok', value: undefined } : withoutIndex(removed);
  }

  multi(ops: readonly MultiOp[]): Promise<Outcome<readonly MultiResult[]>> {
    return this.#commit('multi', ops);
  }

  barrier(): Promise<Outcome<void>> {
    return this.#call('barrier', 0, () => ({ status: 'ok', value: undefined }));
  }

  close(): Promise<void> {
    if (this.#state !== 'lost') this.expire();
    return Promise.resolve();
  }

  async #commit(call: Call, ops: readonly MultiOp[]): Promise<Outcome<readonly MultiResult[]>> {
    const steps = ops.map((op) => ({ ...op, path: this.#absolute(op.path) }));
    const bytes = ops.reduce((sum, op) => sum + 50 + ('data' in op ? op.data.length : 0), 0);
    return this.#call(call, bytes, () => {
      const results = this.#service.commit(steps, this.id);
      if (!Array.isArray(results)) return results;
      const relative = results.map((result) => {
        return result.type === 'create'
          ? { ...result, path: result.path.slice(this.#root.length) }
          : result;
      });
      return { status: 'ok', value: relative };
    });
  }

  /** The outcome of a call, taking effect now; its fault, if one was arranged. */
  async #call<T>(call: Call, bytes: number, run: () => Outcome<T>): Promise<Outcome<T>> {
    this.calls.push(call);
    if (bytes > LIMITS.znodeRequestBytesMax) return failed('too-large');
    if (this.#state === 'lost') return failed('session-lost');
    if (this.#state !== 'connected') return failed('not-connected');
    const at = this.#faults.findIndex((fault) => fault.call === call);
    const [arranged] = at < 0 ? [] : this.#faults.splice(at, 1);
    if (arranged?.fault === 'not-connected') return failed('not-connected');
    const lost: Outcome<T> = { status: 'unknown', reason: 'the answer was lost' };
    const outcome = arranged?.fault === 'before' ? lost : run();
    arranged?.then();
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    return arranged === undefined ? outcome : lost;
  }

  #watch(key: string, { onMaybeChanged }: CallOptions): void {
    if (onMaybeChanged === undefined) return;
    const hints = this.#hints.get(key) ?? new Set();
    this.#hints.set(key, hints.add(onMaybeChanged));
  }

  #become(state: SessionState): void {
    if (this.#state === state || this.#state === 'lost') return;
    this.#state = state;
    for (const listener of [...this.#listeners.state]) listener(state);
    if (state === 'lost') for (const key of [...this.#hints.keys()]) this.fire(key);
  }

  #absolute(path: string): string {
    const valid = path === '/' || /^(?:\/(?!\.{1,2}(?:\/|$))[^/\0\ud800-\uf8ff]+)+$/.test(path);
    assert(valid, 'path of a znode', () => ({ path }));
    return path === '/' ? this.#root : this.#root + path;
  }
}

/** One client of a service; connects at once. */
export class MemoryCoordinator implements Coordinator {
  readonly counters = new Map<string, number>();
  readonly #service: MemoryService;
  readonly #root: string;
  #session: MemorySession | undefined;

  constructor(service: MemoryService, root: string) {
    this.#service = service;
    this.#root = root;
  }

  get session(): MemorySession | undefined {
    return this.#session;
  }

  start(handlers: CoordinatorHandlers): void {
    this.#session = this.#service.connect(this.#root);
    handlers.session(this.#session);
  }

  async close(): Promise<void> {
    await this.#session?.close();
  }
}

function znode(data: Buffer, zxid: number, owner: string | undefined): Znode {
  return { data: Buffer.from(data), stat: { version: 0, czxid: zxid, mzxid: zxid, owner } };
}

function above(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function failed(code: FailureCode): Failed {
  return { status: 'failed', code, message: code };
}

function withoutIndex<T>(outcome: Exclude<Outcome<T>, { status: 'ok' }>): Outcome<never> {
  return outcome.status === 'unknown' ? outcome : failed(outcome.code);
}

/** The result of the single step of a call. */
function only<Type extends MultiResult['type'], T>(
  outcome: Outcome<readonly MultiResult[]>,
  type: Type,
  value: (result: Extract<MultiResult, { type: Type }>) => T,
): Outcome<T> {
  if (outcome.status !== 'ok') return withoutIndex(outcome);
  const [result] = outcome.value;
  assert(result?.type === type, 'one result');
  return { status: 'ok', value: value(result as Extract<MultiResult, { type: Type }>) };
}
