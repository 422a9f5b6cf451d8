/** A server that speaks just enough ZooKeeper to be believed, and answers what a test tells it. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What is written for a request; undefined = nothing. */
export type Reply = (xid: number, op: number) => Buffer | undefined;

/** Operations of the protocol that tests tell apart. */
export const OP = { create: 1, close: -11 } as const;
const NODE_EXISTS = -110;

/** A frame: its length, then its bytes. */
export function frame(body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** The header of an answer and what follows it. */
export function answer(xid: number, error: number, payload = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32BE(xid);
  header.writeInt32BE(error, 12);
  return frame(Buffer.concat([header, payload]));
}

export class ScriptedZooKeeper {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Until set, every create says that the znode exists, so that the root is soon thought made. */
  reply: Reply | undefined;
  /** Instead of the right greeting, which is given. */
  greet: (right: Buffer) => Buffer = (right) => right;
  connections = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(): Promise<ScriptedZooKeeper> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedZooKeeper(server);
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    let bytes = Buffer.alloc(0);
    let greeted = false;
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE()) {
        const request = bytes.subarray(4, 4 + bytes.readInt32BE());
        bytes = bytes.subarray(4 + request.length);
        if (greeted) this.#answer(socket, request);
        else socket.write(this.greet(greetingFor(request)));
        greeted = true;
      }
    });
  }

  #answer(socket: Socket, request: Buffer): void {
    const [xid, op] = [request.readInt32BE(), request.readInt32BE(4)];
    if (op === OP.close) return void socket.end(answer(xid, 0));
    const reply = this.reply === undefined ? answer(xid, NODE_EXISTS) : this.reply(xid, op);
    if (reply !== undefined) socket.write(reply);
  }
}

/** Grants the session that was asked for, or a new one, for as long as was asked for. */
function greetingFor(request: Buffer): Buffer {
  const body = Buffer.alloc(4 + 4 + 8 + 4 + 16);
  request.copy(body, 4, 12, 24);
  if (body.subarray(8, 16).every((byte) => byte === 0)) body.writeInt32BE(0x1234, 12);
  body.writeInt32BE(16, 16);
  return frame(body);
}
