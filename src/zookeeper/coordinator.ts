/**
 * Keeps a ZooKeeper session open: a new library client for each session, because one whose session
 * expired is of no use any more, with a pause that grows and jitters, so that a cluster that lost
 * its ZooKeeper does not come back to it as a herd.
 */
import { ACL } from 'node-zookeeper-client';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Coordinator, CoordinatorHandlers } from '../ports/coordinator.js';
import type { Log } from '../ports/log.js';
import type { Random } from '../ports/random.js';
import { CONNECT_STRING_RULE, formatServers, parseConnectString } from './connect-string.js';
import { Link } from './link.js';
import { ancestry } from './paths.js';
import { type Acl, createRequest } from './requests.js';
import { ZooKeeperSession } from './session.js';

export interface ZooKeeperOptions {
  /** `HOST:PORT[,…][/chroot]`. */
  readonly connect: string;
  /** Below the chroot; made if it does not exist. All paths of the port are relative to it. */
  readonly root: string;
  readonly sessionTimeoutMs: number;
  /** Digest credentials: znodes are then readable and writable with them only (rule Z11). */
  readonly auth?: { readonly user: string; readonly password: string };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Until the operator is told that nothing answers: sooner than anybody gives up waiting. */
const TELL_AFTER_MS = { first: 2_000, last: 30_000 };
/** Before a new session after a lost one. */
const REOPEN_MS = { first: 50, last: 5_000 };
/** Before another try to make the root. */
const ROOT_RETRY_MS = 200;

export class ZooKeeperCoordinator implements Coordinator {
  readonly counters = new Map<string, number>();
  readonly #options: ZooKeeperOptions;
  readonly #servers: string;
  readonly #root: string;
  readonly #acl: Acl;
  #handlers: CoordinatorHandlers | undefined;
  #link: Link | undefined;
  #session: ZooKeeperSession | undefined;
  #cancelReopen: Cancel = () => undefined;
  #cancelTell: Cancel = () => undefined;
  #cancelForget: Cancel = () => undefined;
  /** Sessions lost in a row without a long life between. */
  #losses = 0;
  #closed = false;

  /** @throws Error if the connect string is none. */
  constructor(options: ZooKeeperOptions) {
    const parsed = parseConnectString(options.connect);
    if (parsed === undefined) {
      throw new Error(`"${options.connect}" is no ZooKeeper address; write ${CONNECT_STRING_RULE}`);
    }
    this.#options = options;
    this.#servers = formatServers(parsed);
    this.#root = parsed.chroot + options.root;
    const acls = ACL as unknown as { CREATOR_ALL_ACL: Acl; OPEN_ACL_UNSAFE: Acl };
    this.#acl = options.auth === undefined ? acls.OPEN_ACL_UNSAFE : acls.CREATOR_ALL_ACL;
  }

  get session(): ZooKeeperSession | undefined {
    return this.#session;
  }

  start(handlers: CoordinatorHandlers): void {
    this.#handlers = handlers;
    this.#open();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelReopen();
    this.#cancelTell();
    this.#cancelForget();
    if (this.#session !== undefined && this.#session.state !== 'lost') await this.#session.close();
    else await this.#link?.close();
  }

  #open(): void {
    const { clock, log, auth, sessionTimeoutMs } = this.#options;
    let session: ZooKeeperSession | undefined;
    const link = new Link(
      {
        servers: this.#servers,
        sessionTimeoutMs,
        auth,
        clock,
        count: (event) => this.#count(event),
      },
      {
        connected: () => {
          if (session !== undefined) {
            log.info('ZooKeeper is back');
            return session.become('connected');
          }
          session = new ZooKeeperSession({ link, root: this.#root, acl: this.#acl });
          void this.#introduce(session, link);
        },
        disconnected: () => {
          if (session === undefined) return;
          if (session.state === 'connected') {
            log.warn('ZooKeeper does not answer; trying again', { servers: this.#servers });
          }
          session.become('suspended');
        },
        over: (why) => {
          log.warn(`the ZooKeeper session is lost: ${why}`);
          session?.become('lost');
          this.#reopenLater(link);
        },
        proven: (isProven) => session?.becomeProven(isProven),
      },
    );
    this.#link = link;
    this.#count('sessions');
    this.#tellLater(link, TELL_AFTER_MS.first);
    link.connect();
  }

  /** Makes the root, then hands the session over. A session that is lost meanwhile is not. */
  async #introduce(session: ZooKeeperSession, link: Link): Promise<void> {
    for (const path of ancestry(this.#root)) {
      while (!(await this.#ensure(link, path))) {
        if (this.#closed || session.state === 'lost') return;
        await new Promise<void>((resolve) => this.#options.clock.after(ROOT_RETRY_MS, resolve));
      }
    }
    if (this.#closed || session.state === 'lost') return;
    const { timeoutMs, id } = session;
    this.#options.log.debug('ZooKeeper session', { id, timeoutMs, servers: this.#servers });
    this.#cancelForget();
    this.#cancelForget = this.#options.clock.after(timeoutMs, () => {
      if (session.state !== 'lost') this.#losses = 0;
    });
    this.#cancelTell();
    this.#session = session;
    this.#handlers?.session(session);
  }

  async #ensure(link: Link, path: string): Promise<boolean> {
    const request = createRequest(path, Buffer.alloc(0), 'persistent', this.#acl);
    const made = await link.send(request, link.timeoutMs);
    if (made.status === 'ok') return true;
    if (made.status === 'unknown') return false;
    if (made.code === 'no-node') {
      this.#options.log.error(`the chroot of ${path} does not exist and cannot be made`);
    }
    // Whoever may not create a parent can still use one that exists.
    return made.code === 'node-exists' || made.code === 'no-auth';
  }

  #reopenLater(lost: Link): void {
    void lost.close();
    if (this.#closed) return;
    const ceilingMs = Math.min(REOPEN_MS.last, REOPEN_MS.first * 2 ** this.#losses++);
    const pauseMs = ceilingMs * (0.5 + this.#options.random.fraction() / 2);
    this.#cancelReopen = this.#options.clock.after(pauseMs, () => this.#open());
  }

  #tellLater(link: Link, afterMs: number): void {
    this.#cancelTell();
    this.#cancelTell = this.#options.clock.after(afterMs, () => {
      const why = link.lastError === '' ? '' : ` (${link.lastError})`;
      this.#handlers?.unreachable(
        `no ZooKeeper answers at ${this.#servers}${why}. Check --zk and that it runs; trying on`,
      );
      this.#tellLater(link, Math.min(TELL_AFTER_MS.last, afterMs * 2));
    });
  }

  #count(event: string): void {
    this.counters.set(event, (this.counters.get(event) ?? 0) + 1);
  }
}
