/**
 * A ZooKeeper server of one process: clients in, one tree, one disk.
 *
 * Everything happens in rounds, as in a storage node: all that came is done to the tree, in the
 * order in which it came; what changed is written as one batch with one fsync; then the answers and
 * the events go out, in their order. So nobody hears of what could be lost, a read sees every write
 * before it, and an event comes before the answer of whoever reads the new state.
 */
import { encodeEvent } from '../jute/answers.js';
import { ERR, XID } from '../jute/codes.js';
import { encodeWelcome, type Greeting, NO_SESSION, PASSWORD_BYTES } from '../jute/greeting.js';
import type { ClientRequest } from '../jute/requests.js';
import type { ByteStream, ByteStreamEvents } from '../ports/byte-stream.js';
import type { Clock } from '../ports/clock.js';
import { StorageFailure } from '../ports/disk.js';
import type { Log } from '../ports/log.js';
import { allows, PERMS } from '../znode-tree/acl.js';
import type { Request, SessionId } from '../znode-tree/requests.js';
import type { Snapshot } from '../znode-tree/snapshot.js';
import { WatchedTree } from '../znode-tree/watched-tree.js';
import type { WatchEvent } from '../znode-tree/watches.js';
import { type Answered, answer, type Asker, framed } from './answering.js';
import { Connection, type ConnectionEvents } from './connection.js';
import { answerWord, type ServerFacts } from './four-letter-words.js';
import { Latencies } from './latencies.js';
import { SessionIds } from './session-ids.js';
import { Sessions } from './sessions.js';
import type { TreeStore } from './tree-store.js';

/** A client that called has so long to greet, and one that is told to go so long to do so. */
const GREETING_MS = 10_000;
const END_MS = 2_000;

export interface ServerDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds since 1970: for ctime and mtime, and for nothing else. */
  readonly wallMs: () => number;
  readonly afterReading: () => Promise<void>;
  readonly store: TreeStore;
  readonly tickMs: number;
  readonly version: string;
  readonly isFull: () => boolean;
  /** Hears how many bytes each round wrote. */
  readonly wrote: (bytes: number) => Promise<void>;
  /** The disk failed: nothing is answered any more. */
  readonly failed: (reason: unknown) => void;
}

export class ZooKeeperServer implements ConnectionEvents {
  readonly #deps: ServerDeps;
  readonly #tree: WatchedTree;
  readonly #ids: SessionIds;
  readonly #sessions: Sessions;
  readonly #connections = new Map<string, Connection>();
  readonly #latencies = new Latencies();
  /** What came and was not done yet, in order. */
  #waiting: (() => void)[] = [];
  /** What is to be sent when the round is on disk, in order. */
  #outgoing: (() => void)[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;
  #connectionCount = 0;
  #received = 0;
  #sent = 0;
  /** HOST:PORT, once it listens. */
  address = '';

  constructor(deps: ServerDeps, snapshot: Snapshot | undefined) {
    this.#deps = deps;
    this.#tree = new WatchedTree(snapshot);
    this.#ids = new SessionIds(deps.store.secret, deps.wallMs());
    this.#sessions = new Sessions(
      { ...deps, expired: (session) => this.#do(() => this.#expire(session)) },
      this.#tree.tree.sessions,
    );
  }

