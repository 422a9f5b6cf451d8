/** A TCP port that hands out its connections as streams of bytes. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Address, formatAddress } from '../model/address.js';
import type { AcceptByteStream } from '../ports/byte-stream.js';

export interface TcpListenerOptions {
  readonly listen: Address;
  /** More connections than that are closed at once. */
  readonly connectionsMax: number;
  readonly accept: AcceptByteStream;
  /** It does not take connections as it should. It goes on. */
  readonly troubled: (problem: string) => void;
}

export interface TcpListener {
  /** With the port it really got. */
  readonly address: Address;
  /** Takes no more connections; resolves when those that are open have ended. */
  close(): Promise<void>;
}

/** @throws Error for the operator if the address cannot be listened on. */
export async function listenTcp(options: TcpListenerOptions): Promise<TcpListener> {
  const { listen, connectionsMax, accept, troubled } = options;
  const server = createServer({ noDelay: true }, (socket) => {
    serve(socket, accept);
  });
  server.maxConnections = connectionsMax;
  server.listen(listen.port, listen.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot listen on ${formatAddress(listen)}: ${why}`, { cause: error });
  }
  server.on('error', ({ message }) => troubled(message));
  const { port } = server.address() as AddressInfo;
  return {
    address: { host: listen.host, port },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

function serve(socket: Socket, accept: AcceptByteStream): void {
  const events = accept({
    peer: socket.remoteAddress?.replace(/^::ffff:/, '') ?? '',
    get waitingBytes() {
      return socket.writableLength;
    },
    write: (bytes) => void socket.write(bytes),
    setReading: (isReading) => void (isReading ? socket.resume() : socket.pause()),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  });
  socket.on('data', (chunk) => events.data(chunk));
  socket.on('drain', () => events.drained());
  socket.on('error', () => socket.destroy()); // Said by 'close'.
  socket.on('close', () => events.closed());
}
