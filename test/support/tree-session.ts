/**
 * A coordinator session over a znode tree: the calls of the port as requests to a server, and what
 * a client keeps (state, listeners, hints). How a request gets to a server and what may become of
 * it on the way is for those that extend this.
 */
import { assert } from '../../src/model/assert.js';
import { LIMITS } from '../../src/model/limits.js';
import type {
  CallOptions,
  CoordinatorSession,
  CreateMode,
  MultiOp,
  MultiResult,
  Outcome,
  SessionEvents,
  SessionState,
  Znode,
  ZnodeStat,
} from '../../src/ports/coordinator.js';
import { absolute } from '../../src/zookeeper/paths.js';
import {
  ANY_VERSION,
  type Request,
  type Result,
  type Step,
} from '../../src/znode-tree/requests.js';
import type { Stat } from '../../src/znode-tree/stat.js';
import type { Watcher, WatchEvent } from '../../src/znode-tree/watches.js';
import type { Read, WatchedPaths, WatchedTree } from '../../src/znode-tree/watched-tree.js';
import type { Call } from './call-faults.js';
import { type HintKind, Hints } from './hints.js';
import {
  failed,
  outcomeOfMulti,
  outcomeOfRead,
  outcomeOfStep,
  statOf,
  stepOf,
} from './tree-outcomes.js';

/** What a server does for a request. */
export type Work<T> =
  | {
      readonly type: 'read';
      readonly run: (tree: WatchedTree, watcher: Watcher) => Outcome<T>;
    }
  | {
      readonly type: 'write';
      readonly request: Request;
      readonly outcomeOf: (result: Result) => Outcome<T>;
    };

export interface TreeRequest<T> {
  readonly call: Call;
  readonly work: Work<T>;
  /** The session's default otherwise. */
  readonly timeoutMs: number | undefined;
  /** Called with the answer before the client hears anything that the server said behind it. */
  readonly answered: (outcome: Outcome<T>) => void;
}

interface WatchedRead<T> {
  readonly call: Call;
  /** What the server watches if asked to. */
  readonly kind: HintKind;
  readonly path: string;
  readonly run: (tree: WatchedTree, watcher: Watcher | undefined) => Read<T>;
}

/** Of each step, besides its path and its data. */
const STEP_BYTES = 50;