  /** A client called. */
  accept(stream: ByteStream): ByteStreamEvents {
    const connection = new Connection(`${++this.#connectionCount}`, stream, this);
    this.#connections.set(connection.id, connection);
    if (this.#stopped) connection.close('the server stops');
    this.#deps.clock.after(GREETING_MS, () => {
      if (connection.session === undefined) connection.close('it did not greet');
    });
    return connection;
  }

  /**
   * Resolves when what was begun is done and answered, and every client was told that it is over.
   * What came and was not begun is not done.
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#sessions.stop();
    await this.#running;
    for (const connection of this.#connections.values()) this.#end(connection, 'the server stops');
  }

  heard({ session }: Connection): void {
    if (session !== undefined) this.#sessions.heard(session);
  }

  greeted(connection: Connection, greeting: Greeting): void {
    const { session, password } = greeting;
    // It is back now, however long what came before it takes.
    if (this.#ids.isPassword(session, password)) this.#sessions.heard(session);
    this.#do(() => this.#greet(connection, greeting));
  }

  asked(connection: Connection, request: ClientRequest): void {
    this.#received++;
    const cameMs = this.#deps.clock.now();
    this.#do(() => this.#ask(connection, request, cameMs));
  }

  malformed(connection: Connection, xid: number): void {
    this.#received++;
    this.#do(() => this.#reply(connection, xid, { err: ERR.marshallingError }));
  }

  word(connection: Connection, word: string): void {
    connection.send(Buffer.from(answerWord(word, () => this.#facts())));
    this.#end(connection, `it asked ${word}`);
  }

  closed(connection: Connection, why: string): void {
    const { session, id } = connection;
    this.#connections.delete(id);
    if (session === undefined) return;
    this.#deps.log.debug('a client is gone', { session, peer: connection.peer, why });
    this.#sessions.disconnect(session, connection);
    this.#do(() => this.#tree.forget(id));
  }

  #do(work: () => void): void {
    if (this.#stopped) return;
    this.#waiting.push(work);
    this.#running ??= this.#run().catch((error: unknown) => {
      this.#stopped = true;
      for (const connection of this.#connections.values()) connection.close('the server failed');
      this.#deps.failed(error instanceof StorageFailure ? error : bugOf(error));
    });
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // What comes in this turn is of one round.
    while (this.#waiting.length > 0) {
      const works = this.#waiting;
      this.#waiting = [];
      for (const work of works) work();
      const { store, wrote } = this.#deps;
      const { tree } = this.#tree;
      if (store.isBehind(tree)) await wrote(await store.write(tree));
      const outgoing = this.#outgoing;
      this.#outgoing = [];
      for (const send of outgoing) send();
    }
    this.#running = undefined;
  }

  #greet(connection: Connection, greeting: Greeting): void {
    if (connection.isOver) return;
    const { session: asked, lastZxidSeen, password } = greeting;
    if (lastZxidSeen > this.#tree.tree.lastZxid) {
      // It has seen what this tree has not: another server's, or an earlier state was restored.
      return connection.close(`it has seen transaction ${lastZxidSeen}, which is not here`);
    }
    const isNew = asked === NO_SESSION;
    const session = isNew ? this.#open(greeting.timeoutMs) : asked;
    const timeoutMs = this.#tree.tree.sessions.get(session);
    const mayGoOn = isNew || this.#ids.isPassword(session, password);
    if (timeoutMs === undefined || !mayGoOn) return this.#refuse(connection, greeting);
    connection.accepted(session);
    this.#sessions.connect(session, connection);
    const words = { session, timeoutMs, password: this.#ids.passwordOf(session) };
    this.#outgoing.push(() => connection.send(encodeWelcome(words, greeting.saysReadOnly)));
  }

  #open(requestedMs: number): SessionId {
    const { sessions } = this.#tree.tree;
    const session = this.#ids.mint((id) => sessions.has(id));
    const timeoutMs = this.#sessions.negotiate(requestedMs);
    this.#apply(session, { type: 'open-session', timeoutMs });
    return session;
  }

  /** The session is over. */
  #refuse(connection: Connection, { saysReadOnly }: Greeting): void {
    const over = { session: NO_SESSION, timeoutMs: 0, password: Buffer.alloc(PASSWORD_BYTES) };
    this.#outgoing.push(() => {
      connection.send(encodeWelcome(over, saysReadOnly));
      this.#end(connection, 'its session is over');
    });
  }

  #ask(connection: Connection, { xid, call }: ClientRequest, cameMs: number): void {
    const { session } = connection;
    if (connection.isOver || session === undefined) return;
    // Its client may be on another connection by now.
    if (this.#sessions.connectionOf(session) !== connection) return;
    const done = (): void => this.#latencies.add(this.#deps.clock.now() - cameMs);
    if (call === undefined) {
      this.#reply(connection, xid, { err: ERR.unimplemented, ends: true }, done);
      return;
    }
    const asker: Asker = {
      ...{ id: connection.id, session, identities: connection.identities },
      proved: (identity) => connection.proved(identity),
    };
    const answered = answer(call, asker, {
      tree: this.#tree,
      write: (request) => this.#apply(session, request, connection),
      isFull: this.#deps.isFull,
      tell: (event) => this.#tell(event),
    });
    if (call.type === 'close-session') this.#sessions.forget(session);
    this.#reply(connection, xid, answered, done);
  }

  #expire(session: SessionId): void {
    // It may be closed, or its client back: then it has its full timeout again.
    if (!this.#tree.tree.sessions.has(session) || this.#sessions.isTracked(session)) return;
    this.#deps.log.info('a session expired', { session });
    this.#apply(session, { type: 'close-session' });
    const connection = this.#sessions.connectionOf(session);
    if (connection !== undefined)
      this.#outgoing.push(() => connection.close('its session expired'));
  }

  #apply(session: SessionId, request: Request, { identities }: Partial<Connection> = {}) {
    const { store, wallMs } = this.#deps;
    const who = identities === undefined ? {} : { identities };
    const applied = this.#tree.apply({ session, timeMs: wallMs(), request, ...who });
    store.changed(applied.changes);
    if (request.type === 'open-session' || request.type === 'close-session') {
      store.sessionChanged(session);
    }
    for (const event of applied.events) this.#tell(event);
    return applied;
  }

  #tell(event: WatchEvent): void {
    const connection = this.#connections.get(event.watcher);
    if (connection === undefined) return;
    // As in 3.8 since CVE-2024-23944: a watch above a znode tells nobody what he may not read.
    if (event.acl && !allows(event.acl, PERMS.read, connection.identities)) return;
    const bytes = encodeEvent(event);
    this.#sent++;
    this.#outgoing.push(() => connection.send(bytes));
  }

  #reply(connection: Connection, xid: number, answered: Answered, done?: () => void): void {
    // What a client proves has no place among the transactions.
    const zxid = xid === XID.auth ? 0 : this.#tree.tree.lastZxid;
    const bytes = framed(xid, zxid, answered);
    const isLast = answered.ends === true;
    if (isLast) connection.hearNoMore();
    this.#sent++;
    this.#outgoing.push(() => {
      if (xid !== XID.ping) done?.();
      connection.send(bytes, 1);
      if (isLast) this.#end(connection, 'it is done');
    });
  }

  #watchers(): ReadonlyMap<string, readonly SessionId[]> {
    const sessionOf = (watcher: string) => this.#connections.get(watcher)?.session ?? [];
    const entries = [...this.#tree.watchersOfZnodes].map(([path, watchers]) => {
      return [path, watchers.flatMap(sessionOf)] as const;
    });
    return new Map(entries);
  }

  /** Who does not close his end is cut off. */
  #end(connection: Connection, why: string): void {
    connection.end(why);
    this.#deps.clock.after(END_MS, () => connection.close(why));
  }

  #facts(): ServerFacts {
    const { tree } = this.#tree;
    const clients = [...this.#connections.values()];
    return {
      version: this.#deps.version,
      address: this.address,
      clients,
      latencyMs: this.#latencies.read(),
      received: this.#received,
      sent: this.#sent,
      outstanding: clients.reduce((sum, { outstanding }) => sum + outstanding, 0),
      zxid: tree.lastZxid,
      znodes: tree.size,
      ephemerals: tree.ephemeralCount,
      watches: this.#tree.watchCount,
      dataBytes: tree.dataBytes,
      watchers: this.#watchers(),
    };
  }
}

/** With its stack: nobody can look for it otherwise. */
function bugOf(error: unknown): Error {
  const what = error instanceof Error ? error.stack : String(error);
  return new Error(`a bug of ours: ${what}`, { cause: error });
}
