/**
 * A connection of one client to one simulated server, both ends: two pipes, and what the server
 * does with what arrives. As with ZooKeeper, requests of a session are done in the order in which
 * they were sent; its reads wait until the server has applied its own writes, and for no others.
 */
import type { Clock } from '../../src/ports/clock.js';
import type { Outcome } from '../../src/ports/coordinator.js';
import type { Request, Result, SessionId } from '../../src/znode-tree/requests.js';
import type { WatchEvent } from '../../src/znode-tree/watches.js';
import type { WatchedPaths } from '../../src/znode-tree/watched-tree.js';
import type { ArrangedFault } from '../support/call-faults.js';
import type { Work } from '../support/tree-session.js';
import { SimZooKeeperPipe } from './sim-zookeeper-pipe.js';
import type { SimFault } from './sim-zookeeper-options.js';
import type { SimServer } from './sim-zookeeper-server.js';

/** What a client says first. */
export interface Hello {
  /** Undefined: it wants a new one. */
  readonly session: SessionId | undefined;
  /** The latest zxid it has heard of: it accepts no server that knows less. */
  readonly seenZxid: number;
  readonly timeoutMs: number;
}

/** What a client hears. */
export interface ClientEnd {
  welcome(session: SessionId, timeoutMs: number): void;
  expired(): void;
  event(event: WatchEvent): void;
  /** The connection broke, or the server hung up. */
  closed(): void;
}

/** What a server needs of the ensemble. */
export interface Quorum {
  /** False: it is down, or this server is one of before it was. */
  serves(server: SimServer): boolean;
  /** A client knows more than the server it came to. */
  refused(): void;
  /** Opens a session over this connection; then it is open at the connection's server too. */
  open(over: SimConnection, timeoutMs: number, opened: (id: SessionId) => void): void;
  /** Moves a session to this connection; its timeout, or undefined if there is none. */
  move(session: SessionId, to: SimConnection): number | undefined;
  /** Its client was heard of. False: it is over, or its client is elsewhere by now. */
  touch(session: SessionId, over: SimConnection): boolean;
  commit(
    session: SessionId,
    request: Request,
    at: { readonly server: SimServer; readonly applied: (result: Result) => void },
  ): void;
  end(session: SessionId, ended: () => void): void;
}

export interface SimConnectionOptions {
  readonly id: string;
  readonly clock: Clock;
  /** What a client hears, it hears by its own clock: one that is paused hears it afterwards. */
  readonly clientClock: Clock;
  readonly latencyMs: () => number;
  readonly stallMs: () => number;
  readonly server: SimServer;
  readonly quorum: Quorum;
  readonly client: ClientEnd;
}

type Arranged = Pick<ArrangedFault<unknown, SimFault>, 'fault' | 'then'>;

export class SimConnection {
  /** Also the watcher at the server. */
  readonly id: string;
  readonly #options: SimConnectionOptions;
  readonly #toServer: SimZooKeeperPipe;
  readonly #toClient: SimZooKeeperPipe;
  #session: SessionId | undefined;
  /** Reads that came behind the last write which the server has not applied; undefined if none. */
  #behindWrite: (() => void)[] | undefined;

  constructor(options: SimConnectionOptions) {
    this.#options = options;
    this.id = options.id;
    this.#toServer = new SimZooKeeperPipe(options.clock, options.latencyMs);
    this.#toClient = new SimZooKeeperPipe(options.clientClock, options.latencyMs);
  }

  get server(): SimServer {
    return this.#options.server;
  }

