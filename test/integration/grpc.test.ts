/** The gRPC adapter on loopback: what goes over the wire, whoever speaks on the other side. */
import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterEach, describe, expect, it } from 'vitest';
import { KV, HEALTH, CLUSTER } from '../../src/grpc/definitions.js';
import { detailOf } from '../../src/grpc/error-detail.js';
import { Health } from '../../src/grpc/health.js';
import { type GrpcServer, startGrpcServer } from '../../src/grpc/server.js';
import { formatAddress } from '../../src/model/address.js';
import type { LeaderEpoch, MemberId } from '../../src/model/ids.js';
import type { LeaderMessage, MemberMessage } from '../../src/model/member-messages.js';
import { RefusedError } from '../../src/model/refusals.js';
import type { KvHandler } from '../../src/ports/network.js';
import { decodeErrorDetail } from '../../src/wire/error-detail.js';
import { decodeCall, encodeGetResponse, encodeWriteResponse } from '../../src/wire/kv-messages.js';
import { configOf, nodeOf, uuidOf } from '../support/configs.js';
import { PlainClient } from '../support/grpc-calls.js';
import { Loopback } from '../support/loopback.js';

/** Answers every read with an empty value and every write with version 9. */
const accepting: KvHandler = {
  call: (kind, request) => {
    return new Promise((resolve) => {
      const call = decodeCall(kind, request);
      resolve(call.kind === 'get' ? encodeGetResponse(undefined) : encodeWriteResponse(true, 9));
    });
  },
};

function failingWith(error: Error): KvHandler {
  return { call: () => Promise.reject(error) };
}

const loopback = new Loopback();
const { serve, dialer, failures } = loopback;

afterEach(loopback.end);

function clientOf(server: GrpcServer): PlainClient {
  const client = new PlainClient(server.address);
  loopback.atEnd(() => client.close());
  return client;
}

const key = Buffer.from('k');

