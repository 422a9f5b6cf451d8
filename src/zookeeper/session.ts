/** One ZooKeeper session as the coordinator port wants it: requests become outcomes. */
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
} from '../ports/coordinator.js';
import {
  CODE,
  jute,
  type MultiResultRecord,
  type ResponsePayload,
  type WatchKind,
} from './library.js';
import type { Link } from './link.js';
import { failed, failedStep, statOf } from './outcomes.js';
import { absolute } from './paths.js';
import {
  type Acl,
  barrierRequest,
  createRequest,
  multiRequest,
  readRequest,
  removeRequest,
  type Request,
  setRequest,
} from './requests.js';
import { Watches } from './watches.js';

export interface SessionOptions {
  readonly link: Link;
  /** Absolute path under which everything happens. */
  readonly root: string;
  readonly acl: Acl;
}

const NO_DATA = Buffer.alloc(0);

export class ZooKeeperSession implements CoordinatorSession {
  readonly id: string;
  readonly #link: Link;
  readonly #root: string;
  readonly #acl: Acl;
  readonly #watches = new Watches();
  readonly #stateListeners = new Set<SessionEvents['state']>();
  readonly #provenListeners = new Set<SessionEvents['proven']>();
  #state: SessionState = 'connected';

  /** For a link that has just connected. */
  constructor({ link, root, acl }: SessionOptions) {
    this.#link = link;
    this.#root = root;
    this.#acl = acl;
    this.id = link.sessionId;
  }

  get state(): SessionState {
    return this.#state;
  }

  get timeoutMs(): number {
    return this.#link.timeoutMs;
  }

  isProven(): boolean {
    return this.#state === 'connected' && this.#link.isProven;
  }

  on<E extends keyof SessionEvents>(event: E, listener: SessionEvents[E]): () => void {
    const all = { state: this.#stateListeners, proven: this.#provenListeners };
    const listeners = all[event] as Set<SessionEvents[E]>;
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** For the coordinator: the link's state changed. */
  become(state: SessionState): void {
    if (this.#state === state || this.#state === 'lost') return;
    this.#state = state;
    for (const listener of [...this.#stateListeners]) listener(state);
    if (state === 'lost') this.#watches.end();
  }

  /** For the coordinator: an answer came again, or none came for too long. */
  becomeProven(isProven: boolean): void {
    for (const listener of [...this.#provenListeners]) listener(isProven);
  }

  async read(path: string, options: CallOptions = {}): Promise<Outcome<Znode | undefined>> {
    const read = await this.#read('data', path, options);
    if (read.status !== 'ok') return this.#absent(read, path, options);
    const { data, stat } = read.value;
    return { status: 'ok', value: { data: data ?? NO_DATA, stat: statOf(stat) } };
  }

  async children(
    path: string,
    options: CallOptions = {},
  ): Promise<Outcome<readonly string[] | undefined>> {
    const read = await this.#read('children', path, options);
    if (read.status !== 'ok') return this.#absent(read, path, options);
    return { status: 'ok', value: read.value.children };
  }

  async create(path: string, data: Buffer, mode: CreateMode): Promise<Outcome<string>> {
    const request = createRequest(absolute(this.#root, path), data, mode, this.#acl);
    const created = await this.#send(request);
    if (created.status !== 'ok') return created;
    return { status: 'ok', value: created.value.path.slice(this.#root.length) };
  }

  async set(path: string, data: Buffer, version: number): Promise<Outcome<ZnodeStat>> {
    const set = await this.#send(setRequest(absolute(this.#root, path), data, version));
    return set.status === 'ok' ? { status: 'ok', value: statOf(set.value.stat) } : set;
  }

  async remove(path: string, version: number): Promise<Outcome<void>> {
    const removed = await this.#send(removeRequest(absolute(this.#root, path), version));
    return removed.status === 'ok' ? { status: 'ok', value: undefined } : removed;
  }

  async multi(ops: readonly MultiOp[]): Promise<Outcome<readonly MultiResult[]>> {
    const steps = ops.map((op) => ({ ...op, path: absolute(this.#root, op.path) }));
    const done = await this.#send(multiRequest(steps, this.#acl));
    if (done.status !== 'ok') return done;
    const { results } = done.value;
    // Steps before the one that failed say "ok", those behind it say "because of another".
    const culprit = results.findIndex(({ err }) => {
      return err !== undefined && err !== CODE.ok && err !== CODE.runtimeInconsistency;
    });
    if (culprit >= 0) return failedStep(results[culprit]?.err ?? 0, culprit);
    if (results.some(({ err }) => err !== undefined)) return failed('refused', 'the multi failed');
    return { status: 'ok', value: results.map((result) => this.#stepResult(result)) };
  }

  async barrier(): Promise<Outcome<void>> {
    // A multi is always agreed on by the quorum, so reads behind it on this session see all before.
    const done = await this.#send(barrierRequest(this.#root));
    return done.status === 'ok' ? { status: 'ok', value: undefined } : done;
  }

  async close(): Promise<void> {
    const closed = this.#link.close();
    this.become('lost');
    await closed;
  }

  #send(
    request: Request,
    timeoutMs?: number,
    answered?: (outcome: Outcome<ResponsePayload>) => void,
  ): Promise<Outcome<ResponsePayload>> {
    return this.#link.send(request, timeoutMs ?? this.#link.timeoutMs, answered);
  }

  async #read(
    kind: WatchKind,
    path: string,
    { onMaybeChanged, timeoutMs }: CallOptions,
  ): Promise<Outcome<ResponsePayload>> {
    const full = absolute(this.#root, path);
    const watch = onMaybeChanged !== undefined;
    if (watch && this.#watches.isFull) return failed('too-large', 'too many watches');
    return this.#send(readRequest(kind, full, watch), timeoutMs, (read) => {
      if (watch && read.status === 'ok') {
        this.#watches.add(this.#link.manager, kind, full, onMaybeChanged);
      }
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
      const full = absolute(this.#root, path);
      const request = readRequest('exists', full, true);
      const exists = await this.#send(request, options.timeoutMs, (answer) => {
        if (isAbsent(answer)) this.#watches.add(this.#link.manager, 'exists', full, hint);
      });
      // Created between the two requests: the hint is due, now and never again.
      if (exists.status === 'ok') queueMicrotask(hint);
      else if (!isAbsent(exists)) return exists;
    }
    return { status: 'ok', value: undefined };
  }

  #stepResult({ type, path, stat }: MultiResultRecord): MultiResult {
    if (stat !== undefined) return { type: 'set', stat: statOf(stat) };
    if (path !== undefined) return { type: 'create', path: path.slice(this.#root.length) };
    return { type: type === jute.OP_CODES['DELETE'] ? 'remove' : 'check' };
  }
}

function isAbsent(outcome: Outcome<unknown>): boolean {
  return outcome.status === 'failed' && outcome.code === 'no-node';
}
