/**
 * `node-zookeeper-client` as it is inside, and the repairs it needs. The library's connection
 * manager and its codec (jute) are used; its `Client` methods and `Transaction` are not, because
 * they turn version 0 into "any version", hide unknown outcomes and throw on unknown codes.
 *
 * Repairs made here, each for a defect that loses answers or ends the process:
 *  - an error code the library does not know throws out of its socket handler: codes become
 *    errors without a check;
 *  - anything else thrown while an answer is parsed, a length that no answer has, a greeting that
 *    makes no sense, or half an answer left over from a broken connection, would garble every later
 *    answer or stop them for ever: the connection is dropped instead, and the leftover with it.
 *    The library is given whole answers one by one (`frames.ts`), because it recurses otherwise;
 *  - after `close` a connection attempt that was already scheduled would come up as a zombie, and
 *    the timer of one under way would keep the process alive.
 */
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import zookeeper from 'node-zookeeper-client';
import { ERR } from '../jute/codes.js';
import { InvariantViolation } from '../model/assert.js';
import { Frames, hasSoundLengths, isGreeting } from './frames.js';

const requireHere = createRequire(import.meta.url);

/** States of the connection manager. */
export const MANAGER = {
  disconnected: 0,
  connecting: 1,
  connected: 2,
  closing: -1,
  closed: -2,
  expired: -3,
  authFailed: -4,
} as const;

/** Codes of outcomes: the protocol's, and our own for a request that never left. */
export const CODE = { ...ERR, notSent: 1 } as const;

export interface ProtocolError extends Error {
  readonly code: number;
}

export interface JuteStat {
  readonly czxid: Buffer;
  readonly mzxid: Buffer;
  readonly version: number;
  readonly ephemeralOwner: Buffer;
}

export interface MultiResultRecord {
  readonly type: number;
  readonly err?: number;
  readonly path?: string;
  readonly stat?: JuteStat;
}

/** The payload of an answer; which fields there are depends on the request. */
export interface ResponsePayload {
  readonly path: string;
  readonly data: Buffer | null;
  readonly stat: JuteStat;
  readonly children: readonly string[];
  readonly results: readonly MultiResultRecord[];
}

export type Callback = (
  error: ProtocolError | null,
  response?: { readonly payload: ResponsePayload },
) => void;

export interface Packet {
  readonly request: object;
  readonly callback: Callback;
}

type RecordOf<Fields> = new () => Fields;

interface Jute {
  readonly OP_CODES: Readonly<Record<string, number>>;
  readonly Request: new (header: object, payload: object | null) => { toBuffer(): Buffer };
  readonly TransactionRequest: new (ops: readonly object[]) => object;
  readonly protocol: {
    readonly RequestHeader: RecordOf<{ type: number }>;
    readonly CreateRequest: RecordOf<{ path: string; data: Buffer; acl: object[]; flags: number }>;
    readonly DeleteRequest: RecordOf<{ path: string; version: number }>;
    readonly ExistsRequest: RecordOf<{ path: string; watch: boolean }>;
    readonly GetDataRequest: RecordOf<{ path: string; watch: boolean }>;
    readonly GetChildren2Request: RecordOf<{ path: string; watch: boolean }>;
    readonly SetDataRequest: RecordOf<{ path: string; data: Buffer; version: number }>;
  };
}

export type WatchKind = 'data' | 'exists' | 'children';

export interface ConnectionManager {
  state: number;
  xid: number;
  readonly socket: Socket | undefined;
  readonly connectTimeoutHandler: NodeJS.Timeout | null;
  /** What was sent and not answered yet, in order. */
  readonly pendingQueue: readonly {
    readonly request: { readonly header: { readonly type: number } };
  }[];
  readonly packetQueue: { queue: Packet[] };
  /** The newest transaction we heard of. A server that knows only older ones hangs up on us. */
  zxid: Buffer;
  readonly sessionId: Buffer;
  readonly sessionTimeout: number;
  readonly connectTimeout: number;
  on(event: 'state', listener: (state: number) => void): void;
  queue(request: object, callback: Callback): void;
  registerDataWatcher(path: string, watcher: () => void): void;
  registerExistenceWatcher(path: string, watcher: () => void): void;
  registerChildWatcher(path: string, watcher: () => void): void;
  onSocketData(buffer: Buffer): void;
  onSocketError(error: Error): void;
  findNextServer(callback: (server: object) => void): void;
  connect(): void;
  close(): void;
}

