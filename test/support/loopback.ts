/** Servers and dialers of one test on loopback; what they report as failures; their end. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Health } from '../../src/grpc/health.js';
import { GrpcDialer } from '../../src/grpc/dialer.js';
import { type GrpcServer, type GrpcServerOptions, startGrpcServer } from '../../src/grpc/server.js';

export class Loopback {
  /** Errors that no handler should have thrown. */
  readonly failures: unknown[] = [];
  readonly #cleanups: (() => unknown)[] = [];

  /** On a free port. */
  readonly serve = async (options: Partial<GrpcServerOptions> = {}): Promise<GrpcServer> => {
    const server = await startGrpcServer({
      listen: { host: '127.0.0.1', port: 0 },
      health: new Health(),
      failed: (error) => this.failures.push(error),
      ...options,
    });
    this.atEnd(() => server.stop(0));
    return server;
  };

  /** A plain TCP listener on a free port, at HOST:PORT; `close` ends its connections too. */
  readonly listen = async (accept: (socket: Socket, close: () => void) => void) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      accept(socket, close);
    });
    const close = () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    };
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.atEnd(close);
    return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close };
  };

  readonly dialer = (): GrpcDialer => {
    const made = new GrpcDialer({
      failed: (error) => this.failures.push(error),
      garbled: () => undefined,
    });
    this.atEnd(() => made.close());
    return made;
  };

  atEnd(cleanup: () => unknown): void {
    this.#cleanups.push(cleanup);
  }

  /** Ends everything, the newest first; to be called after each test. */
  readonly end = async (): Promise<void> => {
    for (const cleanup of this.#cleanups.splice(0).reverse()) await cleanup();
    this.failures.length = 0;
  };
}