  /** The client's first words. They are answered by a welcome, by "expired", or by hanging up. */
  greet(hello: Hello, arranged?: Arranged): void {
    const { quorum, server, client } = this.#options;
    this.#send(arranged, (answer) => {
      if (!quorum.serves(server)) return this.finish();
      if (hello.seenZxid > server.copy.tree.lastZxid) {
        quorum.refused();
        return this.finish();
      }
      if (hello.session === undefined) {
        return quorum.open(this, hello.timeoutMs, (id) => {
          this.#session = id;
          answer(() => client.welcome(id, quorum.move(id, this) ?? hello.timeoutMs));
        });
      }
      const id = hello.session;
      const timeoutMs = quorum.move(id, this);
      if (timeoutMs === undefined) return answer(() => client.expired());
      this.#session = id;
      answer(() => client.welcome(id, timeoutMs));
    });
  }

  /** Sends a request; `answered` is told the outcome and the zxid of the server by then. */
  ask<T>(
    work: Work<T>,
    answered: (outcome: Outcome<T>, zxid: number) => void,
    arranged?: Arranged,
  ): void {
    this.#send(arranged, (answer) => {
      this.#serve(work, (outcome) => {
        const zxid = this.server.copy.tree.lastZxid;
        answer(() => answered(outcome, zxid));
      });
    });
  }

  /** Sets the watches of an earlier connection again. */
  watch(sinceZxid: number, paths: WatchedPaths): void {
    this.#toServer.send(() => {
      const events = this.server.copy.setWatches(this.id, sinceZxid, paths);
      for (const event of events) this.tell(event);
    });
  }

  /** Asks for the end of the session; `ended` is told when it is over, at this server too. */
  endSession(ended: () => void): void {
    const { quorum } = this.#options;
    this.#toServer.send(() => {
      const session = this.#session;
      if (session === undefined || !quorum.touch(session, this)) return;
      quorum.end(session, () => this.#toClient.send(ended));
    });
  }

  /** The client is done with it. What it sent is still under way, what comes back is not heard. */
  hangUp(): void {
    this.#toClient.cut();
    this.#toServer.send(() => this.finish());
  }

  /** Neither end hears of the other any more, and nobody says so. */
  silence(): void {
    this.#toServer.cut();
    this.#toClient.cut();
  }

  /** It breaks; both ends notice, the client a little later. */
  break(): void {
    this.silence();
    this.finish();
    this.#closeLater();
  }

  /** For the server: a watch fired. */
  tell(event: WatchEvent): void {
    this.#toClient.send(() => this.#options.client.event(event));
  }

  /** For the server: hangs up. */
  finish(): void {
    this.server.copy.forget(this.id);
    this.#session = undefined;
    this.#toClient.send(() => this.#options.client.closed());
  }

  /** One request and its answer, with the fault that befalls them. */
  #send(arranged: Arranged | undefined, serve: (answer: (hear: () => void) => void) => void): void {
    const { stallMs } = this.#options;
    const happens = (fault: SimFault) => arranged?.fault === fault;
    if (happens('stall-before')) this.#toServer.hold(stallMs());
    if (happens('before')) this.#loseServer();
    if (happens('before') || happens('stall-before')) arranged?.then();
    this.#toServer.send(() => {
      serve((hear) => {
        if (happens('stall-after')) this.#toClient.hold(stallMs());
        if (happens('after')) this.#loseServer();
        if (happens('after') || happens('stall-after')) arranged?.then();
        this.#toClient.send(hear);
      });
    });
  }

  /** The client's end breaks; the server does not notice. */
  #loseServer(): void {
    this.silence();
    this.#closeLater();
  }

  #closeLater(): void {
    const { clientClock, latencyMs, client } = this.#options;
    clientClock.after(latencyMs(), () => client.closed());
  }

  #serve<T>(work: Work<T>, done: (outcome: Outcome<T>) => void): void {
    const { quorum, server } = this.#options;
    const session = this.#session;
    // Whoever asks over an old connection is not heard (ZooKeeper: SESSIONMOVED, and hangs up).
    if (session === undefined || !quorum.touch(session, this)) return;
    if (work.type === 'read') {
      const read = () => done(work.run(server.copy, this.id));
      if (this.#behindWrite === undefined) read();
      else this.#behindWrite.push(read);
      return;
    }
    const reads: (() => void)[] = [];
    this.#behindWrite = reads;
    quorum.commit(session, work.request, {
      server,
      applied: (result) => {
        if (this.#behindWrite === reads) this.#behindWrite = undefined;
        done(work.outcomeOf(result));
        for (const read of reads) read();
      },
    });
  }
}
