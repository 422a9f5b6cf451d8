/**
 * `node-zookeeper-client` as it is inside, and the repairs it needs. The library's connection
 * manager and its codec (jute) are used; its `Client` methods and `Transaction` are not, because
 * they turn version 0 into "any version", hide unknown outcomes and throw on unknown codes.
 *
 * Repairs made here, each for a defect that loses answers or ends the process:
 *  - an error code the library does not know throws out of its socket handler: codes become
 *    errors without a check;
 *  - anything else thrown while an answer is parsed, or half an answer left over from a broken
 *    connection, would garble every later answer: the connection is dropped instead, and the
 *    leftover with it;
 *  - after `close` a connection attempt that was already scheduled would come up as a zombie.
 */
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import zookeeper from 'node-zookeeper-client';

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

/** Error codes that mean something to us. */
export const CODE = {
  ok: 0,
  runtimeInconsistency: -2,
  connectionLoss: -4,
  operationTimeout: -7,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  noChildrenForEphemerals: -108,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  authFailed: -115,
  sessionMoved: -118,
  /** Not of the protocol: our own, for a request that never left. */
  notSent: 1,
} as const;

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
  pendingBuffer: Buffer | null;
  readonly packetQueue: { queue: Packet[] };
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
  /** Bytes came in: the link is alive. */
  readonly received: () => void;
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
  repairParsing(manager, options.received);
  reportErrors(manager, options.socketError);
  return { manager, disable: guardConnecting(manager) };
}

function repairParsing(manager: ConnectionManager, received: () => void): void {
  const parse = manager.onSocketData.bind(manager);
  manager.onSocketData = (buffer) => {
    received();
    try {
      parse(buffer);
    } catch {
      manager.pendingBuffer = null;
      manager.socket?.destroy();
    }
  };
  manager.on('state', (state) => {
    if (state === MANAGER.disconnected || state === MANAGER.connecting)
      manager.pendingBuffer = null;
    // Numbers restart with each connection; long before they leave 32 bits.
    if (state === MANAGER.disconnected && manager.xid > 2 ** 30) manager.xid = 0;
  });
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
  const findNextServer = manager.findNextServer.bind(manager);
  manager.findNextServer = (callback) => {
    findNextServer((server) => {
      if (!disabled) callback(server);
    });
  };
  return () => {
    disabled = true;
  };
}
