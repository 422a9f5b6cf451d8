/**
 * The embedded coordination server with clients that are late, silent, many, greedy or mad, and
 * over the ends of its process. What it answers to sound clients is compared with a real server in
 * `conformance/`.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ERR, OP } from '../../src/jute/codes.js';
import { JuteWriter } from '../../src/jute/writer.js';
import { EmbeddedZooKeeper } from '../support/embedded-zookeeper.js';
import { type PlainCall, ProtocolClient } from '../support/protocol-client.js';

let server: EmbeddedZooKeeper;
const clients: ProtocolClient[] = [];

beforeEach(async () => {
  server = await EmbeddedZooKeeper.start({ tickMs: 100 });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  await server.stop();
});

async function open(options: Parameters<typeof ProtocolClient.open>[1] = {}) {
  const client = await ProtocolClient.open(server.connect, options);
  clients.push(client);
  return client;
}

async function socketTo(address: string): Promise<Socket> {
  const [host = '', port = ''] = address.split(':');
  const socket = connect({ host, port: Number(port) });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const create = (path: string, data = '', flags = 0): PlainCall => ({
  op: 'create',
  path,
  data,
  flags,
});
const exists = (path: string, watch = false): PlainCall => ({ op: 'exists', path, watch });

describe('a session', () => {
  it('goes on over another connection, with its password only', async () => {
    const first = await open({ timeoutMs: 2_000 });
    await first.call(create('/mine', 'x', 1));
    await first.drop();
    const { session, password } = first;
    const wrong = await open({ session, password: Buffer.alloc(16, 1) });
    expect([wrong.timeoutMs, wrong.session]).toEqual([0, '0'.repeat(16)]);
    const again = await open({ session, password });
    expect([again.timeoutMs, again.session]).toEqual([2_000, session]);
    expect((await again.call(exists('/mine'))).err).toBe(0);
  });

  it('has one connection: the one before is closed', async () => {
    const first = await open();
    const { session, password } = first;
    const second = await open({ session, password });
    await first.closed;
    expect((await second.call({ op: 'ping' })).err).toBe(0);
  });

  it('that is closed takes its ephemeral znodes along, and is over', async () => {
    const [first, other] = [await open(), await open()];
    await first.call(create('/e', '', 1));
    await other.call(exists('/e', true));
    const { session, password } = first;
    await first.close();
    expect(await other.takeEvents()).toEqual(['2 /e']);
    expect((await open({ session, password })).timeoutMs).toBe(0);
  });

  it('of a client that has seen a later transaction is not taken: it hangs up', async () => {
    await expect(open({ lastZxid: 1_000_000 })).rejects.toThrow('hung up on');
  });

  it('gets 2 to 20 ticks', async () => {
    expect((await open({ timeoutMs: 1 })).timeoutMs).toBe(200);
    expect((await open({ timeoutMs: 99_999 })).timeoutMs).toBe(2_000);
  });

  it('expires within 1.1 times its timeout, never early, and not while it is heard of', async () => {
    const watcher = await open({ timeoutMs: 2_000 });
    const timeoutMs = 1_000;
    const late: number[] = [];
    for (let n = 0; n < 3; n++) {
      const client = await open({ timeoutMs });
      const path = `/e${n}`;
      await client.call(create(path, '', 1));
      await watcher.call(exists(path, true));
      // Heard of all the while, for longer than it may be silent.
      for (let beat = 0; beat < 4; beat++) {
        await new Promise((resolve) => setTimeout(resolve, timeoutMs / 3));
        expect((await client.call({ op: 'ping' })).err).toBe(0);
      }
      const silentMs = performance.now();
      // Just the socket, so that the server has heard of it before its end.
      client.socket.destroy();
      while ((await watcher.takeEvents()).length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      late.push(performance.now() - silentMs);
    }
    // What was heard last is the ping, at most some milliseconds before.
    expect(Math.min(...late)).toBeGreaterThan(timeoutMs - 10);
    expect(Math.max(...late)).toBeLessThan(1.1 * timeoutMs + 50);
  });
});

describe('a start', () => {
  it('finds everything that was answered, and the sessions with their passwords', async () => {
    const client = await open({ timeoutMs: 2_000 });
    await client.call(create('/kept', 'hello'));
    await client.call(create('/e', '', 1));
    await client.call(create('/kept/s-', '', 2));
    const { session, password, lastZxid } = client;
    await server.restart();
    const again = await open({ session, password, lastZxid });
    expect(again.session).toBe(session);
    const { fields } = await again.call({ op: 'getData', path: '/kept', watch: false });
    expect(fields[0]).toBe('hello');
    expect((await again.call(exists('/e'))).err).toBe(0);
    const next = await again.call(create('/kept/s-', '', 2));
    expect(next.fields).toEqual(['/kept/s-0000000001']);
    expect(next.zxid).toBeGreaterThan(lastZxid);
  });
});

describe('a client that makes no sense', () => {
  const greeting = () =>
    new JuteWriter().int(0).long(0).int(1_000).longBits('0'.repeat(16)).buffer(Buffer.alloc(16));

  it.each([
    ['garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a frame of 2 GiB', Buffer.from('7fffffff00', 'hex')],
    ['a frame of negative length', Buffer.from('ffffffff00', 'hex')],
    ['a greeting that ends too early', Buffer.from('00000004 00000000'.replace(' ', ''), 'hex')],
  ])('%s: it is hung up on, and nobody else notices', async (_, bytes) => {
    const other = await open();
    const socket = await socketTo(server.connect);
    socket.resume();
    socket.write(bytes);
    await once(socket, 'close');
    expect((await other.call({ op: 'ping' })).err).toBe(0);
  });

  it('a request of an unknown type is told so, and then hung up on', async () => {
    const client = await open();
    expect((await client.raw(77, 999)).err).toBe(ERR.unimplemented);
    await client.closed;
  });

  it('a record that is none is answered, and the session goes on', async () => {
    const client = await open();
    expect((await client.raw(78, OP.create, Buffer.of(0, 0, 0, 9))).err).toBe(ERR.marshallingError);
    expect((await client.call({ op: 'ping' })).err).toBe(0);
  });

  it('a frame that never ends costs nothing but its bytes', async () => {
    const socket = await socketTo(server.connect);
    socket.write(greeting().framed());
    await once(socket, 'data');
    socket.write(Buffer.from('000fffff0000', 'hex'));
    expect((await (await open()).call({ op: 'ping' })).err).toBe(0);
    socket.destroy();
  });

  it('an unknown scheme is no way to prove anything', async () => {
    const client = await open();
    expect((await client.call({ op: 'auth', scheme: 'kerberos', auth: 'x' })).err).toBe(
      ERR.authFailed,
    );
    await client.closed;
  });
});

describe('what comes behind the end', () => {
  it.each(['auth', 'closeSession'] as const)('of a connection, %s, is not done', async (op) => {
    const [client, other] = [await open(), await open()];
    const last: PlainCall = op === 'auth' ? { op, scheme: 'nonsense', auth: 'x' } : { op };
    const answers = [client.call(last), client.call(create('/after'))];
    expect((await Promise.all(answers)).map(({ err }) => err)).toEqual([
      op === 'auth' ? ERR.authFailed : 0,
      -4, // Hung up on.
    ]);
    expect((await other.call(exists('/after'))).err).toBe(ERR.noNode);
  });

  it('of the server: writers that never pause do not keep it from stopping', async () => {
    const writers = await Promise.all(Array.from({ length: 20 }, () => open()));
    let isOver = false;
    const work = writers.map(async (client, n) => {
      await client.call(create(`/w${n}`));
      while (!isOver && !client.isClosed) {
        await client.call({ op: 'setData', path: `/w${n}`, data: 'x' });
      }
    });
    await writers[0]!.takeEvents();
    const began = performance.now();
    await server.restart();
    expect(performance.now() - began).toBeLessThan(3_000);
    isOver = true;
    await Promise.all(work);
  });
});

describe('a stop in order', () => {
  it('leaves nothing done that its client has no answer to', async () => {
    const client = await open({ timeoutMs: 2_000 });
    await client.call(create('/n'));
    // Larger than what a socket holds by itself.
    const data = 'x'.repeat(900_000);
    const asked = Array.from({ length: 40 }, (_, n) => {
      return n % 2 === 0
        ? client.call({ op: 'setData', path: '/n', data })
        : client.call({ op: 'getData', path: '/n', watch: false });
    });
    await asked[0];
    await server.restart();
    const answers = await Promise.all(asked);
    const done = answers.filter(({ err }, n) => n % 2 === 0 && err === 0).length;
    const { fields } = await (await open()).call(exists('/n'));
    expect(fields[0]).toMatchObject({ version: done });
    expect(done).toBeLessThan(20);
  });
});

describe('an access list that is larger than anybody needs', () => {
  const entry = (id: string) => ({ perms: 31, scheme: 'digest', id });
  it.each([
    ['a long name', [entry(`u:${'x'.repeat(70_000)}`)]],
    ['many entries', Array.from({ length: 20_000 }, (_, n) => entry(`u:${n}`))],
    ['perms that are none', [{ perms: 257, scheme: 'world', id: 'anyone' }]],
  ])('%s: it is refused at once, and the server goes on', async (_, acl) => {
    const client = await open();
    const { err } = await client.call({ op: 'create', path: '/listed', acl });
    expect(err).toBe(ERR.invalidAcl);
    expect((await client.call(create('/listed'))).err).toBe(0);
  });

  it('and so are more identities than anybody has', async () => {
    const client = await open();
    const errors: number[] = [];
    for (let n = 0; n < 16; n++) {
      errors.push((await client.call({ op: 'auth', scheme: 'digest', auth: `u${n}:p` })).err);
    }
    expect(errors).toEqual([...Array.from({ length: 15 }, () => 0), ERR.authFailed]);
  });
});

describe('a client that does not read', () => {
  it('is not read from either; others are served meanwhile, and nothing of it is lost', async () => {
    const other = await open({ timeoutMs: 2_000 });
    const path = '/large';
    await other.call(create(path, 'x'.repeat(900_000)));
    const greedy = await open({ timeoutMs: 2_000 });
    greedy.socket.pause();
    const asked = Array.from({ length: 100 }, () =>
      greedy.call({ op: 'getData', path, watch: false }),
    );
    for (let n = 0; n < 20; n++) expect((await other.call(exists(path))).err).toBe(0);
    greedy.socket.resume();
    const answers = await Promise.all(asked);
    expect(answers.map(({ err }) => err)).toEqual(answers.map(() => 0));
  });
});

describe('many clients', () => {
  it('1,000 that are idle cost little, and one more is served at once', async () => {
    const idle = await Promise.all(Array.from({ length: 1_000 }, () => open({ timeoutMs: 2_000 })));
    expect(new Set(idle.map(({ session }) => session)).size).toBe(1_000);
    const one = await open();
    expect((await one.call(create('/one'))).err).toBe(0);
    expect(await word('srvr')).toContain('Connections: 1002\n');
  });
});

async function word(letters: string): Promise<string> {
  const socket = await socketTo(server.connect);
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString()));
  socket.write(letters);
  await once(socket, 'close');
  return text;
}

describe('an operator', () => {
  it('asks with four letters', async () => {
    await open();
    expect(await word('ruok')).toBe('imok');
    expect(await word('srvr')).toContain('Mode: standalone');
    expect(await word('stat')).toContain('Clients:\n /127.0.0.1[1]');
    expect(await word('mntr')).toContain('zk_znode_count\t4\n');
    expect(await word('wchs')).toContain('not in the whitelist');
  });
});

describe('whoever watches', () => {
  it('may ask whether it does, and stop', async () => {
    const client = await open();
    await client.call(create('/w'));
    await client.call(exists('/w', true));
    const ask = (op: 'checkWatches' | 'removeWatches', kind: number) =>
      client.call({ op, path: '/w', kind }).then(({ err }) => err);
    expect(await ask('checkWatches', 1)).toBe(ERR.noWatcher);
    expect(await ask('checkWatches', 2)).toBe(0);
    expect(await ask('removeWatches', 3)).toBe(0);
    expect(await ask('removeWatches', 3)).toBe(ERR.noWatcher);
    await client.call({ op: 'setData', path: '/w', data: 'x' });
    expect(await client.takeEvents()).toEqual([]);
  });
});
