/** The client library against routers in this process: what it does when they fail. */
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type Client,
  connect,
  OutcomeUnknownError,
  PortolanError,
} from '../../src/client/index.js';
import type { ConnectOptions } from '../../src/client/index.js';
import { Health } from '../../src/grpc/health.js';
import { type GrpcServer, startGrpcServer } from '../../src/grpc/server.js';
import { formatAddress } from '../../src/model/address.js';
import type { CallKind } from '../../src/model/calls.js';
import type { Seq } from '../../src/model/ids.js';
import { RefusedError } from '../../src/model/refusals.js';
import { decodeCall, encodeGetResponse, encodeWriteResponse } from '../../src/wire/kv-messages.js';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A router over a map in memory that can be told to misbehave. */
class FakeRouter {
  readonly data: Map<string, { value: Buffer; version: Seq }>;
  readonly seen: CallKind[] = [];
  readonly health = new Health();
  /** What happens instead of the next calls; undefined = serve. */
  misbehave: (() => Promise<Buffer>) | undefined;
  server: GrpcServer | undefined;
  port = 0;

  constructor(data: FakeRouter['data']) {
    this.data = data;
  }

  async start(): Promise<this> {
    this.health.setReady(true);
    this.server = await startGrpcServer({
      listen: { host: '127.0.0.1', port: this.port },
      health: this.health,
      failed: () => undefined,
      kv: { call: (kind, request) => this.#call(kind, request) },
    });
    this.port = this.server.address.port;
    return this;
  }

  get address(): string {
    return formatAddress({ host: '127.0.0.1', port: this.port });
  }

  async kill(): Promise<void> {
    await this.server?.stop(0);
  }

  async #call(kind: CallKind, request: Buffer): Promise<Buffer> {
    this.seen.push(kind);
    if (this.misbehave !== undefined) return this.misbehave();
    const call = decodeCall(kind, request);
    const key = call.key.toString('latin1');
    const current = this.data.get(key);
    if (call.kind === 'get') return encodeGetResponse(current);
    const version = current?.version ?? 0;
    if (call.condition.type === 'version' && call.condition.is !== version) {
      return encodeWriteResponse(false, version);
    }
    if (call.kind === 'delete') {
      this.data.delete(key);
      return encodeWriteResponse(true, version);
    }
    const next = (version + 1) as Seq;
    this.data.set(key, { value: Buffer.from(call.value), version: next });
    return encodeWriteResponse(true, next);
  }
}

async function routers(count: number): Promise<FakeRouter[]> {
  const data: FakeRouter['data'] = new Map();
  const started = await Promise.all(
    Array.from({ length: count }, () => new FakeRouter(data).start()),
  );
  cleanups.push(() => Promise.all(started.map((router) => router.kill())));
  return started;
}

function clientOf(targets: readonly (FakeRouter | string)[], options?: ConnectOptions): Client {
  const addresses = targets.map((to) => (typeof to === 'string' ? to : to.address));
  const client = connect(addresses, options);
  cleanups.push(() => client.close());
  return client;
}

async function failureOf(promise: Promise<unknown>): Promise<PortolanError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PortolanError);
  return error as PortolanError;
}

const refusing = (code: ConstructorParameters<typeof RefusedError>[0]) => () =>
  Promise.reject(new RefusedError(code, code));
const hanging = () => new Promise<never>(() => undefined);

