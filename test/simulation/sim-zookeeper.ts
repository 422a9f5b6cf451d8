/**
 * A ZooKeeper ensemble in virtual time, behind the coordinator port: one history of transactions,
 * servers that apply it with a lag, clients that lose their connections, sessions that expire by
 * the ensemble's clock. Same options, same calls, same chance: same run.
 *
 * What is simplified against the real one (Hunt et al., USENIX ATC 2010):
 *  - a transaction is committed at the moment in which its request arrives: there are no proposals
 *    that a crash of the leader loses, and servers fail only all together ({@link SimZooKeeper.stop});
 *  - a server tells the leader of its sessions at once, not once per half a tick, so no session
 *    expires before its timeout;
 *  - a request never gets lost alone: either its connection breaks or everything behind it waits.
 */
import { assert } from '../../src/model/assert.js';
import type { Cancel, Clock } from '../../src/ports/clock.js';
import type { Request, Result, SessionId, Transaction } from '../../src/znode-tree/requests.js';
import { SessionExpiry } from '../../src/znode-tree/session-expiry.js';
import type { Snapshot } from '../../src/znode-tree/snapshot.js';
import { ZnodeTree } from '../../src/znode-tree/tree.js';
import { CallFaults } from '../support/call-faults.js';
import { drawMs, type RangeMs } from './sim-zookeeper-pipe.js';
import { type ClientEnd, type Quorum, SimConnection } from './sim-zookeeper-connection.js';
import { SimCoordinator } from './sim-zookeeper-coordinator.js';
import type { SimCall } from './sim-zookeeper-link.js';
import {
  DEFAULTS,
  type FaultChances,
  NO_FAULTS,
  type SimFault,
  type SimZooKeeperOptions,
} from './sim-zookeeper-options.js';
import { SimServer } from './sim-zookeeper-server.js';

export class SimZooKeeper implements Quorum {
  /** The chances of faults from now on. */
  chances: FaultChances;
  /** Faults for the coming calls of whichever session makes them first. */
  readonly faults = new CallFaults<SimCall, SimFault>();
  readonly #options: Required<SimZooKeeperOptions>;
  readonly #clock: Clock;
  /** Everything that is committed. */
  #truth = new ZnodeTree();
  #servers: readonly SimServer[] = [];
  #expiry: SessionExpiry;
  #cancelExpiry: Cancel = () => undefined;
  #isRunning = false;
  /** Of each session, the connection over which its client may speak. */
  readonly #owners = new Map<SessionId, SimConnection>();
  /** By their ids, until their client has hung up. */
  readonly #connections = new Map<string, SimConnection>();
  #connectionIds = 0;
  #sessionIds = 0;

  /** A new ensemble, which runs. */
  constructor(options: SimZooKeeperOptions) {
    this.#options = { ...DEFAULTS, faults: NO_FAULTS, ...options };
    this.#clock = options.clock;
    this.#expiry = new SessionExpiry({ tickMs: this.#options.tickMs });
    this.chances = this.#options.faults;
    this.start();
  }