export const jute = requireHere('node-zookeeper-client/lib/jute') as Jute;

/** The answers whose lengths the library takes for memory to set aside, without a look. */
const READS_OF = new Map([
  [jute.OP_CODES['GET_DATA'] ?? 0, 'data'],
  [jute.OP_CODES['GET_CHILDREN2'] ?? 0, 'children'],
] as const);

interface ExceptionModule {
  create(code: number): ProtocolError;
}

// The library creates all its errors through this property.
const exception = zookeeper.Exception as unknown as ExceptionModule;
exception.create = (code) => Object.assign(new Error(`ZooKeeper error ${code}`), { code });

export interface ManagerOptions {
  /** `HOST:PORT[,…]`. */
  readonly servers: string;
  readonly sessionTimeoutMs: number;
  readonly auth: { readonly user: string; readonly password: string } | undefined;
  /** The last thing that went wrong with a socket, for the operator. */
  readonly socketError: (error: Error) => void;
}

export interface RepairedManager {
  readonly manager: ConnectionManager;
  /** Ends every attempt to connect, now and later. */
  readonly disable: () => void;
}

/** A connection manager with the repairs above, not yet connecting. */
export function createManager(options: ManagerOptions): RepairedManager {
  const client = zookeeper.createClient(options.servers, {
    sessionTimeout: options.sessionTimeoutMs,
    spinDelay: 500,
    retries: 0,
  });
  if (options.auth !== undefined) {
    const { user, password } = options.auth;
    client.addAuthInfo('digest', Buffer.from(`${user}:${password}`));
  }
  const { connectionManager: manager } = client as unknown as {
    connectionManager: ConnectionManager;
  };
  repairParsing(manager);
  wrapNumbers(manager);
  reportErrors(manager, options.socketError);
  return { manager, disable: guardConnecting(manager) };
}

function repairParsing(manager: ConnectionManager): void {
  const parse = manager.onSocketData.bind(manager);
  let frames = new Frames();
  manager.onSocketData = (chunk) => {
    const { socket } = manager;
    try {
      for (const frame of frames.take(chunk)) {
        // What follows an answer that ended the connection is not to be trusted.
        if (socket?.destroyed === true) return;
        if (manager.state === MANAGER.connecting && !isGreeting(frame, manager.sessionId)) {
          throw new Error('no greeting');
        }
        const asked = manager.pendingQueue[0]?.request.header.type;
        if (!hasSoundLengths(frame, READS_OF.get(asked ?? 0))) throw new Error('no answer');
        parse(frame);
      }
    } catch (error) {
      socket?.destroy();
      // Garbage is the server's. A broken rule of ours, in a listener, must not pass for it.
      if (error instanceof InvariantViolation) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  };
  manager.on('state', (state) => {
    if (state === MANAGER.disconnected || state === MANAGER.connecting) frames = new Frames();
  });
}

/**
 * Requests are numbered with 32 bits, and the library throws at the end of them. Only the order of
 * the answers counts, so the numbers may start again at any time.
 */
function wrapNumbers(manager: ConnectionManager): void {
  const queue = manager.queue.bind(manager);
  manager.queue = (request, callback) => {
    if (manager.xid > 2 ** 30) manager.xid = 0;
    queue(request, callback);
  };
}

function reportErrors(manager: ConnectionManager, report: (error: Error) => void): void {
  const handle = manager.onSocketError.bind(manager);
  manager.onSocketError = (error) => {
    report(error);
    handle(error);
  };
}

function guardConnecting(manager: ConnectionManager): () => void {
  let disabled = false;
  const connect = manager.connect.bind(manager);
  manager.connect = () => {
    if (!disabled) connect();
  };
  const findNextServer = manager.findNextServer.bind(manager);
  manager.findNextServer = (callback) => {
    findNextServer((server) => {
      if (!disabled) callback(server);
    });
  };
  return () => {
    disabled = true;
    if (manager.connectTimeoutHandler !== null) clearTimeout(manager.connectTimeoutHandler);
  };
}
