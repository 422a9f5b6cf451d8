/**
 * A coordination service in memory, which can be told to lose answers: for tests of the recipes
 * above the port. It passes the same conformance suite as ZooKeeper, so it is not kinder.
 *
 * Every call takes effect at once and is answered a moment later; there is one server, no lag.
 */
import type { Coordinator, CoordinatorHandlers, Outcome } from '../../src/ports/coordinator.js';
import { ancestry } from '../../src/zookeeper/paths.js';
import type { Request, Result } from '../../src/znode-tree/requests.js';
import { WatchedTree } from '../../src/znode-tree/watched-tree.js';
import { type Call, CallFaults } from './call-faults.js';
import { failed } from './tree-outcomes.js';
import { type TreeRequest, TreeSession, type Work } from './tree-session.js';

const SESSION_TIMEOUT_MS = 4_000;

/** What becomes of a call: `before` it takes effect the connection breaks, or `after`. */
type Fault = 'before' | 'after' | 'not-connected';

/** The tree all sessions share. */
export class MemoryService {
  readonly #tree = new WatchedTree();
  readonly #sessions = new Map<string, MemorySession>();
  #sessionIds = 0x1000;

  /** A new session on the tree below `root`, which is made. */
  connect(root: string): MemorySession {
    const id = (++this.#sessionIds).toString(16).padStart(16, '0');
    this.#apply(id, { type: 'open-session', timeoutMs: SESSION_TIMEOUT_MS });
    for (const path of ancestry(root)) {
      this.#apply(id, { type: 'create', path, data: Buffer.alloc(0), mode: 'persistent' });
    }
    const session = new MemorySession(this, root, id);
    this.#sessions.set(id, session);
    return session;
  }

  /** Does what a session asks for. */
  run<T>(session: string, work: Work<T>): Outcome<T> {
    if (work.type === 'read') return work.run(this.#tree, session);
    return work.outcomeOf(this.#apply(session, work.request));
  }

  /** Ends a session; its ephemeral znodes vanish. */
  forget(session: string): void {
    this.#sessions.delete(session);
    this.#tree.forget(session);
    this.#apply(session, { type: 'close-session' });
  }

  #apply(session: string, request: Request): Result {
    const { result, events } = this.#tree.apply({ session, timeMs: 0, request });
    for (const event of events) this.#sessions.get(event.watcher)?.hear(event);
    return result;
  }
}

export class MemorySession extends TreeSession {
  readonly id: string;
  readonly timeoutMs = SESSION_TIMEOUT_MS;
  readonly #service: MemoryService;
  readonly #faults = new CallFaults<Call, Fault>();
  #isDoubted = false;

  constructor(service: MemoryService, root: string, id: string) {
    super(root);
    this.#service = service;
    this.id = id;
  }

  /** The next call of this kind that has no fault yet meets this one; then `then` happens. */
  fault(call: Call, fault: Fault, then?: () => void): void {
    this.#faults.arrange(call, fault, then);
  }

  suspend(): void {
    this.become('suspended');
  }

  resume(): void {
    this.become('connected');
  }

  /** The service ends the session; the client hears of it only with `lost`. */
  expire(): void {
    this.#service.forget(this.id);
    this.become('lost');
  }

  /** No answer for long: the session may be over, but its connection stands. */
  doubt(): void {
    this.#isDoubted = true;
    this.becomeProven(false);
  }

  /** An answer came after all. */
  trust(): void {
    this.#isDoubted = false;
    this.becomeProven(true);
  }

  isProven(): boolean {
    return this.state === 'connected' && !this.#isDoubted;
  }

  close(): Promise<void> {
    if (this.state !== 'lost') this.expire();
    return Promise.resolve();
  }

  /** The outcome of a call, taking effect now; its fault, if one was arranged. */
  protected async send<T>({ call, work, answered }: TreeRequest<T>): Promise<Outcome<T>> {
    if (this.state !== 'connected') return failed('not-connected');
    const arranged = this.#faults.take(call);
    if (arranged?.fault === 'not-connected') return failed('not-connected');
    const lost: Outcome<T> = { status: 'unknown', reason: 'the answer was lost' };
    const outcome = arranged?.fault === 'before' ? lost : this.#service.run(this.id, work);
    if (arranged === undefined) answered(outcome);
    arranged?.then();
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    return arranged === undefined ? outcome : lost;
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