  /** One more client, not started. `clock` is the client's own; the ensemble's if not given. */
  coordinator(
    root: string,
    client: { readonly clock?: Clock; readonly sessionTimeoutMs?: number } = {},
  ): SimCoordinator {
    const { clock = this.#clock, sessionTimeoutMs = 4_000 } = client;
    return new SimCoordinator({ zooKeeper: this, root, clock, sessionTimeoutMs });
  }

  /** What is committed, whatever servers and clients have seen of it. For checkers: reads only. */
  get tree(): ZnodeTree {
    return this.#truth;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Uniform in [0, 1). */
  random(): number {
    return this.#options.random();
  }

  draw(range: 'latencyMs' | 'lagMs' | 'stallMs' | 'redialMs'): number {
    const bounds: RangeMs = this.#options[range];
    return drawMs(bounds, this.#options.random);
  }

  /** The fault that befalls a call of any session: one that was arranged, or one by chance. */
  takeFault(call: SimCall): { readonly fault: SimFault; readonly then: () => void } | undefined {
    const arranged = this.faults.take(call);
    let rest = this.random();
    if (arranged !== undefined) return arranged;
    for (const [fault, chance] of Object.entries(this.chances) as [SimFault, number][]) {
      if (rest < chance) return { fault, then: () => undefined };
      rest -= chance;
    }
    return undefined;
  }

  /** The whole ensemble is down: connections break, and no session expires meanwhile. */
  stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#cancelExpiry();
    for (const server of this.#servers) server.stop();
    this.breakConnections();
    this.#owners.clear();
  }

  /**
   * It is up again: a new leader with everything that was committed, servers that have caught up,
   * and sessions that all have their full timeout again.
   */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#truth.beginReign();
    const { tickMs, servers } = this.#options;
    const snapshot = this.#truth.snapshot();
    this.#servers = Array.from({ length: servers }, () => {
      return new SimServer({
        clock: this.#clock,
        snapshot,
        lagMs: () => this.draw('lagMs'),
        tell: (event) => this.#connections.get(event.watcher)?.tell(event),
      });
    });
    this.#expiry = new SessionExpiry({ tickMs });
    const nowMs = this.#clock.now();
    for (const [id, timeoutMs] of this.#truth.sessions)
      this.#expiry.track(id, { timeoutMs, nowMs });
    this.#expireLater();
  }

  /** A backup of everything that is committed, sessions included. */
  snapshot(): Snapshot {
    return this.#truth.snapshot();
  }

  /** While it is down: its data is what the backup holds. Zxids of later will be given again. */
  restore(backup: Snapshot): void {
    assert(!this.#isRunning, 'data is replaced while the ensemble is down');
    this.#truth = new ZnodeTree(backup);
  }

  /** While it is down: its data is gone. */
  wipe(): void {
    assert(!this.#isRunning, 'data is replaced while the ensemble is down');
    this.#truth = new ZnodeTree();
  }

  /** Ends a session now, as if its time were over. Its client learns it when it comes back. */
  expire(session: SessionId): void {
    assert(this.#isRunning, 'sessions expire while the ensemble runs');
    if (this.#truth.sessions.has(session)) this.end(session, () => undefined);
  }

  /** Every connection breaks; or that of one session. */
  breakConnections(session?: SessionId): void {
    for (const connection of [...this.#connections.values()]) {
      if (session === undefined || this.#owners.get(session) === connection) connection.break();
    }
  }

  /** For clients: a connection to one of the servers, whichever. */
  dial(client: ClientEnd, clientClock: Clock): SimConnection {
    const server = this.#servers[Math.floor(this.random() * this.#servers.length)];
    assert(server !== undefined, 'there are servers');
    const connection: SimConnection = new SimConnection({
      id: `connection-${++this.#connectionIds}`,
      clock: this.#clock,
      clientClock,
      latencyMs: () => this.draw('latencyMs'),
      stallMs: () => this.draw('stallMs'),
      server,
      quorum: this,
      client,
    });
    this.#connections.set(connection.id, connection);
    return connection;
  }

  /** For clients: they are done with this connection. */
  hangUp(connection: SimConnection): void {
    this.#connections.delete(connection.id);
    connection.hangUp();
  }

  serves(server: SimServer): boolean {
    return this.#isRunning && this.#servers.includes(server);
  }

  open(over: SimConnection, timeoutMs: number, opened: (id: SessionId) => void): void {
    const id = (0x1000 + ++this.#sessionIds).toString(16).padStart(16, '0');
    const negotiatedMs = this.#expiry.negotiate(timeoutMs);
    this.#expiry.track(id, { timeoutMs: negotiatedMs, nowMs: this.#clock.now() });
    this.#owners.set(id, over);
    this.#expireLater();
    this.commit(
      id,
      { type: 'open-session', timeoutMs: negotiatedMs },
      {
        server: over.server,
        applied: () => opened(id),
      },
    );
  }

  move(session: SessionId, to: SimConnection): number | undefined {
    if (!this.#expiry.touch(session, this.#clock.now())) return undefined;
    const before = this.#owners.get(session);
    this.#owners.set(session, to);
    if (before !== to) before?.finish();
    return this.#truth.sessions.get(session);
  }

  touch(session: SessionId, over: SimConnection): boolean {
    if (!this.#isRunning || this.#owners.get(session) !== over) return false;
    return this.#expiry.touch(session, this.#clock.now());
  }

  commit(
    session: SessionId,
    request: Request,
    at?: { readonly server: SimServer; readonly applied: (result: Result) => void },
  ): void {
    const transaction: Transaction = { session, timeMs: this.#clock.now(), request };
    this.#truth.apply(transaction);
    for (const server of this.#servers) {
      server.append(transaction, server === at?.server ? at.applied : undefined);
    }
  }

  end(session: SessionId, ended: () => void): void {
    const owner = this.#owners.get(session);
    this.#owners.delete(session);
    this.#expiry.forget(session);
    const applied = () => {
      ended();
      owner?.finish();
    };
    const server = owner?.server;
    this.commit(session, { type: 'close-session' }, server && { server, applied });
  }

  /** One timer, for the session whose time is over first as things stand. */
  #expireLater(): void {
    this.#cancelExpiry();
    const { nextMs } = this.#expiry;
    if (nextMs === undefined) return;
    this.#cancelExpiry = this.#clock.after(Math.max(0, nextMs - this.#clock.now()), () => {
      for (const session of this.#expiry.expire(this.#clock.now())) {
        this.end(session, () => undefined);
      }
      this.#expireLater();
    });
  }
}