export abstract class TreeSession implements CoordinatorSession {
  abstract readonly id: string;
  abstract readonly timeoutMs: number;
  /** Every call so far, in order. */
  readonly calls: Call[] = [];
  readonly #hints = new Hints();
  readonly #root: string;
  readonly #listeners: { readonly [E in keyof SessionEvents]: Set<SessionEvents[E]> } = {
    state: new Set(),
    proven: new Set(),
  };
  #state: SessionState = 'connected';

  /** All paths are relative to `root`, which exists. */
  constructor(root: string) {
    this.#root = root;
  }

  abstract isProven(): boolean;
  abstract close(): Promise<void>;
  protected abstract send<T>(request: TreeRequest<T>): Promise<Outcome<T>>;

  get state(): SessionState {
    return this.#state;
  }

  on<E extends keyof SessionEvents>(event: E, listener: SessionEvents[E]): () => void {
    this.#listeners[event].add(listener);
    return () => this.#listeners[event].delete(listener);
  }

  /** What has to be watched again over a new connection. */
  get watched(): WatchedPaths {
    return this.#hints.paths;
  }

  /** For the server's end: a watch of this session fired. */
  hear(event: WatchEvent): void {
    this.#hints.hear(event);
  }

  async read(path: string, options: CallOptions = {}): Promise<Outcome<Znode | undefined>> {
    const full = absolute(this.#root, path);
    const run = (tree: WatchedTree, watcher?: Watcher) => tree.getData(full, watcher);
    const read = await this.#read({ call: 'read', kind: 'data', path: full, run }, options);
    if (read.status !== 'ok') return this.#absent(read, full, options);
    const { data, stat } = read.value;
    return { status: 'ok', value: { data: Buffer.from(data), stat: statOf(stat) } };
  }

  async children(
    path: string,
    options: CallOptions = {},
  ): Promise<Outcome<readonly string[] | undefined>> {
    const full = absolute(this.#root, path);
    const run = (tree: WatchedTree, watcher?: Watcher) => tree.getChildren(full, watcher);
    const read = await this.#read({ call: 'children', kind: 'child', path: full, run }, options);
    if (read.status !== 'ok') return this.#absent(read, full, options);
    return { status: 'ok', value: read.value.children };
  }

  async create(path: string, data: Buffer, mode: CreateMode): Promise<Outcome<string>> {
    const done = await this.#step('create', { type: 'create', path, data, mode });
    return ifOk(done, (result) => {
      assert(result.type === 'create', 'a create was done');
      return result.path;
    });
  }

  async set(path: string, data: Buffer, version: number): Promise<Outcome<ZnodeStat>> {
    const done = await this.#step('set', { type: 'set', path, data, version });
    return ifOk(done, (result) => {
      assert(result.type === 'set', 'a set was done');
      return result.stat;
    });
  }

  async remove(path: string, version: number): Promise<Outcome<void>> {
    return ifOk(await this.#step('remove', { type: 'remove', path, version }), () => undefined);
  }

  async multi(ops: readonly MultiOp[]): Promise<Outcome<readonly MultiResult[]>> {
    return this.#write('multi', ops, (result) => outcomeOfMulti(result, this.#root));
  }

  /** A multi is ordered with all writes, so reads behind it on this session see all before it. */
  barrier(): Promise<Outcome<void>> {
    const check: Step = { type: 'check', path: this.#root, version: ANY_VERSION };
    return this.#send('barrier', {
      type: 'write',
      request: { type: 'multi', steps: [check] },
      outcomeOf: (result) => ifOk(outcomeOfMulti(result, this.#root), () => undefined),
    });
  }

  /** For the server's end: the state changed. */
  become(state: SessionState): void {
    if (this.#state === state || this.#state === 'lost') return;
    this.#state = state;
    for (const listener of [...this.#listeners.state]) listener(state);
    if (state === 'lost') this.#hints.end();
  }

  /** For the server's end: an answer came again, or none came for too long. */
  becomeProven(isProven: boolean): void {
    for (const listener of [...this.#listeners.proven]) listener(isProven);
  }

  #step(call: Call, op: MultiOp): Promise<Outcome<MultiResult>> {
    return this.#write(call, [op], (result) => outcomeOfStep(result, this.#root));
  }

  async #write<T>(
    call: Call,
    ops: readonly MultiOp[],
    outcomeOf: (result: Result) => Outcome<T>,
  ): Promise<Outcome<T>> {
    const steps = ops.map((op) => stepOf(op, absolute(this.#root, op.path)));
    const bytes = steps.reduce((sum, step) => sum + bytesOf(step), 0);
    if (bytes > LIMITS.znodeRequestBytesMax) return failed('too-large');
    return this.#send(call, { type: 'write', request: { type: 'multi', steps }, outcomeOf });
  }

  #read<T>(read: WatchedRead<T>, { onMaybeChanged, timeoutMs }: CallOptions): Promise<Outcome<T>> {
    const work: Work<T> = {
      type: 'read',
      run: (tree, watcher) => {
        return outcomeOfRead(read.run(tree, onMaybeChanged && watcher));
      },
    };
    return this.#send(read.call, work, {
      timeoutMs,
      answered: (outcome) => {
        // What was absent is watched by `exists` only.
        const isWatched = isAbsent(outcome) ? read.kind === 'exist' : outcome.status === 'ok';
        if (isWatched && onMaybeChanged) this.#hints.add(read.kind, read.path, onMaybeChanged);
      },
    });
  }

  /** A znode that is not there is an answer, not a failure. If asked to, waits for its creation. */
  async #absent(
    read: Exclude<Outcome<unknown>, { status: 'ok' }>,
    path: string,
    options: CallOptions,
  ): Promise<Outcome<undefined>> {
    if (!isAbsent(read)) return read;
    const hint = options.onMaybeChanged;
    if (hint !== undefined) {
      const exists = await this.#read<Stat>(
        { call: 'exists', kind: 'exist', path, run: (tree, by) => tree.exists(path, by) },
        options,
      );
      if (!isAbsent(exists) && exists.status !== 'ok') return exists;
      // Created between the two requests: the hint is due.
      if (exists.status === 'ok') queueMicrotask(hint);
    }
    return { status: 'ok', value: undefined };
  }

  #send<T>(call: Call, work: Work<T>, extras: Partial<TreeRequest<T>> = {}): Promise<Outcome<T>> {
    this.calls.push(call);
    if (this.#state === 'lost') return Promise.resolve(failed('session-lost'));
    return this.send({ call, work, timeoutMs: undefined, answered: () => undefined, ...extras });
  }
}

function bytesOf(step: Step): number {
  return STEP_BYTES + Buffer.byteLength(step.path) + ('data' in step ? step.data.length : 0);
}

function isAbsent(outcome: Outcome<unknown>): boolean {
  return outcome.status === 'failed' && outcome.code === 'no-node';
}

function ifOk<T, U>(outcome: Outcome<T>, value: (from: T) => U): Outcome<U> {
  return outcome.status === 'ok' ? { status: 'ok', value: value(outcome.value) } : outcome;
}
