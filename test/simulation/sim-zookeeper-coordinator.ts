/** A client of the simulated ensemble: keeps a session open, a new one after each that is lost. */
import type { Cancel, Clock } from '../../src/ports/clock.js';
import type { Coordinator, CoordinatorHandlers, Outcome } from '../../src/ports/coordinator.js';
import { ancestry } from '../../src/zookeeper/paths.js';
import { type TreeRequest, TreeSession } from '../support/tree-session.js';
import { outcomeOfStep } from '../support/tree-outcomes.js';
import { type SimCall, SimClientLink } from './sim-zookeeper-link.js';
import type { SimFault } from './sim-zookeeper-options.js';
import type { SimZooKeeper } from './sim-zookeeper.js';

export interface SimCoordinatorOptions {
  readonly zooKeeper: SimZooKeeper;
  /** Made if it does not exist. All paths of the port are relative to it. */
  readonly root: string;
  readonly clock: Clock;
  readonly sessionTimeoutMs: number;
}

/** As the real client has them. */
const TELL_AFTER_MS = { first: 3_000, last: 30_000 };
const REOPEN_MS = { first: 50, last: 5_000 };
const ROOT_RETRY_MS = 200;

export class SimSession extends TreeSession {
  readonly id: string;
  readonly #link: SimClientLink;

  /** Over a link that has just connected. */
  constructor(link: SimClientLink, root: string) {
    super(root);
    this.#link = link;
    this.id = link.sessionId;
  }

  get timeoutMs(): number {
    return this.#link.timeoutMs;
  }

  isProven(): boolean {
    return this.state === 'connected' && this.#link.isProven;
  }

  /** The next call of this kind that has no fault yet meets this one; then `then` happens. */
  fault(call: SimCall, fault: SimFault, then?: () => void): void {
    this.#link.faults.arrange(call, fault, then);
  }

  async close(): Promise<void> {
    const closed = this.#link.close();
    this.become('lost');
    await closed;
  }

  protected send<T>(request: TreeRequest<T>): Promise<Outcome<T>> {
    return this.#link.send(request, request.call);
  }
}

export class SimCoordinator implements Coordinator {
  readonly counters = new Map<string, number>();
  readonly #options: SimCoordinatorOptions;
  #handlers: CoordinatorHandlers | undefined;
  #link: SimClientLink | undefined;
  #session: SimSession | undefined;
  #cancelReopen: Cancel = () => undefined;
  #cancelTell: Cancel = () => undefined;
  #cancelForget: Cancel = () => undefined;
  /** Sessions lost in a row without a long life between. */
  #losses = 0;
  #isReachable = true;
  #closed = false;

  constructor(options: SimCoordinatorOptions) {
    this.#options = options;
  }

  get session(): SimSession | undefined {
    return this.#session;
  }

  start(handlers: CoordinatorHandlers): void {
    this.#handlers = handlers;
    this.#open();
  }

  /** False: nothing gets between this client and the ensemble any more, in silence. */
  setReachable(isReachable: boolean): void {
    this.#isReachable = isReachable;
    this.#link?.setReachable(isReachable);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const cancel of [this.#cancelReopen, this.#cancelTell, this.#cancelForget]) cancel();
    if (this.#session !== undefined && this.#session.state !== 'lost') await this.#session.close();
    else await this.#link?.close();
  }

  #open(): void {
    const { zooKeeper, clock, sessionTimeoutMs, root } = this.#options;
    let session: SimSession | undefined;
    const nothing = { data: [], exist: [], child: [] };
    const link = new SimClientLink(
      {
        ...{ zooKeeper, clock, sessionTimeoutMs },
        count: (event) => this.#count(event),
        watched: () => session?.watched ?? nothing,
      },
      {
        connected: () => {
          if (session !== undefined) return session.become('connected');
          session = new SimSession(link, root);
          void this.#introduce(session, link);
        },
        disconnected: () => session?.become('suspended'),
        over: () => {
          session?.become('lost');
          this.#reopenLater();
        },
        proven: (isProven) => session?.becomeProven(isProven),
        event: (event) => session?.hear(event),
      },
    );
    this.#link = link;
    link.setReachable(this.#isReachable);
    this.#count('sessions');
    this.#tellLater(TELL_AFTER_MS.first);
    link.connect();
  }

  /** Makes the root, then hands the session over. A session that is lost meanwhile is not. */
  async #introduce(session: SimSession, link: SimClientLink): Promise<void> {
    const { clock, root } = this.#options;
    for (const path of ancestry(root)) {
      while (!(await ensure(link, path))) {
        if (this.#closed || session.state === 'lost') return;
        await new Promise<void>((resolve) => clock.after(ROOT_RETRY_MS, resolve));
      }
    }
    if (this.#closed || session.state === 'lost') return;
    this.#cancelForget();
    this.#cancelForget = clock.after(session.timeoutMs, () => {
      if (session.state !== 'lost') this.#losses = 0;
    });
    this.#cancelTell();
    this.#session = session;
    this.#handlers?.session(session);
  }

  #reopenLater(): void {
    if (this.#closed) return;
    const ceilingMs = Math.min(REOPEN_MS.last, REOPEN_MS.first * 2 ** this.#losses++);
    const pauseMs = Math.floor(ceilingMs * (0.5 + this.#options.zooKeeper.random() / 2));
    this.#cancelReopen = this.#options.clock.after(pauseMs, () => this.#open());
  }

  #tellLater(afterMs: number): void {
    this.#cancelTell();
    this.#cancelTell = this.#options.clock.after(afterMs, () => {
      this.#handlers?.unreachable('no simulated ZooKeeper answers; trying on');
      this.#tellLater(Math.min(TELL_AFTER_MS.last, afterMs * 2));
    });
  }

  #count(event: string): void {
    this.counters.set(event, (this.counters.get(event) ?? 0) + 1);
  }
}

async function ensure(link: SimClientLink, path: string): Promise<boolean> {
  const made = await link.send(
    {
      call: 'create',
      work: {
        type: 'write',
        request: { type: 'create', path, data: Buffer.alloc(0), mode: 'persistent' },
        outcomeOf: (result) => outcomeOfStep(result, ''),
      },
      timeoutMs: undefined,
      answered: () => undefined,
    },
    'connect',
  );
  return made.status === 'ok' || (made.status === 'failed' && made.code === 'node-exists');
}