describe('KV', () => {
  it('a put, a get and a delete pass through as protobuf', async () => {
    const client = clientOf(await serve({ kv: accepting }));
    const put = await client.unary(KV.Put, { key, value: Buffer.from('v') });
    expect(put.response).toEqual({ applied: true, version: '9' });
    const get = await client.unary(KV.Get, { key });
    expect(get.response).toEqual({ found: false, value: Buffer.alloc(0), version: '0' });
    const remove = await client.unary(KV.Delete, { key });
    expect(remove.response).toEqual({ applied: true, version: '9' });
  });

  it('a definite refusal carries the trailer with code, advice, outcome and hint', async () => {
    const node = nodeOf('s2');
    const hint = { config: configOf(3, node), version: 4, address: node.address };
    const refusal = new RefusedError('NOT_PRIMARY', 'ask s2', { hint });
    const client = clientOf(await serve({ kv: failingWith(refusal) }));
    const answer = await client.unary(KV.Get, { key });
    expect(answer.code).toBe(grpc.status.FAILED_PRECONDITION);
    expect(decodeErrorDetail(answer.trailer!)).toEqual({
      code: 'NOT_PRIMARY',
      retry: 'refresh-map',
      outcome: 'not-applied',
      hint,
      message: '',
    });
  });

  it('S21 a refusal whose outcome is unknown carries no trailer', async () => {
    const client = clientOf(await serve({ kv: failingWith(new RefusedError('PRIMARY_LOST', '')) }));
    const answer = await client.unary(KV.Put, { key });
    expect(answer).toMatchObject({ code: grpc.status.UNAVAILABLE, trailer: undefined });
  });

  it('S21 an error that is no refusal carries no trailer, tells nothing, and is reported', async () => {
    const bug = new Error('secret');
    const client = clientOf(await serve({ kv: failingWith(bug) }));
    const answer = await client.unary(KV.Put, { key });
    expect(answer).toMatchObject({ code: grpc.status.INTERNAL, trailer: undefined });
    expect(answer.details).not.toContain('secret');
    expect(failures).toEqual([bug]);
  });

  it.each([
    ['an empty key', { key: Buffer.alloc(0), value: Buffer.alloc(0) }],
    ['a key of 1,025 bytes', { key: Buffer.alloc(1025, 1), value: Buffer.alloc(0) }],
    ['a value of 1 MiB + 1', { key, value: Buffer.alloc(1024 * 1024 + 1) }],
  ])('%s is refused as INVALID_ARGUMENT with the trailer', async (_what, request) => {
    const client = clientOf(await serve({ kv: accepting }));
    const answer = await client.unary(KV.Put, request);
    expect(answer.code).toBe(grpc.status.INVALID_ARGUMENT);
    expect(decodeErrorDetail(answer.trailer!)).toMatchObject({
      code: 'INVALID_REQUEST',
      retry: 'never',
      outcome: 'not-applied',
    });
  });

  it('a key of 1,024 bytes and a value of 1 MiB pass', async () => {
    const client = clientOf(await serve({ kv: accepting }));
    const request = { key: Buffer.alloc(1024, 1), value: Buffer.alloc(1024 * 1024) };
    expect(await client.unary(KV.Put, request)).toMatchObject({ code: grpc.status.OK });
  });

  it('a message beyond the limit is refused by us; a huge one ends its call and nothing else', async () => {
    const refusing = failingWith(new RefusedError('INVALID_REQUEST', 'too large'));
    const client = clientOf(await serve({ kv: refusing }));
    const put = (mib: number) => client.unary(KV.Put, { key, value: Buffer.alloc(mib << 20) });
    expect((await put(5)).code).toBe(grpc.status.INVALID_ARGUMENT);
    expect((await put(17)).code).toBe(grpc.status.RESOURCE_EXHAUSTED);
    expect((await put(0)).code).toBe(grpc.status.INVALID_ARGUMENT);
  });

  it.each(['Increment', 'GetMany', 'Batch'] as const)(
    '%s is refused as UNIMPLEMENTED with the trailer',
    async (method) => {
      const client = clientOf(await serve({ kv: accepting }));
      const answer = await client.unary<object, object>(KV[method], {});
      expect(answer.code).toBe(grpc.status.UNIMPLEMENTED);
      expect(decodeErrorDetail(answer.trailer!)).toMatchObject({ code: 'NOT_SUPPORTED' });
    },
  );

  it.each(['Scan', 'Watch'] as const)(
    '%s is refused as UNIMPLEMENTED with the trailer',
    async (method) => {
      const client = clientOf(await serve({ kv: accepting }));
      const answer = await client.serverStream<object, object>(KV[method], {});
      expect(answer.code).toBe(grpc.status.UNIMPLEMENTED);
      expect(decodeErrorDetail(answer.trailer!)).toMatchObject({ code: 'NOT_SUPPORTED' });
    },
  );

  it('the deadline reaches the handler, less the time for the answer’s way back', async () => {
    const budgets: number[] = [];
    const noting: KvHandler = {
      call: (_kind, _request, { budgetMs }) => {
        budgets.push(budgetMs);
        return Promise.resolve(encodeGetResponse(undefined));
      },
    };
    const client = clientOf(await serve({ kv: noting }));
    await client.unary(KV.Get, { key });
    await client.unary(KV.Get, { key }, 2_000);
    await client.unary(KV.Get, { key }, 600_000);
    expect(budgets[0]).toBe(4_900);
    expect(budgets[1]).toBeGreaterThan(1_500);
    expect(budgets[1]).toBeLessThanOrEqual(1_900);
    expect(budgets[2]).toBe(59_900);
  });

  it('our refusal at the end of the budget arrives before DEADLINE_EXCEEDED', async () => {
    const waiting: KvHandler = {
      call: (_kind, _request, { budgetMs }) => {
        return new Promise((_resolve, reject) => {
          setTimeout(() => reject(new RefusedError('NO_PRIMARY', 'none')), budgetMs);
        });
      },
    };
    const client = clientOf(await serve({ kv: waiting }));
    const answer = await client.unary(KV.Put, { key }, 400);
    expect(answer.code).toBe(grpc.status.UNAVAILABLE);
    expect(decodeErrorDetail(answer.trailer!).code).toBe('NO_PRIMARY');
  });

  it('the handler hears that its caller gave up, and not when it was answered', async () => {
    let cancelled = 0;
    const heard = new Promise<void>((resolve) => {
      const kv: KvHandler = {
        call: (kind, request, context) => {
          context.onCancel(() => {
            cancelled++;
            resolve();
          });
          return kind === 'get' ? accepting.call(kind, request, context) : new Promise(() => 0);
        },
      };
      void serve({ kv }).then(async (server) => {
        const client = clientOf(server);
        await client.unary(KV.Get, { key });
        await client.unary(KV.Put, { key }, 50);
      });
    });
    await heard;
    expect(cancelled).toBe(1);
  });
});

