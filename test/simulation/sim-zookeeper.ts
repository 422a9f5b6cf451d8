/**
 * A ZooKeeper ensemble in virtual time, behind the coordinator port: one history of transactions,
 * servers that apply it with a lag, clients that lose their connections, sessions that expire by
 * the ensemble's clock. Same options, same calls, same chance: same run.
 *
 * What is simplified against the real one (Hunt et al., USENIX ATC 2010):
 *  - a transaction is committed at the moment in which its request arrives: there are no proposals
 *    that a crash of the leader loses, and everybody notices at once that the leader is gone;
 *  - a server tells the leader of its sessions at once, not once per half a tick, so no session
 *    expires before its timeout;
 *  - a request never gets lost alone: either its connection breaks or everything behind it waits.
 */
import { assert } from '../../src/model/assert.js';
import type { Cancel, Clock } from '../../src/ports/clock.js';
import type { Request, SessionId, Transaction } from '../../src/znode-tree/requests.js';
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
import { type Absence, type AppliedAt, SimServers } from './sim-zookeeper-servers.js';

export class SimZooKeeper implements Quorum {
  /** The chances of faults from now on. */
  chances: FaultChances;
  /** Faults for the coming calls of whichever session makes them first. */
  readonly faults = new CallFaults<SimCall, SimFault>();
  readonly #options: Required<SimZooKeeperOptions>;
  readonly #clock: Clock;
  /** Everything that is committed. */
  #truth = new ZnodeTree();
  readonly #servers: SimServers;
  #expiry: SessionExpiry;
  #cancelExpiry: Cancel = () => undefined;
  #cancelElection: Cancel = () => undefined;
  #isRunning = false;
  /** Of each session, the connection over which its client may speak. */
  readonly #owners = new Map<SessionId, SimConnection>();
  /** By their ids, until their client has hung up. */
  readonly #connections = new Map<string, SimConnection>();
  #connectionIds = 0;
  #sessionIds = 0;
  /** Times that a client came to a server that knew less than it, and was turned away. */
  refusals = 0;
  /** Times that the servers elected another leader among them. */
  elections = 0;
  /** Multis that did not happen because their first step, a check, did not hold: fenced writes. */
  fenced = 0;

  /** A new ensemble, which runs. */
  constructor(options: SimZooKeeperOptions) {
    this.#options = { ...DEFAULTS, faults: NO_FAULTS, ...options };
    this.#clock = options.clock;
    this.#expiry = new SessionExpiry({ tickMs: this.#options.tickMs });
    this.chances = this.#options.faults;
    const { servers } = this.#options;
    this.#servers = new SimServers(servers, this.#newServer.bind(this), this.#options.random);
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

  draw(range: 'latencyMs' | 'lagMs' | 'stallMs' | 'redialMs' | 'electionMs'): number {
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
    this.#cancelElection();
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#cancelExpiry();
    this.#servers.stop();
    this.breakConnections();
    this.#owners.clear();
  }

  /**
   * It is up again: a new leader with everything that was committed, servers that have caught up,
   * and sessions that all have their full timeout again.
   */
  start(): void {
    if (this.#isRunning) return;
    this.#cancelElection();
    this.#isRunning = true;
    this.#truth.beginReign();
    const { tickMs } = this.#options;
    this.#servers.begin();
    this.#expiry = new SessionExpiry({ tickMs });
    const nowMs = this.#clock.now();
    for (const [id, timeoutMs] of this.#truth.sessions)
      this.#expiry.track(id, { timeoutMs, nowMs });
    this.#expireLater();
  }

  /**
   * One server goes away, of three or more. Its clients have to find another one, which may know
   * less than they do and turns them away then; their sessions go on. If it led, the others elect
   * one of them: until then nobody is served.
   *
   * @returns What brings it back; undefined: one is away already.
   */
  loseServer(absence: Absence): (() => void) | undefined {
    const lost = this.#servers.lose(absence);
    if (lost === undefined) return undefined;
    for (const connection of [...this.#connections.values()]) {
      if (connection.server !== lost.slot.server) continue;
      if (absence === 'silent') connection.silence();
      else connection.break();
    }
    if (lost.wasLeader && this.#isRunning) this.#elect();
    return () => this.#servers.bringBack(lost.slot);
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
    const { server, absence } = this.#servers.any();
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
    if (absence === 'silent') connection.silence();
    return connection;
  }

  /** For clients: they are done with this connection. */
  hangUp(connection: SimConnection): void {
    this.#connections.delete(connection.id);
    connection.hangUp();
  }

  serves(server: SimServer): boolean {
    return this.#isRunning && this.#servers.serves(server);
  }

  refused(): void {
    this.refusals++;
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

  commit(session: SessionId, request: Request, at?: AppliedAt): void {
    const transaction: Transaction = { session, timeMs: this.#clock.now(), request };
    const { result } = this.#truth.apply(transaction);
    const first = request.type === 'multi' ? request.steps[0]?.type : undefined;
    if (first === 'check' && !result.ok && result.steps[0] === 'bad-version') this.fenced++;
    this.#servers.append(transaction, at);
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

  #elect(): void {
    this.stop();
    this.#cancelElection = this.#clock.after(this.draw('electionMs'), () => {
      this.elections++;
      this.start();
    });
  }

  #newServer(): SimServer {
    return new SimServer({
      clock: this.#clock,
      snapshot: this.#truth.snapshot(),
      lagMs: () => this.draw('lagMs'),
      tell: (event) => this.#connections.get(event.watcher)?.tell(event),
    });
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
