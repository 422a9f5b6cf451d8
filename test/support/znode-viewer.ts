/** What ZooKeeper holds, read by a client that shares no code with the product's adapter. */
import { connect as connectSocket } from 'node:net';
import zookeeper from 'node-zookeeper-client';

export class ZnodeViewer {
  readonly #client: zookeeper.Client;
  readonly #address: string;

  private constructor(client: zookeeper.Client, address: string) {
    this.#client = client;
    this.#address = address;
  }

  static async connect(address: string): Promise<ZnodeViewer> {
    const client = zookeeper.createClient(address, { sessionTimeout: 10_000 });
    await new Promise<void>((resolve) => {
      client.once('connected', resolve);
      client.connect();
    });
    return new ZnodeViewer(client, address);
  }

  children(path: string): Promise<string[]> {
    return new Promise((resolve, reject) => {
      this.#client.getChildren(path, (error, children) => {
        if (isError(error)) reject(error);
        else resolve(children);
      });
    });
  }

  raw(path: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#client.getData(path, (error, data) => {
        if (isError(error)) reject(error);
        else resolve(data);
      });
    });
  }

  /** The data as JSON. */
  async json(path: string): Promise<Record<string, unknown>> {
    return JSON.parse((await this.raw(path)).toString()) as Record<string, unknown>;
  }

  write(path: string, data: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.setData(path, data, -1, (error) => {
        if (isError(error)) reject(error);
        else resolve();
      });
    });
  }

  create(path: string, data: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.create(path, data, (error) => {
        if (isError(error)) reject(error);
        else resolve();
      });
    });
  }

  remove(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.remove(path, -1, (error) => {
        if (isError(error)) reject(error);
        else resolve();
      });
    });
  }

  /** With all that is below it. */
  async removeAll(path: string): Promise<void> {
    for (const child of await this.children(path)) await this.removeAll(`${path}/${child}`);
    await this.remove(path);
  }

  /** For each candidate, whether some session watches it, by ZooKeeper's own word (`wchp`). */
  async watchedBy(names: readonly string[]): Promise<string[]> {
    const watches = await fourLetterWord(this.#address, 'wchp');
    return names.map((name) => (watches.includes(name) ? 'watched' : 'not watched'));
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }
}

/** The answer of a ZooKeeper server to a four-letter word. */
export function fourLetterWord(address: string, word: string): Promise<string> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connectSocket(Number(port), host, () => socket.end(word));
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

/** The library passes null for success, whatever its types say. */
function isError(error: unknown): error is Error {
  return error instanceof Error;
}
