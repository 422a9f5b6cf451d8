/**
 * A gRPC server with the services a process offers: each one it has a handler for, and always
 * health and reflection.
 *
 * It stops in order: nothing new is accepted, unary calls under way may finish within the drain
 * time, streams are ended, what is left is cut. A malformed request, a reset or a flood of garbage
 * on the port costs its sender the connection and nobody else anything.
 */
import type { EventEmitter } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { type Address, formatAddress } from '../model/address.js';
import type { LeaderMessage, MemberMessage } from '../model/member-messages.js';
import type { ClusterStatus } from '../model/status.js';
import type {
  ExchangeHandler,
  FollowHandler,
  InspectionHandler,
  KvHandler,
  ReplicateHandler,
  StreamHandler,
} from '../ports/network.js';
import { toWireStatus } from './cluster-codec.js';
import { asIs, CLUSTER, HEALTH, INSPECTION, MEMBER, REPLICATION, STORAGE } from './definitions.js';
import { statusOf } from './error-detail.js';
import type { LeaderMessage__Output } from './generated/portolan/v1/LeaderMessage.js';
import type { MemberMessage as WireMemberMessage } from './generated/portolan/v1/MemberMessage.js';
import { type Health, healthHandlers } from './health.js';
import { inspectionHandlers } from './inspection-service.js';
import { kvHandlers, RAW_KV } from './kv-service.js';
import { fromWireLeaderMessage, toWireMemberMessage } from './member-codec.js';
import { MESSAGE_LIMITS } from './message-limits.js';
import { addReflection } from './reflection.js';
import { type ReportFailure, serveStream } from './streams.js';
import { warmUp } from './warm-up.js';

const SERVER_OPTIONS: grpc.ServerOptions = {
  ...MESSAGE_LIMITS,
  // A peer that vanished without a reset holds a connection at most this long.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.max_connection_idle_ms': 10 * 60_000,
  // Per connection. Without a bound one client could make this process hold any number of calls.
  'grpc.max_concurrent_streams': 1_024,
  // Channelz stays on: without it forceShutdown cuts no connection (grpc-js 1.14.7 keeps its list
  // of sessions only then), and stop would wait for a call that never ends. It costs nothing.
};

export interface GrpcServerOptions {
  readonly listen: Address;
  readonly health: Health;
  readonly kv?: KvHandler | undefined;
  readonly exchange?: ExchangeHandler | undefined;
  readonly replicate?: ReplicateHandler | undefined;
  readonly follow?: FollowHandler | undefined;
  readonly inspection?: InspectionHandler | undefined;
  readonly status?: (() => Promise<ClusterStatus>) | undefined;
  /** Hears errors that no handler should have thrown; their callers hear "outcome unknown". */
  readonly failed: ReportFailure;
  /** Hears of parts of messages that do not parse and were left out. */
  readonly garbled?: ((problem: string) => void) | undefined;
}

export interface GrpcServer {
  /** Where it listens, with the port it really got. */
  readonly address: Address;
  /**
   * Stops as described above; resolves when every connection is closed. Readiness goes first.
   * May be called twice.
   */
  stop(drainMs: number): Promise<void>;
}

/** @throws Error for the operator if the address cannot be listened on. */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  // Problems are told through the log, not printed by a library; its own switch still works.
  if (process.env['GRPC_VERBOSITY'] === undefined) grpc.setLogVerbosity(grpc.logVerbosity.NONE);
  const server = new grpc.Server(SERVER_OPTIONS);
  const calls = new OpenCalls();
  addServices(server, options, calls);
  const port = await bind(server, options.listen);
  if (options.follow !== undefined) warmUp(MEMBER.Follow).catch(options.failed);
  let stopped: Promise<void> | undefined;
  return {
    address: { host: options.listen.host, port },
    stop: (drainMs) => {
      options.health.setReady(false);
      return (stopped ??= stop(server, calls, drainMs));
    },
  };
}

function addServices(server: grpc.Server, options: GrpcServerOptions, calls: OpenCalls): void {
  const { kv, exchange, replicate, follow, inspection, status, health, failed } = options;
  server.addService(
    HEALTH,
    healthHandlers(health, (call, end) => calls.stream(call, end)),
  );
  if (kv !== undefined) server.addService(RAW_KV, kvHandlers(calls.counting(kv), failed));
  if (status !== undefined) addCluster(server, status, failed);
  if (exchange !== undefined) {
    const serve = frameService(exchange, failed, calls);
    server.addService({ Exchange: rawFrames(STORAGE.Exchange) }, { Exchange: serve });
  }
  if (replicate !== undefined) {
    const serve = frameService(replicate, failed, calls);
    server.addService({ Replicate: rawFrames(REPLICATION.Replicate) }, { Replicate: serve });
  }
  if (follow !== undefined) addMember(server, { ...options, follow }, calls);
  if (inspection !== undefined) {
    server.addService(INSPECTION, inspectionHandlers(inspection, failed));
  }
  addReflection(server, servicesOf(options), failed);
}