/** A port that accepts connections and never says anything, like a stopped process. */
async function mutePort(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

/** An address in front of a router, and its connections to it. */
async function relayTo({ port }: FakeRouter): Promise<{ address: string; connections: Socket[] }> {
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    const onward = createConnection(port, '127.0.0.1');
    connections.push(onward);
    for (const end of [socket, onward]) end.on('error', () => undefined);
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const connection of connections) connection.destroy();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as { port: number }).port}`, connections };
}

describe('calls', () => {
  it('put, get and delete; text and bytes; absent is undefined', async () => {
    const client = clientOf(await routers(1));
    expect(await client.get('k')).toBeUndefined();
    expect(await client.put('k', 'v')).toEqual({ applied: true, version: 1 });
    expect(await client.get(new Uint8Array([0x6b]))).toEqual({
      value: Buffer.from('v'),
      version: 1,
    });
    expect(await client.put('k', Buffer.alloc(0))).toEqual({ applied: true, version: 2 });
    expect(await client.get('k')).toEqual({ value: Buffer.alloc(0), version: 2 });
    expect(await client.delete('k')).toEqual({ applied: true, version: 2 });
    expect(await client.get('k')).toBeUndefined();
  });

  it('a condition that does not hold is an answer', async () => {
    const client = clientOf(await routers(1));
    expect(await client.put('k', '1', { ifAbsent: true })).toEqual({ applied: true, version: 1 });
    expect(await client.put('k', '2', { ifAbsent: true })).toEqual({ applied: false, version: 1 });
    expect(await client.put('k', '2', { ifVersion: 0 })).toEqual({ applied: false, version: 1 });
    expect(await client.put('k', '2', { ifVersion: 1 })).toEqual({ applied: true, version: 2 });
    expect(await client.delete('k', { ifVersion: 1 })).toEqual({ applied: false, version: 2 });
    expect(await client.delete('k', { ifVersion: 2 })).toEqual({ applied: true, version: 2 });
  });

  it('limits are checked without asking a server', async () => {
    const [router] = await routers(1);
    const client = clientOf([router!]);
    for (const call of [
      client.get(''),
      client.put(Buffer.alloc(1025), ''),
      client.put('k', Buffer.alloc(1024 * 1024 + 1)),
    ]) {
      const facts = { code: 'INVALID_REQUEST', outcome: 'not-applied', attempts: 0 };
      expect(await failureOf(call)).toMatchObject(facts);
    }
    expect(router!.seen).toEqual([]);
  });

  it('unknown and impossible options throw', async () => {
    expect(() => connect('127.0.0.1:1', { timeout: 5 } as never)).toThrow(
      /unknown option "timeout"/,
    );
    expect(() => connect('127.0.0.1:1', { timeoutMs: 0 })).toThrow(TypeError);
    expect(() => connect('nonsense')).toThrow(/HOST:PORT/);
    expect(() => connect([])).toThrow(TypeError);
    const client = clientOf(['127.0.0.1:1']);
    await expect(client.get('k', { ifVersion: 1 } as never)).rejects.toThrow(TypeError);
    await expect(client.put('k', 'v', { ifVersion: 1, ifAbsent: true })).rejects.toThrow(TypeError);
    await expect(client.delete('k', { ifVersion: 0 })).rejects.toThrow(TypeError);
  });
});

describe('failover', () => {
  it('a router that refuses connections costs a call nothing but the way to the next', async () => {
    const [router] = await routers(1);
    const client = clientOf(['127.0.0.1:1', router!]);
    for (let count = 0; count < 4; count++) {
      expect(await client.put('k', 'v', { ifVersion: count })).toMatchObject({ applied: true });
    }
  });

  it('routers die one after the other under load; no call fails', async () => {
    const three = await routers(3);
    const client = clientOf(three);
    let running = true;
    const workers = Array.from({ length: 8 }, async (_, worker) => {
      let count = 0;
      for (; running; count++) await client.put(`k${worker}`, String(count));
      return count;
    });
    const [first, second] = three;
    const served = async (router: FakeRouter) => {
      const before = router.seen.length;
      while (router.seen.length < before + 20) await client.get('x');
    };
    await served(first!);
    await first!.kill();
    await served(second!);
    await first!.start();
    await served(first!);
    await second!.kill();
    await served(three[2]!);
    running = false;
    for (const count of await Promise.all(workers)) expect(count).toBeGreaterThan(0);
  });

  it('a router that hangs costs one attempt, not the deadline, and is then left alone', async () => {
    const [hung, well] = await routers(2);
    hung!.misbehave = hanging;
    hung!.health.setReady(false); // The probe finds it unfit.
    const client = clientOf([hung!, well!], { attemptTimeoutMs: 100 });
    for (let count = 0; count < 10; count++) await client.put(`k${count}`, 'v');
    expect(hung!.seen.length).toBeLessThanOrEqual(1);
    expect(well!.seen).toHaveLength(10);
  });

  it('a port that accepts and never answers is left too', async () => {
    const [router] = await routers(1);
    const client = clientOf([await mutePort(), router!]);
    await Promise.all(Array.from({ length: 4 }, (_, count) => client.put(`k${count}`, 'v')));
    const started = performance.now();
    await client.put('k', 'v');
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('a router that is stopping is left for the next, even by conditional writes', async () => {
    const [stopping, well] = await routers(2);
    stopping!.misbehave = refusing('STOPPING');
    const client = clientOf([stopping!, well!]);
    for (let count = 0; count < 4; count++) {
      expect(await client.put('k', 'v', { ifVersion: count })).toMatchObject({ applied: true });
    }
  });

  it('a router that comes back is used again', async () => {
    const [first, second] = await routers(2);
    const client = clientOf([first!, second!]);
    await first!.kill();
    for (let count = 0; count < 4; count++) await client.get('k');
    await first!.start();
    const before = first!.seen.length;
    while (first!.seen.length === before) await client.get('k');
  });
});

describe('refusals and unknown outcomes', () => {
  it('a refusal with advice to wait is retried inside the deadline', async () => {
    const [router] = await routers(1);
    let refusals = 3;
    router!.misbehave = () => {
      if (--refusals === 0) router!.misbehave = undefined;
      return refusing('NO_PRIMARY')();
    };
    const client = clientOf([router!]);
    expect(await client.put('k', 'v', { ifAbsent: true })).toMatchObject({ applied: true });
    expect(router!.seen).toHaveLength(4);
  });

  it('a refusal that lasts until the deadline rejects with its code, definitely not applied', async () => {
    const [router] = await routers(1);
    router!.misbehave = refusing('NO_PRIMARY');
    const error = await failureOf(clientOf([router!]).put('k', 'v', { timeoutMs: 200 }));
    expect(error).toMatchObject({ code: 'NO_PRIMARY', outcome: 'not-applied' });
    expect(error.attempts).toBe(router!.seen.length);
    expect(error.attempts).toBeGreaterThan(1);
  });

  it('a refusal that no retry mends rejects at once', async () => {
    const [router] = await routers(1);
    router!.misbehave = refusing('CORRUPT_RECORD');
    const error = await failureOf(clientOf([router!]).get('k'));
    expect(error).toMatchObject({ code: 'CORRUPT_RECORD', attempts: 1 });
  });

  it('S21 a conditional write whose outcome is unknown is not sent again', async () => {
    const both = await routers(2);
    for (const router of both) router.misbehave = refusing('PRIMARY_LOST');
    const client = clientOf(both);
    const error = await failureOf(client.put('k', 'v', { ifAbsent: true }));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown', attempts: 1 });
    expect(await failureOf(client.delete('k', { ifVersion: 3 }))).toBeInstanceOf(
      OutcomeUnknownError,
    );
    expect(both.flatMap((router) => router.seen)).toHaveLength(2);
  });

  it('reads, unconditional puts and deletes are sent again after an unknown outcome', async () => {
    const [router] = await routers(1);
    const client = clientOf([router!]);
    for (const call of [
      () => client.get('k'),
      () => client.put('k', 'v'),
      () => client.delete('k'),
    ]) {
      router!.misbehave = () => {
        router!.misbehave = undefined;
        return refusing('PRIMARY_LOST')();
      };
      await call();
    }
    expect(router!.seen).toEqual(['get', 'get', 'put', 'put', 'delete', 'delete']);
  });

  it('with retryUnknownWrites off, unconditional writes are not sent again either', async () => {
    const [router] = await routers(1);
    router!.misbehave = refusing('PRIMARY_LOST');
    const client = clientOf([router!], { retryUnknownWrites: false });
    expect(await failureOf(client.put('k', 'v'))).toMatchObject({
      attempts: 1,
      outcome: 'unknown',
    });
  });

  it('S21 after one unknown attempt, a later definite refusal does not make the write definite', async () => {
    const [router] = await routers(1);
    router!.misbehave = () => {
      router!.misbehave = refusing('NO_PRIMARY');
      return refusing('PRIMARY_LOST')();
    };
    const error = await failureOf(clientOf([router!]).put('k', 'v', { timeoutMs: 150 }));
    expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' });
  });

  it('no router at all: UNAVAILABLE at the deadline, not applied, nothing sent', async () => {
    const client = clientOf(['127.0.0.1:1', '127.0.0.1:2']);
    const started = performance.now();
    const error = await failureOf(client.put('k', 'v', { ifAbsent: true, timeoutMs: 300 }));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', outcome: 'not-applied', attempts: 0 });
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('giving up and closing', () => {
  it('a signal ends a call; a write that was sent may have been applied', async () => {
    const [router] = await routers(1);
    const client = clientOf([router!]);
    const abort = new AbortController();
    router!.misbehave = () => {
      abort.abort();
      return hanging();
    };
    const error = await failureOf(client.put('k', 'v', { signal: abort.signal }));
    expect(error).toMatchObject({ code: 'ABORTED', outcome: 'unknown', attempts: 1 });
    const again = await failureOf(client.put('k', 'v', { signal: abort.signal }));
    expect(again).toMatchObject({ code: 'ABORTED', outcome: 'not-applied', attempts: 0 });
  });

  it('close waits for the calls under way and takes no more', async () => {
    const [router] = await routers(1);
    const client = connect(router!.address);
    let finish: () => void = () => undefined;
    const called = new Promise<void>((resolve) => {
      router!.misbehave = () => {
        resolve();
        return new Promise((answer) => (finish = () => answer(encodeGetResponse(undefined))));
      };
    });
    const reading = client.get('k');
    await called;
    const closed = client.close();
    expect(await failureOf(client.get('k'))).toMatchObject({ code: 'CLOSED', attempts: 0 });
    finish();
    expect(await reading).toBeUndefined();
    await closed;
  });

  it('channelsPerRouter: so many connections, all in use', async () => {
    const [router] = await routers(1);
    const { address, connections } = await relayTo(router!);
    const client = clientOf([address], { channelsPerRouter: 3 });
    for (let n = 0; n < 3; n++) await client.put('k', 'v');
    expect(connections).toHaveLength(3);
    const value = Buffer.alloc(10_000);
    for (let n = 0; n < 6; n++) await client.put('k', value);
    expect(connections).toHaveLength(3);
    for (const { bytesWritten } of connections) expect(bytesWritten).toBeGreaterThan(20_000);
  });

  it('await using closes it', async () => {
    const [router] = await routers(1);
    let kept: Client;
    {
      await using client = connect(router!.address);
      kept = client;
      await client.put('k', 'v');
    }
    expect(await failureOf(kept.get('k'))).toMatchObject({ code: 'CLOSED' });
  });
});