describe('health and reflection', () => {
  it('Check tells the status of each service, and NOT_FOUND for others', async () => {
    const health = new Health();
    const client = clientOf(await serve({ health, kv: accepting }));
    const check = (service: string) => client.unary(HEALTH.Check, { service });
    expect((await check('liveness')).response).toEqual({ status: 'SERVING' });
    expect((await check('')).response).toEqual({ status: 'NOT_SERVING' });
    health.setReady(true);
    expect((await check('')).response).toEqual({ status: 'SERVING' });
    expect((await check('portolan.v1.KV')).response).toEqual({ status: 'SERVING' });
    expect((await check('nonsense')).code).toBe(grpc.status.NOT_FOUND);
  });

  it('Watch tells the status now and at every change, and ends when the server stops', async () => {
    const health = new Health();
    const server = await serve({ health });
    const seen: string[] = [];
    const ended = clientOf(server).serverStream(
      HEALTH.Watch,
      { service: 'readiness' },
      ({ status }) => {
        seen.push(status);
        if (seen.length === 1) health.setReady(true);
        if (seen.length === 2) void server.stop(0);
      },
    );
    await ended;
    expect(seen).toEqual(['NOT_SERVING', 'SERVING', 'NOT_SERVING']);
  });

  it.each(['v1', 'v1alpha'])(
    'reflection %s lists the services that are served',
    async (version) => {
      const server = await serve({ kv: accepting });
      // A definition written here: what grpcurl knows of the reflection protocol.
      const proto = loadSync('test/support/reflection.proto');
      const service = proto['grpc.reflection.v1.ServerReflection'] as grpc.ServiceDefinition;
      const method = service['ServerReflectionInfo'] as grpc.MethodDefinition<object, object>;
      const client = new grpc.Client(
        formatAddress(server.address),
        grpc.credentials.createInsecure(),
        { 'grpc.enable_http_proxy': 0 },
      );
      const stream = client.makeBidiStreamRequest(
        method.path.replace('.v1.', `.${version}.`),
        method.requestSerialize,
        method.responseDeserialize,
        new grpc.Metadata(),
      );
      stream.write({ listServices: '*' });
      const [answer] = (await once(stream, 'data')) as [
        { listServicesResponse: { service: { name: string }[] } },
      ];
      stream.end();
      client.close();
      const names = answer.listServicesResponse.service.map(({ name }) => name);
      expect(names.sort()).toEqual(['grpc.health.v1.Health', 'portolan.v1.KV']);
    },
  );

  it('Cluster.Status tells what the router knows', async () => {
    const status = () =>
      Promise.resolve({
        cluster: 'default',
        healthy: true,
        leader: { id: 'r1', znode: '/election/x', leaderEpoch: 7 },
        candidates: [{ id: 'r1', znode: 'x', watches: undefined, address: 'a:1', admin: '' }],
        nodes: [],
        shards: [
          {
            id: 2,
            slots: [0, 255] as const,
            epoch: 1,
            primary: 's1',
            isr: ['s1'],
            learners: [],
            state: 'active',
            served: true,
            away: ['s9'],
            learning: [{ node: 's2', by: 'snapshot' as const, done: 7, total: 0, forMs: 1_500 }],
            damaged: [{ node: 's3', problem: 'rot' }],
          },
        ],
        problems: [],
        zookeeperConnected: true,
        answeredBy: 'r1',
      });
    const client = clientOf(await serve({ status }));
    const answer = await client.unary(CLUSTER.Status, {});
    expect(answer.response).toMatchObject({
      leader: { id: 'r1', leaderEpoch: '7' },
      candidates: [{ id: 'r1', watches: '' }],
      shards: [
        {
          ...{ id: 2, primary: 's1', epoch: '1', served: true, away: ['s9'] },
          learning: [{ node: 's2', by: 'snapshot', done: '7', total: '0', forMs: '1500' }],
          damaged: [{ node: 's3', problem: 'rot' }],
        },
      ],
    });
  });
});

