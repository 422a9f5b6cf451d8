/**
 * A TCP proxy that breaks connections the way networks do: cuts them at a byte, swallows or holds
 * back one direction, resets, refuses, or accepts and says nothing.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export type Direction = 'toServer' | 'toClient';

interface Pipe {
  readonly client: Socket;
  readonly server: Socket | undefined;
  readonly passed: Record<Direction, number>;
  readonly held: Record<Direction, Buffer[]>;
  /**
   * Bytes in these directions were lost. So are all that follow, whatever becomes of the fault:
   * TCP never delivers what comes behind a gap.
   */
  readonly broken: Set<Direction>;
  /** Nothing arrives at the client before. */
  dueMs: number;
  /** Whether bytes that vanish are of this one too; undefined = not asked yet. */
  isCutOff: boolean | undefined;
}

export class TcpFaultProxy {
  readonly #targetPort: number;
  readonly #pipes = new Set<Pipe>();
  readonly #lost = new Set<Direction>();
  readonly #stalled = new Set<Direction>();
  #cutOff: (clientPort: number) => boolean = () => true;
  #cut: Partial<Record<Direction, number>> | undefined;
  #mute = false;
  #muteNext = false;
  #server: Server | undefined;
  #port = 0;
  /** Connections accepted so far. */
  accepted = 0;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
  }

  static async start(targetPort: number): Promise<TcpFaultProxy> {
    const proxy = new TcpFaultProxy(targetPort);
    await proxy.accept();
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  get isListening(): boolean {
    return this.#server !== undefined;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** The next connection ends after so many bytes in that direction, cleanly for both sides. */
  cutNextAfter(bytes: Partial<Record<Direction, number>>): void {
    this.#cut = bytes;
  }

  /** Bytes in these directions vanish, and neither side hears of it when the other one leaves. */
  blackHole(...directions: Direction[]): void {
    this.#cutOff = () => true;
    for (const pipe of this.#pipes) pipe.isCutOff = undefined;
    for (const direction of directions) this.#lost.add(direction);
  }

  /** All bytes vanish of those connections, present and new, whose client's port this holds for. */
  cutOff(isFrom: (clientPort: number) => boolean): void {
    this.blackHole('toServer', 'toClient');
    this.#cutOff = isFrom;
  }

  /** Bytes in these directions are kept until {@link heal}. */
  stall(...directions: Direction[]): void {
    for (const direction of directions) this.#stalled.add(direction);
  }

  /** Bytes to the client arrive so much later. */
  delayMs = 0;

  /** Accepts and never says anything, without asking the server. */
  mute(): void {
    this.#mute = true;
  }

  /** The same for the next connection only, for as long as the client keeps it. */
  muteNext(): void {
    this.#muteNext = true;
  }

  /** The network is well again. Connections that lost bytes are reset. */
  heal(): void {
    this.#lost.clear();
    this.#stalled.clear();
    this.#mute = false;
    for (const pipe of [...this.#pipes]) {
      pipe.isCutOff = undefined;
      if (pipe.broken.size > 0 || pipe.server === undefined) {
        this.#end(pipe);
        continue;
      }
      for (const chunk of pipe.held.toServer.splice(0)) pipe.server.write(chunk);
      for (const chunk of pipe.held.toClient.splice(0)) pipe.client.write(chunk);
      pipe.client.resume();
      pipe.server.resume();
    }
  }

  reset(): void {
    for (const { client, server } of [...this.#pipes]) {
      client.resetAndDestroy();
      server?.resetAndDestroy();
    }
  }

  /** Nobody listens any more; what is connected ends. */
  async refuse(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    for (const pipe of [...this.#pipes]) this.#end(pipe);
    await closed;
  }

  /** Listens (again), always on the same port. */
  async accept(): Promise<void> {
    const server = createServer((client) => this.#onClient(client));
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    return this.refuse();
  }

  #onClient(client: Socket): void {
    this.accepted++;
    const isMute = this.#mute || this.#muteNext;
    this.#muteNext = false;
    const server = isMute ? undefined : connect(this.#targetPort, '127.0.0.1');
    const cut = this.#cut;
    this.#cut = undefined;
    const passed = { toServer: 0, toClient: 0 };
    const pipe: Pipe = {
      client,
      server,
      passed,
      held: { toServer: [], toClient: [] },
      broken: new Set(),
      dueMs: 0,
      isCutOff: undefined,
    };
    this.#pipes.add(pipe);
    this.#guard(pipe, client);
    if (cut !== undefined && Object.values(cut).includes(0)) return this.#end(pipe);
    if (server === undefined) {
      client.resume();
      return;
    }
    this.#guard(pipe, server);
    client.setNoDelay();
    server.setNoDelay();
    client.on('data', (chunk) => this.#pass(pipe, 'toServer', chunk, cut?.toServer));
    server.on('data', (chunk) => this.#pass(pipe, 'toClient', chunk, cut?.toClient));
  }

  /** One side going away ends the other, unless the network would not say so. */
  #guard(pipe: Pipe, socket: Socket): void {
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const direction = socket === pipe.client ? 'toServer' : 'toClient';
      if (this.#loses(pipe, direction)) pipe.broken.add(direction);
      else this.#end(pipe);
    });
  }

  #loses(pipe: Pipe, direction: Direction): boolean {
    if (pipe.broken.has(direction)) return true;
    if (!this.#lost.has(direction)) return false;
    pipe.isCutOff ??= this.#cutOff(pipe.client.remotePort ?? 0);
    return pipe.isCutOff;
  }

  #pass(pipe: Pipe, direction: Direction, chunk: Buffer, limit = Infinity): void {
    if (this.#loses(pipe, direction)) {
      pipe.broken.add(direction);
      return;
    }
    const [from, to] =
      direction === 'toServer' ? [pipe.client, pipe.server!] : [pipe.server!, pipe.client];
    if (this.#stalled.has(direction)) {
      pipe.held[direction].push(chunk);
      from.pause();
      return;
    }
    const part = chunk.subarray(0, limit - pipe.passed[direction]);
    pipe.passed[direction] += part.length;
    if (pipe.passed[direction] < limit) {
      if (direction === 'toServer') to.write(part);
      else this.#passLater(pipe, part);
      return;
    }
    // What was let through arrives; nothing else in either direction.
    from.removeAllListeners('data');
    to.end(part, () => this.#end(pipe));
  }

  /** In order, also if the delay became shorter meanwhile. */
  #passLater(pipe: Pipe, part: Buffer): void {
    const now = performance.now();
    pipe.dueMs = Math.max(pipe.dueMs, now + this.delayMs);
    if (pipe.dueMs <= now) pipe.client.write(part);
    else setTimeout(() => pipe.client.write(part), pipe.dueMs - now);
  }

  #end(pipe: Pipe): void {
    this.#pipes.delete(pipe);
    pipe.client.destroy();
    pipe.server?.destroy();
  }
}
