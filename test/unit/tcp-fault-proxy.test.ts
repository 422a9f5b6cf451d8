/** The proxy that tests break networks with does to a connection only what a network can. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TcpFaultProxy } from '../support/tcp-fault-proxy.js';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A client whose bytes come back through the proxy, as the server got them. */
async function echoed() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await TcpFaultProxy.start((server.address() as AddressInfo).port);
  const client = connect(proxy.port, '127.0.0.1');
  client.on('error', () => undefined).setEncoding('latin1');
  await once(client, 'connect');
  ends.push(() => {
    client.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
    void proxy.close();
  });
  let received = '';
  client.on('data', (text: string) => (received += text));
  const arrives = async (text: string) => {
    client.write(text);
    while (!received.endsWith(text)) await once(client, 'data');
    return received;
  };
  /** Written, and certainly at the proxy: another connection was served since. */
  const vanishes = async (text: string) => {
    client.write(text);
    const other = connect(proxy.port, '127.0.0.1');
    await once(other, 'connect');
    other.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
  };
  return { proxy, client, arrives, vanishes, received: () => received };
}

describe('a network that is cut in two', () => {
  it('passes on what it does not cut', async () => {
    const { proxy, arrives } = await echoed();
    proxy.cutOff(() => false);
    expect(await arrives('hello')).toBe('hello');
  });

  it('delivers nothing behind a gap, when it is cut elsewhere instead', async () => {
    const { proxy, client, arrives, vanishes, received } = await echoed();
    await arrives('one ');
    proxy.cutOff(() => true);
    await vanishes('two ');
    proxy.cutOff(() => false);
    await vanishes('three ');
    expect(received()).toBe('one ');
    const closed = once(client, 'close');
    proxy.heal();
    await closed;
    expect(received()).toBe('one ');
  });
});
