/** The admin port over real HTTP, and the metrics page. */
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AdminServer, startAdminServer } from '../../src/system/admin-http.js';
import { byName, single } from '../../src/ports/metrics.js';
import { metricsPage } from '../../src/system/metrics.js';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

describe('the admin port', () => {
  let server: AdminServer;
  let problems: string[];
  const get = (path: string, method = 'GET') => fetch(`${server.url}${path}`, { method });

  beforeEach(async () => {
    problems = [];
    server = await startAdminServer(LOOPBACK, {
      notReady: () => problems,
      status: () => ({ healthy: true }),
      metrics: () => Promise.resolve('up 1\n'),
    });
  });
  afterEach(() => server.close());

  it('says whether the process lives and whether it serves', async () => {
    expect((await get('/livez')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(200);
    problems = ['no map yet'];
    const notReady = await get('/readyz');
    expect([notReady.status, await notReady.text()]).toEqual([503, 'no map yet\n']);
    expect((await get('/livez')).status).toBe(200);
  });

  it('shows status as JSON and metrics as text', async () => {
    const status = await get('/status');
    expect(status.headers.get('content-type')).toBe('application/json');
    expect(await status.json()).toEqual({ healthy: true });
    expect(await (await get('/metrics?x=1')).text()).toBe('up 1\n');
  });

  it('HEAD has no body, other methods and pages are refused clearly', async () => {
    const head = await get('/status', 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await get('/status', 'POST')).status).toBe(405);
    const missing = await get('/nope');
    expect([missing.status, await missing.text()]).toEqual([
      404,
      'pages: /livez /readyz /status /metrics\n',
    ]);
  });

  it.each([
    ['no HTTP at all', '\u0016\u0003\u0001 garbage\r\n\r\n', '400'],
    ['a target that is no path', 'GET //[ HTTP/1.1\r\nHost: x\r\n\r\n', '404'],
    ['a target that is empty', 'GET ? HTTP/1.1\r\nHost: x\r\n\r\n', '400'],
    ['a way out of the pages', 'GET /../livez HTTP/1.1\r\nHost: x\r\n\r\n', '404'],
    ['a target with a host', 'GET http://other/livez?x HTTP/1.1\r\nHost: x\r\n\r\n', '200'],
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(20_000)}\r\n`, '431'],
    ['a body', 'GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc', '200'],
    ['two lengths', 'GET /livez HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n', '400'],
    ['half a request and then the end', 'GET /livez', '400'],
  ])('%s is answered in order and does no harm', async (name, request, code) => {
    const port = Number(new URL(server.url).port);
    const answer = await rawRequest(port, request, name.includes('then the end'));
    expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${code}`);
    expect((await get('/livez')).status).toBe(200);
  });

  it('a page that fails says so and the others go on', async () => {
    const failing = await startAdminServer(LOOPBACK, {
      notReady: () => [],
      status: () => Promise.reject(new Error('no answer from the leader')),
      metrics: () => Promise.resolve(''),
    });
    const status = await fetch(`${failing.url}/status`);
    expect([status.status, await status.text()]).toEqual([500, 'no answer from the leader\n']);
    expect((await fetch(`${failing.url}/readyz`)).status).toBe(200);
    await failing.close();
  });

  it('closes although somebody holds a connection open', async () => {
    const port = Number(new URL(server.url).port);
    const idle = connect(port, '127.0.0.1');
    idle.on('error', () => undefined);
    await new Promise((resolve) => idle.once('connect', resolve));
    const gone = new Promise((resolve) => idle.once('close', resolve));
    await server.close();
    await gone;
    server = await startAdminServer(LOOPBACK, {
      notReady: () => [],
      status: () => ({}),
      metrics: () => Promise.resolve(''),
    });
  });

  it('an address in use is told with the address', async () => {
    const port = Number(new URL(server.url).port);
    const pages = { notReady: () => [], status: () => ({}), metrics: () => Promise.resolve('') };
    await expect(startAdminServer({ ...LOOPBACK, port }, pages)).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port} for admin HTTP`,
    );
  });

  it('listening everywhere is shown by a name that can be dialed', async () => {
    const pages = { notReady: () => [], status: () => ({}), metrics: () => Promise.resolve('') };
    const everywhere = await startAdminServer({ host: '0.0.0.0', port: 0 }, pages);
    expect(everywhere.url).not.toContain('0.0.0.0');
    await everywhere.close();
  });
});

it('metrics are read when somebody asks', async () => {
  const calls = new Map([['put', 1]]);
  let held = 3;
  const page = metricsPage([
    {
      name: 'portolan_requests_total',
      help: 'Calls',
      type: 'counter',
      labelNames: ['call'],
      read: byName('call', () => calls),
    },
    { name: 'portolan_held_calls', help: 'Held', type: 'gauge', read: single(() => held) },
    {
      name: 'portolan_seconds',
      help: 'Took',
      type: 'histogram',
      bounds: [0.1, 1],
      read: () => [{ labels: { op: 'put' }, durations: { counts: [2, 0, 3], sum: 7.5 } }],
    },
  ]);
  expect(await page()).toContain('portolan_requests_total{call="put"} 1');
  calls.set('put', 2);
  held = 0;
  const second = await page();
  expect(second).toContain('portolan_requests_total{call="put"} 2');
  expect(second).toContain('portolan_held_calls 0');
  expect(second).toContain('nodejs_eventloop_lag_seconds');
  expect(second).toContain(
    [
      '# HELP portolan_seconds Took',
      '# TYPE portolan_seconds histogram',
      'portolan_seconds_bucket{op="put",le="0.1"} 2',
      'portolan_seconds_bucket{op="put",le="1"} 2',
      'portolan_seconds_bucket{op="put",le="+Inf"} 5',
      'portolan_seconds_sum{op="put"} 7.5',
      'portolan_seconds_count{op="put"} 5\n',
    ].join('\n'),
  );
});

/** Everything that is answered; we end the connection then, or as soon as the request is sent. */
function rawRequest(port: number, request: string, endsEarly: boolean): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(request);
      if (endsEarly) socket.end();
    });
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      answer += chunk;
      socket.end();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}