describe('streams between members', () => {
  it('frames arrive whole and in order, both ways, and closed comes once at each end', async () => {
    const closed: string[] = [];
    const server = await serve({
      exchange: (outgoing) => ({
        message: (frame) => void outgoing.write(Buffer.concat([Buffer.from('re:'), frame])),
        drain: () => undefined,
        closed: () => void closed.push('server'),
      }),
    });
    const heard: string[] = [];
    await new Promise<void>((resolve) => {
      const stream = dialer().exchange(formatAddress(server.address), {
        message: (frame) => {
          heard.push(frame.toString());
          if (heard.length === 3) stream.end();
        },
        drain: () => undefined,
        closed: () => {
          closed.push('dialer');
          resolve();
        },
      });
      // Before the connection stands.
      for (const text of ['a', 'b', 'c']) stream.write(Buffer.from(text));
    });
    expect(heard).toEqual(['re:a', 're:b', 're:c']);
    expect(closed.sort()).toEqual(['dialer', 'server']);
  });

  it('a stream to nobody is closed without a drain: nothing has left', async () => {
    const events: string[] = [];
    await new Promise<void>((resolve) => {
      const stream = dialer().exchange('127.0.0.1:1', {
        message: () => undefined,
        drain: () => void events.push('drain'),
        closed: (reason) => {
          events.push(reason);
          resolve();
        },
      });
      stream.write(Buffer.from('x'));
    });
    expect(events).toEqual(['connection refused']);
  });

  it('writing to a stream that is over never throws', async () => {
    const server = await serve({
      exchange: (outgoing) => {
        outgoing.end();
        return { message: () => undefined, drain: () => undefined, closed: () => undefined };
      },
    });
    const stream = await new Promise<{ write(frame: Buffer): boolean }>((resolve) => {
      const opened = dialer().exchange(formatAddress(server.address), {
        message: () => undefined,
        drain: () => undefined,
        closed: () => resolve(opened),
      });
    });
    expect(() => stream.write(Buffer.from('late'))).not.toThrow();
  });

  it('a handler that throws loses its stream and is reported; the server goes on', async () => {
    const bug = new Error('bug');
    const heard: string[] = [];
    const server = await serve({
      kv: accepting,
      exchange: () => ({
        message: (frame) => {
          heard.push(frame.toString());
          throw bug;
        },
        drain: () => undefined,
        closed: () => void heard.push('closed'),
      }),
    });
    await new Promise<void>((resolve) => {
      const stream = dialer().exchange(formatAddress(server.address), {
        message: () => undefined,
        drain: () => undefined,
        closed: () => resolve(),
      });
      for (const text of ['a', 'b', 'c']) stream.write(Buffer.from(text));
    });
    expect(failures).toEqual([bug]);
    expect(heard).toEqual(['a', 'closed']);
    expect((await clientOf(server).unary(KV.Get, { key })).code).toBe(grpc.status.OK);
  });

  it('what leader and member say arrives as it was said', async () => {
    const node = nodeOf('s1');
    const told: LeaderMessage[] = [
      {
        type: 'hello',
        clusterUuid: uuidOf('c'),
        leaderEpoch: 3 as LeaderEpoch,
        leader: 'r1' as MemberId,
      },
      { type: 'map', shards: [{ config: configOf(5, node), version: 2 }], nodes: [node] },
      { type: 'map', shards: [], nodes: undefined },
      { type: 'ping', number: 7 },
    ];
    const said: MemberMessage[] = [
      { type: 'pong', number: 7, process: uuidOf('p') },
      {
        type: 'hello',
        id: 's1' as MemberId,
        process: uuidOf('p'),
        leaderEpoch: 3 as LeaderEpoch,
      },
      {
        type: 'replicas',
        replicas: [
          {
            shard: 5 as never,
            shardUuid: uuidOf('s'),
            store: uuidOf('d'),
            epoch: 2 as never,
            openedEpoch: 1 as never,
            lastSeq: 99 as never,
          },
        ],
      },
    ];
    const heardByMember: LeaderMessage[] = [];
    const server = await serve({
      follow: (outgoing) => ({
        message: (message) => {
          heardByMember.push(message);
          if (heardByMember.length === told.length) for (const words of said) outgoing.write(words);
        },
        drain: () => undefined,
        closed: () => undefined,
      }),
    });
    const heardByLeader: MemberMessage[] = [];
    await new Promise<void>((resolve) => {
      const stream = dialer().follow(formatAddress(server.address), {
        message: (message) => {
          heardByLeader.push(message);
          if (heardByLeader.length === said.length) resolve();
        },
        drain: () => undefined,
        closed: () => undefined,
      });
      for (const words of told) stream.write(words);
    });
    expect(heardByMember).toEqual(told);
    expect(heardByLeader).toEqual(said);
  });
});

