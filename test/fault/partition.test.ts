/** What partitions of the chaos runs rest on: a proxy that knows which process a connection is of. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ownerOf } from '../support/connection-owner.js';
import { TcpFaultProxy } from '../support/tcp-fault-proxy.js';

/** Says hello to a port of loopback, and prints what it hears. */
const GREETER = `
  const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1');
  socket.on('data', (chunk) => process.stdout.write(chunk));
  process.stdin.on('data', (chunk) => socket.write(chunk));
`;

const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
let proxy: TcpFaultProxy;
beforeEach(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await TcpFaultProxy.start((server.address() as AddressInfo).port);
});
afterEach(async () => {
  await proxy.close();
  server.close();
});

it('a process that is cut off hears nothing, another one everything, on old connections and new', async () => {
  const other = spawn(process.execPath, ['-e', GREETER, String(proxy.port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const heardByOther = (what: string) => {
    other.stdin.write(what);
    return once(other.stdout, 'data').then(String);
  };
  const own = connect(proxy.port, '127.0.0.1').on('error', () => undefined);
  expect(await heardByOther('a')).toBe('a');
  expect(await echoed(own, 'a')).toBe('a');

  const pids = [other.pid!, process.pid];
  proxy.cutOff((port) => ownerOf({ port, connectedTo: proxy.port }, pids) === process.pid);
  let heard = '';
  own.on('data', (chunk) => (heard += chunk.toString()));
  own.write('b');
  const later = connect(proxy.port, '127.0.0.1').on('error', () => undefined);
  later.on('data', (chunk) => (heard += chunk.toString()));
  later.write('c');
  // So many echoes of the other one: there was time enough for ours.
  for (let n = 0; n < 20; n++) expect(await heardByOther(`d${n}`)).toBe(`d${n}`);
  expect(heard).toBe('');

  proxy.heal();
  const healed = connect(proxy.port, '127.0.0.1');
  expect(await echoed(healed, 'e')).toBe('e');
  for (const socket of [own, later, healed]) socket.destroy();
  other.kill('SIGKILL');
});

it('a connection of none of the processes has no owner', async () => {
  const socket = connect(proxy.port, '127.0.0.1');
  await once(socket, 'connect');
  const connection = { port: socket.localPort!, connectedTo: proxy.port };
  expect(ownerOf(connection, [1])).toBeUndefined();
  expect(ownerOf(connection, [1, process.pid])).toBe(process.pid);
  socket.destroy();
});

async function echoed(socket: Socket, what: string): Promise<string> {
  socket.write(what);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}