/** The same method, without the library's codec. */
function rawFrames<M extends object>(method: M) {
  return { ...method, requestDeserialize: asIs, responseSerialize: asIs };
}

function frameService(
  handler: StreamHandler<Buffer, Buffer>,
  failed: ReportFailure,
  calls: OpenCalls,
): (call: grpc.ServerDuplexStream<Buffer, Buffer>) => void {
  return (call) => calls.stream(call, serveStream(call, handler, failed));
}

function addCluster(
  server: grpc.Server,
  status: () => Promise<ClusterStatus>,
  failed: ReportFailure,
): void {
  server.addService(CLUSTER, {
    Status: (_call: unknown, callback: grpc.sendUnaryData<unknown>) => {
      status().then(
        (answer) => callback(null, toWireStatus(answer)),
        (error: unknown) => {
          failed(error);
          callback(statusOf(error));
        },
      );
    },
  });
}

function addMember(
  server: grpc.Server,
  options: GrpcServerOptions & { readonly follow: FollowHandler },
  calls: OpenCalls,
): void {
  const { follow, failed, garbled = () => undefined } = options;
  // Typed on this side of the port, protobuf on the other.
  const handler = (
    outgoing: { write(message: WireMemberMessage): boolean; end(): void },
    peer: string,
  ) => {
    const events = follow(
      {
        write: (message: MemberMessage) => outgoing.write(toWireMemberMessage(message)),
        end: () => outgoing.end(),
      },
      peer,
    );
    return {
      drain: () => events.drain(),
      closed: (reason: string) => events.closed(reason),
      message: (message: LeaderMessage__Output) => {
        const parsed: LeaderMessage | undefined = fromWireLeaderMessage(message, garbled);
        if (parsed !== undefined) events.message(parsed);
      },
    };
  };
  server.addService(MEMBER, {
    Follow: (call: grpc.ServerDuplexStream<LeaderMessage__Output, WireMemberMessage>) => {
      calls.stream(call, serveStream(call, handler, failed));
    },
  });
}

function servicesOf(options: GrpcServerOptions): string[] {
  const { kv, exchange, replicate, follow, inspection, status } = options;
  return [
    'grpc.health.v1.Health',
    ...(kv === undefined ? [] : ['portolan.v1.KV']),
    ...(status === undefined ? [] : ['portolan.v1.Cluster']),
    ...(exchange === undefined ? [] : ['portolan.v1.Storage']),
    ...(replicate === undefined ? [] : ['portolan.v1.Replication']),
    ...(follow === undefined ? [] : ['portolan.v1.Member']),
    ...(inspection === undefined ? [] : ['portolan.v1.Inspection']),
  ];
}

/** What is under way: unary calls may finish, streams have to be ended. */
class OpenCalls {
  readonly #streams = new Set<() => void>();
  #unary = 0;
  #idle: () => void = () => undefined;

  counting(handler: KvHandler): KvHandler {
    return {
      call: async (...args) => {
        this.#unary++;
        try {
          return await handler.call(...args);
        } finally {
          if (--this.#unary === 0) this.#idle();
        }
      },
    };
  }

  stream(call: EventEmitter, end: () => void): void {
    this.#streams.add(end);
    call.on('cancelled', () => this.#streams.delete(end));
    call.on('close', () => this.#streams.delete(end));
  }

  endStreams(): void {
    for (const end of this.#streams) end();
  }

  /** Resolves when no unary call is under way, or when the time is over. */
  async drained(drainMs: number): Promise<void> {
    if (this.#unary === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, drainMs);
      this.#idle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** After the drain time, how long connections get to close by themselves. */
const CLOSE_MS = 500;

async function stop(server: grpc.Server, calls: OpenCalls, drainMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  await calls.drained(drainMs);
  calls.endStreams();
  const force = setTimeout(() => server.forceShutdown(), CLOSE_MS);
  await closed;
  clearTimeout(force);
}

function bind(server: grpc.Server, listen: Address): Promise<number> {
  const address = formatAddress(listen);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) return resolve(port);
      reject(new Error(`cannot listen on ${address}: ${error.message}`, { cause: error }));
    });
  });
}