describe('hostile peers', () => {
  it('garbage on the port costs its sender the connection and nobody else anything', async () => {
    const server = await serve({ kv: accepting });
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    const garbage = [
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      Buffer.alloc(1_000, 0xff),
      Buffer.concat([preface, Buffer.alloc(100, 0xee)]),
      Buffer.concat([preface, settings, Buffer.from([0, 0xff, 0xff, 1, 4, 0, 0, 0, 1, 9, 9])]),
      Buffer.concat([preface, settings, Buffer.from([0, 0, 4, 3, 0, 0, 0, 0, 7, 0, 0, 0, 0])]),
    ];
    for (const bytes of garbage) {
      const socket = connectTcp(server.address);
      socket.on('error', () => undefined);
      socket.resume();
      loopback.atEnd(() => socket.destroy());
      socket.end(bytes);
      await once(socket, 'finish');
      expect((await clientOf(server).unary(KV.Get, { key })).code).toBe(grpc.status.OK);
    }
  });

  it('requests that are HTTP/2 but not gRPC are answered and harm nobody', async () => {
    const server = await serve({ kv: accepting });
    const session = connectHttp2(`http://${formatAddress(server.address)}`);
    session.on('error', () => undefined);
    const grpcType = { 'content-type': 'application/grpc' };
    for (const headers of [
      { ':path': '/' },
      { ':path': KV.Get.path, 'content-type': 'text/plain' },
      { ':path': KV.Get.path, ...grpcType, 'grpc-timeout': 'x' },
      { ':path': KV.Get.path, ...grpcType, 'grpc-encoding': 'gzip' },
      { ':path': '/portolan.v1.KV/Nonsense', ...grpcType },
    ]) {
      const stream = session.request({ ':method': 'POST', ...headers });
      stream.on('error', () => undefined);
      stream.end(Buffer.from([1, 0, 0, 0, 3, 0xff, 0xff, 0xff]));
      stream.resume();
      await once(stream, 'close');
    }
    session.destroy(undefined, constants.NGHTTP2_NO_ERROR);
    expect((await clientOf(server).unary(KV.Get, { key })).code).toBe(grpc.status.OK);
  });

  it('a trailer that does not parse is no promise', () => {
    const metadata = new grpc.Metadata();
    metadata.set('portolan-error-bin', Buffer.from([0xff, 0xff]));
    expect(detailOf({ metadata })).toBeUndefined();
  });
});

describe('start and stop', () => {
  it('an address in use is named in the error', async () => {
    const { address } = await serve();
    await expect(
      startGrpcServer({ listen: address, health: new Health(), failed: () => undefined }),
    ).rejects.toThrow(formatAddress(address));
  });

  it('stop lets a call under way finish within the drain time', async () => {
    let finish: () => void = () => undefined;
    let started: () => void = () => undefined;
    const called = new Promise<void>((resolve) => (started = resolve));
    const kv: KvHandler = {
      call: () => {
        started();
        return new Promise((resolve) => (finish = () => resolve(encodeGetResponse(undefined))));
      },
    };
    const server = await serve({ kv });
    const answer = clientOf(server).unary(KV.Get, { key });
    await called;
    const stopped = server.stop(5_000);
    finish();
    expect((await answer).code).toBe(grpc.status.OK);
    await stopped;
  });

  it('stop cuts a call that does not finish', async () => {
    let started: () => void = () => undefined;
    const called = new Promise<void>((resolve) => (started = resolve));
    const kv: KvHandler = {
      call: () => {
        started();
        return new Promise(() => undefined);
      },
    };
    const server = await serve({ kv });
    const answer = clientOf(server).unary(KV.Get, { key });
    await called;
    await server.stop(50);
    expect((await answer).code).not.toBe(grpc.status.OK);
  });
});
